"""The heads of a department's waiting line, as far as a batch has loaded them."""

from bisect import insort

from tokenq.contract.enums import Priority
from tokenq_server.domain.policy import Waiting
from tokenq_server.domain.token import Token


class Line:
    """Who waits, per class in the order of place and id."""

    def __init__(self) -> None:
        self._classes: dict[Priority, list[tuple[int, int]]] = {name: [] for name in Priority}

    def join(self, token: Token) -> None:
        """Let a token in; one that is in already stays once."""
        places = self._classes[token.priority]
        if (entry := _entry(token)) not in places:
            insort(places, entry)

    def leave(self, token: Token) -> None:
        """Let a token out, if it is among those loaded."""
        places = self._classes[token.priority]
        if (entry := _entry(token)) in places:
            places.remove(entry)

    def first_place(self, priority: Priority) -> int | None:
        """The least place of a class; ``None`` if nobody of it is loaded."""
        places = self._classes[priority]
        return places[0][0] if places else None

    def heads(self, tokens: dict[int, Token]) -> dict[Priority, Waiting]:
        """The first of each class, as the policy wants them."""
        firsts = [tokens[places[0][1]] for places in self._classes.values() if places]
        return {one.priority: Waiting(one.token_id, one.priority, one.place, one.waiting_since) for one in firsts}


def _entry(token: Token) -> tuple[int, int]:
    return token.place, token.token_id
