"""Which calls the board shows big: new ones beside each other, as long as there is room; then in turns."""

from collections import deque
from dataclasses import dataclass

from tokenq.board.picture import Call, Picture
from tokenq.contract.enums import AT_COUNTER, TokenState

DWELL = 5.0
"""Seconds that a new call stays big before another one may take its place."""
FRESH = 12.0
"""Seconds for which a call is highlighted when no other needs its place."""
_LONGEST_LINE = 1000
_SERVED = frozenset({TokenState.SERVED})


@dataclass(frozen=True, slots=True)
class Shown:
    """A call to show big; ``age`` is for how many seconds it has been new, ``None`` when it is not any more."""

    call: Call
    age: float | None = None


class Announcer:
    """New calls in the order in which they came, each shown for ``dwell``. Times are seconds of any steady clock."""

    def __init__(self, dwell: float = DWELL) -> None:
        self._dwell = dwell
        self._line: deque[Call] = deque(maxlen=_LONGEST_LINE)
        self._shown: list[tuple[Call, float]] = []

    def announce(self, call: Call) -> None:
        """Put a new call at the end of the line; one that is shown gives up its place and is new again."""
        for place, (shown, _) in enumerate(self._shown):
            if _is_same_token(shown, call):
                del self._shown[place]
                break
        self._line.append(call)

    def current(self, picture: Picture, now: float, places: int = 1) -> tuple[Shown, ...]:
        """The calls to show big in so many places, in the order in which they were called.

        Without new ones it is the last one at a counter; without one, the number that was served last, which is over.
        """
        known = _known(picture)
        self._shown = [
            (call, since)
            for old, since in self._shown
            for call in [_as_it_stands(old, known)]
            if call is not None and now - since < (FRESH if call.state in AT_COUNTER else self._dwell)
        ]
        self._fill(known, now, places)
        if self._shown:
            return tuple(Shown(call, now - since) for call, since in self._shown)
        newest = _newest(picture, AT_COUNTER) or _newest(picture, _SERVED)
        return (Shown(newest),) if newest else ()

    def _fill(self, known: dict[tuple[str, int], Call], now: float, places: int) -> None:
        """Let calls from the line in: into free places, and those of calls that were shown long enough."""
        while self._line:
            following = _as_it_stands(self._line[0], known)
            if following is not None:
                if len(self._shown) >= places and now - self._shown[0][1] < self._dwell:
                    return
                self._shown = [*self._shown[max(len(self._shown) - places + 1, 0) :], (following, now)]
            self._line.popleft()


def _is_same_token(one: Call, other: Call) -> bool:
    return (one.department_id, one.token_id) == (other.department_id, other.token_id)


def _known(picture: Picture) -> dict[tuple[str, int], Call]:
    """The last call of each token, by the event that called it: those at counters, however long ago that was."""
    calls = [*(call for each in picture.departments for call in each.at_counters), *picture.calls]
    return {(call.department_id, call.seq): call for call in calls}


def _as_it_stands(call: Call, known: dict[tuple[str, int], Call]) -> Call | None:
    """The call in its present state; ``None`` when nobody is to come any more, as after a no-show."""
    found = known.get((call.department_id, call.seq))
    # A number served in one step was called all the same: it is to be seen.
    return found if found is not None and found.state in AT_COUNTER | _SERVED else None


def _newest(picture: Picture, states: frozenset[TokenState]) -> Call | None:
    return next((call for call in picture.calls if call.state in states), None)
