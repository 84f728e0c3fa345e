"""Where tokens at counters were when this process last changed them: most moves follow a call, and look nothing up."""

from collections import OrderedDict
from collections.abc import Iterable

from tokenq_server.domain.token import Token, Whereabouts

_REMEMBERED = 10_000
"""Tokens kept at most, if other processes move them on; those unchanged for longest are forgotten first."""


class LastSeen:
    """Remembers tokens at counters. Another process may have moved one since: whoever relies on it must look again."""

    def __init__(self, size: int = _REMEMBERED) -> None:
        self._size = size
        self._places: OrderedDict[int, Whereabouts] = OrderedDict()

    def note(self, tokens: Iterable[Token]) -> None:
        """Take note of tokens as they are now."""
        for token in tokens:
            self._places.pop(token.token_id, None)
            if token.is_at_counter:
                self._places[token.token_id] = _whereabouts(token)
        while len(self._places) > self._size:
            self._places.popitem(last=False)

    def whereabouts(self, token_id: int) -> Whereabouts | None:
        """Return where a token was; ``None`` if it is not remembered."""
        return self._places.get(token_id)


def _whereabouts(token: Token) -> Whereabouts:
    was = token.undo.was if token.undo else {}
    return Whereabouts.of(token.department_id, token.user_id, (token.issued_in, token.display), was, token.counter_id)
