"""Which call the board shows big: each new one for a minimum time, so that two at once are both seen."""

from collections import deque

from tokenq.board.picture import Call, Picture
from tokenq.contract.enums import AT_COUNTER, TokenState

DWELL = 4.0
"""Seconds that a new call stays big before the next new one may take its place."""
FRESH = 12.0
"""Seconds for which a call is highlighted when no other follows."""
_LONGEST_LINE = 8
_SERVED = frozenset({TokenState.SERVED})


class Announcer:
    """The line of new calls waiting to be shown big, each for ``dwell``. Times are seconds of any steady clock."""

    def __init__(self, dwell: float = DWELL) -> None:
        self._dwell = dwell
        self._line: deque[Call] = deque(maxlen=_LONGEST_LINE)
        self._shown: Call | None = None
        self._since = 0.0

    def announce(self, call: Call) -> None:
        """Put a new call at the end of the line; far too many at once drop the oldest."""
        self._line.append(call)

    def current(self, picture: Picture, now: float) -> tuple[Call | None, float | None]:
        """The call to show big and for how many seconds it has been new (``None`` when it is not any more).

        Somebody at a counter has the place; without one it is the number that was served last, which is over.
        """
        self._shown = _as_it_stands(self._shown, picture)
        if self._shown is None or now - self._since >= self._dwell:
            self._take_next(picture, now)
        shown, age = self._shown, now - self._since
        if shown is not None and age < (FRESH if shown.state in AT_COUNTER else self._dwell):
            return shown, age
        return _newest(picture, AT_COUNTER, shown) or _newest(picture, _SERVED, shown), None

    def _take_next(self, picture: Picture, now: float) -> None:
        while self._line:
            following = _as_it_stands(self._line.popleft(), picture)
            if following is not None:
                self._shown, self._since = following, now
                return


def _as_it_stands(call: Call | None, picture: Picture) -> Call | None:
    """The call in its present state; ``None`` when nobody is to come any more, as after a no-show."""
    if call is None:
        return None
    known = (each for each in picture.calls if (each.department_id, each.seq) == (call.department_id, call.seq))
    found = next(known, None)
    # A number served in one step was called all the same: it is to be seen.
    return found if found is not None and found.state in AT_COUNTER | _SERVED else None


def _newest(picture: Picture, states: frozenset[TokenState], shown: Call | None) -> Call | None:
    newest = next((call for call in picture.calls if call.state in states), None)
    if newest is None or shown is None or shown.state not in states:
        return newest
    # Calls of the same second have no order: the one announced last stays.
    return newest if newest.at > shown.at else shown
