"""A department: its settings, and the row that orders its events."""

from dataclasses import dataclass, field
from datetime import date

from tokenq.contract.enums import Priority
from tokenq.contract.names import MAIN_BRANCH
from tokenq_server.domain.hours import Hours
from tokenq_server.domain.numbering import DEFAULT_FORMAT
from tokenq_server.domain.policy import Policy, Turn
from tokenq_server.domain.rules import Rules


@dataclass(frozen=True)
class Department:
    """A department's settings. ``timezone``, ``rollover_hour`` and ``branch_hours`` come from the branch."""

    department_id: str
    name: str
    branch_id: str = MAIN_BRANCH
    timezone: str = "UTC"
    rollover_hour: int = 4
    is_open: bool = True
    prefix: str = ""
    number_format: str = DEFAULT_FORMAT
    policy: Policy = field(default_factory=Policy)
    rules: Rules = field(default_factory=Rules)
    branch_hours: Hours | None = None

    @property
    def hours(self) -> Hours | None:
        """The opening hours that apply: its own, else the branch's; ``None`` means always open."""
        return self.rules.hours if self.rules.hours is not None else self.branch_hours


@dataclass(frozen=True)
class DepartmentHead:
    """The head of a department's log: the day, the last number and seq, and the state of the interleaving.

    ``skipped`` counts the day's numbers that were left out because a live token of another day carries them.
    ``waiting`` counts the waiting tokens per class.
    """

    day: date
    last_no: int = 0
    last_seq: int = 0
    turn: Turn = field(default_factory=Turn)
    waiting: dict[Priority, int] = field(default_factory=dict)
    skipped: int = 0

    @property
    def given(self) -> int:
        """How many numbers have been issued today."""
        return self.last_no - self.skipped
