"""Where tokens were when this process last changed them: most moves follow another one, and need not look it up."""

from collections import OrderedDict
from collections.abc import Iterable

from tokenq_server.domain.token import Token, Whereabouts

_REMEMBERED = 10_000
"""Tokens kept at most; those unchanged for longest are forgotten first."""


class LastSeen:
    """Remembers tokens. Another process may have moved one since: whoever relies on it must look again if so."""

    def __init__(self, size: int = _REMEMBERED) -> None:
        self._size = size
        self._tokens: OrderedDict[int, Token] = OrderedDict()

    def note(self, tokens: Iterable[Token]) -> None:
        """Remember tokens as they are now."""
        for token in tokens:
            self._tokens[token.token_id] = token
            self._tokens.move_to_end(token.token_id)
        while len(self._tokens) > self._size:
            self._tokens.popitem(last=False)

    def whereabouts(self, token_id: int) -> Whereabouts | None:
        """Return where a token was; ``None`` if it is not remembered."""
        token = self._tokens.get(token_id)
        if token is None:
            return None
        was = token.undo.was if token.undo else {}
        return Whereabouts(
            department_id=token.department_id,
            user_id=token.user_id,
            printed=(token.issued_in, token.display),
            back_to=was.get("department_id"),
            back_to_counter=was.get("counter_id", token.counter_id),
        )
