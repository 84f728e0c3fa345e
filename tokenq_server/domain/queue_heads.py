"""The heads of a department's queue, as far as a batch has loaded them."""

from bisect import insort

from tokenq.contract.enums import Priority
from tokenq_server.domain.policy import Waiting
from tokenq_server.domain.token import Token


class QueueHeads:
    """Waiting tokens per class, in the order of sort key and id."""

    def __init__(self) -> None:
        self._classes: dict[Priority, list[tuple[int, int]]] = {name: [] for name in Priority}

    def join(self, token: Token) -> None:
        """Add a token; adding it again has no effect."""
        entries = self._classes[token.priority]
        if (entry := _entry(token)) not in entries:
            insort(entries, entry)

    def leave(self, token: Token) -> None:
        """Remove a token, if it is loaded."""
        entries = self._classes[token.priority]
        if (entry := _entry(token)) in entries:
            entries.remove(entry)

    def first_place(self, priority: Priority) -> int | None:
        """The smallest sort key of a class; ``None`` if none of it is loaded."""
        entries = self._classes[priority]
        return entries[0][0] if entries else None

    def heads(self, tokens: dict[int, Token]) -> dict[Priority, Waiting]:
        """The first token of each class, as the policy needs them."""
        firsts = [tokens[entries[0][1]] for entries in self._classes.values() if entries]
        return {
            token.priority: Waiting(token.token_id, token.priority, token.place, token.waiting_since)
            for token in firsts
        }


def _entry(token: Token) -> tuple[int, int]:
    return token.place, token.token_id
