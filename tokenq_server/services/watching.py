"""What somebody who watches the system is shown of the stores."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tokenq.contract.enums import Priority
from tokenq_server.domain.wait_alarms import WaitAlarm, WaitFigures

Waits = Mapping[str, tuple[WaitFigures, Collection[WaitAlarm]]]
"""The waits per department, and which alarms are on."""


@dataclass(frozen=True)
class DepartmentFigures:
    """How many wait in a department, per class, and how many of its events are not yet published."""

    department_id: str
    waiting: Mapping[Priority, int]
    unpublished: int


@dataclass(frozen=True)
class StoreFigures:
    """All departments, and what is still to be published or sent.

    ``unpublished_for`` is how many seconds the oldest unpublished event has waited. Notifications are due if they are
    still to be sent, and overdue if they should have been tried more than a minute ago.
    """

    departments: Sequence[DepartmentFigures] = ()
    unpublished_for: float = 0.0
    letters_due: int = 0
    letters_overdue: int = 0
    dead_letters: int = 0
    dead_letters_not_kept: int = 0


class WatchStore(Protocol):
    """Read access for those who watch."""

    async def figures(self) -> StoreFigures:
        """Return the figures of now. Raises Refused."""
