"""What a board shows at one moment, frozen. Screens and pages draw it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tokenq.contract.enums import TokenState


@dataclass(frozen=True, slots=True)
class Call:
    """One number called to one counter. ``times`` counts the first call and its repeats."""

    event_id: str
    department_id: str
    seq: int
    token_id: int
    number: str
    counter: str
    at: datetime
    times: int = 1
    state: TokenState = TokenState.CALLED


@dataclass(frozen=True, slots=True)
class DepartmentPicture:
    """One department as it is shown: who is at which counter (newest first) and how many wait.

    ``recent`` are its last calls, newest first, those that are over among them. ``hours`` are today's, ``None`` where
    there are none; ``paused`` are the counters that call nobody now. ``expired`` counts who was still waiting when the
    last day ended, for some hours. ``counter_words`` is what its branch calls a counter, by language.
    """

    department_id: str
    business_day: str
    waiting: int
    at_counters: tuple[Call, ...]
    recent: tuple[Call, ...]
    last_event_at: datetime
    name: str = ""
    is_closed: bool = False
    hours: tuple[str, ...] | None = None
    paused: tuple[str, ...] = ()
    expired: int = 0
    counter_words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything the board shows, frozen. ``calls`` are the last ones of all departments, newest first.

    ``timezone`` is that of all departments; empty, which is this machine's, where it was not told or they differ.
    ``unknown`` are the departments that were asked for and of which nothing was ever told. ``unknown_events`` are types
    of events that were not understood today: who waits may be others than shown. ``doubtful`` are the departments of
    which events may be missing. ``site`` is the name of the branch, empty if it is not known or there are several;
    ``languages`` are those of the branches, in their order.
    """

    departments: tuple[DepartmentPicture, ...] = ()
    calls: tuple[Call, ...] = ()
    gaps: int = 0
    timezone: str = ""
    unknown: tuple[str, ...] = ()
    unknown_events: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    site: str = ""
    languages: tuple[str, ...] = ()

    def department(self, department_id: str) -> DepartmentPicture | None:
        """The department with this id; ``None`` if it is not shown."""
        return next((each for each in self.departments if each.department_id == department_id), None)


NOTHING = Picture()
"""The picture before anything is known."""
