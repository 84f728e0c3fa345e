"""What the board knows: a fold over events, without any drawing.

Of each department the events count whose numbers follow each other (``numbering``), so a repeated event changes nothing
and the order between departments does not matter.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Self

from tokenq.board.beginning import department_of
from tokenq.board.department import Department, newest_first
from tokenq.board.numbering import NumberedLog
from tokenq.board.picture import Call, Picture
from tokenq.contract.board_views import BoardView
from tokenq.contract.events import Event
from tokenq.contract.names import DEPARTMENT_ID

_VALID_ID = re.compile(DEPARTMENT_ID)


class Fold:
    """The state after all events applied so far; ``only`` limits it to these departments (empty: all)."""

    def __init__(self, only: Iterable[str] = ()) -> None:
        self._only = frozenset(only)
        self._logs: dict[str, NumberedLog] = {}

    @classmethod
    def beginning_with(cls, view: BoardView, only: Iterable[str] = ()) -> Self:
        """The fold of all events that are in the server's state of a branch."""
        fold = cls(only)
        for each in view["departments"]:
            department_id = each["departmentId"]
            if fold._is_wanted(department_id):
                fold._logs[department_id] = NumberedLog(department_of(each, view), is_proven=True)
        return fold

    def apply(self, event: Event) -> Call | None:
        """Take one event in; the answer is the call that it makes or repeats, if it does."""
        if not self._is_wanted(event.department_id) or not event.seq:
            return None
        log = self._logs.get(event.department_id)
        if log is None:
            log = self._logs[event.department_id] = NumberedLog(Department(event.timestamp))
        return log.take(event)

    def holds(self, event: Event) -> bool:
        """Whether an event was kept aside, because events before it are missing."""
        log = self._logs.get(event.department_id)
        return log is not None and log.holds(event)

    @property
    def gaps(self) -> int:
        """How often events were taken for lost because a department's numbering went on behind them."""
        return sum(log.gaps for log in self._logs.values())

    def picture(self, now: datetime) -> Picture:
        """What to show at the local time ``now``; departments whose business day is over show nothing."""
        known = {key: log.department for key, log in sorted(self._logs.items())}
        shown = {key: department for key, department in known.items() if department.is_shown(now)}
        places = [department.place for department in (shown or known).values()]
        calls = [call for department in shown.values() for call in department.recent.values()]
        return Picture(
            tuple(department.picture(key, now) for key, department in shown.items()),
            tuple(sorted(calls, key=newest_first)),
            self.gaps,
            _only_one({place.timezone for place in places}),
            tuple(sorted(self._only - {key for key, department in known.items() if not department.is_gone})),
            tuple(sorted({name for department in shown.values() for name in department.unknown_events})),
            tuple(key for key in shown if self._logs[key].is_doubtful),
            _only_one({place.branch_name for place in places}),
            tuple(dict.fromkeys(tag for place in places for tag in place.languages)),
        )

    def _is_wanted(self, department_id: str) -> bool:
        return (not self._only or department_id in self._only) and bool(_VALID_ID.match(department_id))


def _only_one(names: set[str]) -> str:
    """The one that there is; empty if there are several."""
    known = names - {""}
    return known.pop() if len(known) == 1 else ""
