"""Which call the board shows big: each new one for a minimum time, so that two at once are both seen."""

from collections import deque

from tokenq_tui.board.state import Call, Picture

DWELL = 4.0
"""Seconds that a new call stays big before the next new one may take its place."""
FRESH = 12.0
"""Seconds for which a call is highlighted when no other follows."""
_LONGEST_LINE = 8


class Announcer:
    """The line of new calls waiting to be shown big. Times are seconds of any steady clock."""

    def __init__(self) -> None:
        self._line: deque[Call] = deque(maxlen=_LONGEST_LINE)
        self._shown: Call | None = None
        self._since = 0.0

    def announce(self, call: Call) -> None:
        """Put a new call at the end of the line; far too many at once drop the oldest."""
        self._line.append(call)

    def current(self, picture: Picture, now: float) -> tuple[Call | None, float | None]:
        """The call to show big and for how many seconds it has been new (``None`` when it is not any more)."""
        revoked = self._shown is not None and not _is_among(self._shown, picture.calls)
        if self._line and (self._shown is None or revoked or now - self._since >= DWELL):
            self._shown, self._since = self._line.popleft(), now
        elif revoked:
            self._shown = None
        newest = picture.calls[0] if picture.calls else None
        if self._shown is None:
            return newest, None
        if now - self._since < FRESH:
            return self._shown, now - self._since
        # Calls of the same second have no order: the one announced last stays.
        return (newest if newest is not None and newest.at > self._shown.at else self._shown), None

    @property
    def is_busy(self) -> bool:
        """Whether calls still wait to be shown."""
        return bool(self._line)


def _is_among(call: Call, calls: tuple[Call, ...]) -> bool:
    return any((call.department_id, call.seq) == (other.department_id, other.seq) for other in calls)
