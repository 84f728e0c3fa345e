"""Which events of a department a board believes: those whose numbers follow each other.

A record whose number jumps ahead may be forged, and believing it would hide everything that really follows. So it is
kept aside: as long as the next number comes, the jump was a lie. Only if others follow the jump instead are the events
in between taken for lost; should the older numbers go on after all, the board returns to them.
Nothing but permissions on the topic stops a forged *next* number.
"""

from copy import deepcopy

from tokenq.board.department import Department
from tokenq.board.picture import Call
from tokenq.contract.events import Event

BELIEVED_AFTER = 2
"""How many events in a row are believed without one before them."""

_SETTLED_AFTER = 50
"""After how many events beyond a gap there is no way back."""
_MOST_RUNS = 4


class NumberedLog:
    """The events of one department in their numbering; ``department`` is what they add up to."""

    def __init__(self, department: Department, *, is_proven: bool = False) -> None:
        """``is_proven``: the state comes from the server, so that nothing older can be missing."""
        self.department = department
        self._is_proven = is_proven
        self._before: Department | None = None
        self._ahead: list[list[Event]] = []
        self.gaps = 0

    @property
    def is_doubtful(self) -> bool:
        """Whether events may be missing: some are kept aside, or were taken for lost on this business day."""
        return bool(self._ahead) or self.department.is_incomplete

    def holds(self, event: Event) -> bool:
        """Whether an event is kept aside, because others before it are missing."""
        return any(run[0].seq <= event.seq <= run[-1].seq for run in self._ahead)

    def take(self, event: Event) -> Call | None:
        """Take an event in if its number is the next one; return the call that it makes or repeats, if it does."""
        now, before = self.department, self._before
        if before is not None and event.seq == before.seen + 1 != now.seen + 1:
            self.department, self._before = before, now  # what came after the jump was a lie, or comes again
        elif now.seen and event.seq > now.seen + 1:
            return self._take_ahead(event)
        elif now.seen and event.seq <= now.seen:
            if event.seq >= now.first or self._is_settled():
                return None  # repeated, or old
            self._before, self.department = now, Department(event.timestamp)  # the only event so far may be the lie
        self._ahead.clear()
        if before is not None and self.department.seen - self.department.first >= _SETTLED_AFTER:
            self._before = None
        return self.department.take(event)

    def _is_settled(self) -> bool:
        return self._is_proven or self.department.seen - self.department.first >= BELIEVED_AFTER - 1

    def _take_ahead(self, event: Event) -> Call | None:
        """Keep an event aside; believe it and those before it once they are enough."""
        if self.holds(event):
            return None
        run = next((run for run in self._ahead if run[-1].seq + 1 == event.seq), None)
        if run is None:
            self._ahead = [*self._ahead, [event]][-_MOST_RUNS:]
            return None
        run.append(event)
        return self._believe(run) if len(run) >= BELIEVED_AFTER else None

    def _believe(self, run: list[Event]) -> Call | None:
        """Go on behind the gap, with everybody who was there before it."""
        if self._before is None:
            self._before = deepcopy(self.department)
        self.gaps += 1
        self._ahead.clear()
        self.department.first = run[0].seq
        calls = [self.department.take(event) for event in run]
        self.department.is_incomplete = True
        return next((call for call in reversed(calls) if call is not None), None)
