"""A department's finer settings, a line each: what it may be, what holds without it, and what it means.

Views, request bodies and the command line follow from these lines; what a setting does is the domain's (its ``Rules``).
"""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from typing_extensions import TypedDict

from tokenq.contract.notifications import LetterKind


class Setting(NamedTuple):
    """One setting. ``default`` is as people type it; a number lies between ``least`` and ``most``.

    ``zero`` is what 0 is called, where it is more than a number.
    """

    about: str
    default: str
    least: int = 0
    most: int = 0
    zero: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is a whole number."""
        return self.most > 0


_HOUR, _DAY = 3600, 1440  # in seconds, in minutes


class DepartmentSettings(TypedDict):
    """What an admin can settle about a department beyond its name, numbers and order, but for its hours."""

    numberStart: Annotated[int, Setting("the first number of a day", "1", 1, 900_000)]
    dailyCap: Annotated[int, Setting("numbers a day at most; 0: no limit", "0", 0, 900_000, zero="no limit")]
    lastTokenMinutes: Annotated[
        int, Setting("nobody is let in so many minutes before closing", "0", 0, 480, zero="until closing")
    ]
    minCalls: Annotated[int, Setting("calls before somebody may be marked as not come", "1", 1, 20)]
    maxCalls: Annotated[int, Setting("calls of one person at most; 0: no limit", "0", 0, 100, zero="no limit")]
    noShowGraceSeconds: Annotated[int, Setting("seconds between the last call and 'did not come'", "0", 0, _HOUR)]
    recallCooldownSeconds: Annotated[int, Setting("seconds between two calls of one person", "0", 0, _HOUR)]
    outOfOrderBy: Annotated[str, Setting("who may call somebody who is not next: staff, admin", "staff")]
    undoMinutes: Annotated[
        int, Setting("minutes in which a move can be taken back; 0: never", "5", 0, 60, zero="never")
    ]
    counters: Annotated[list[str], Setting("the counters that may call here, as 1,2,3", "any")]
    letters: Annotated[list[str], Setting(f"the letters it sends: {', '.join(LetterKind)}; all, none", "all")]
    nearTurn: Annotated[
        int, Setting("a letter when so many are left before; 0: for who asks", "0", 0, 50, zero="for who asks")
    ]
    serviceMinutes: Annotated[int, Setting("minutes one person takes, before a day has taught better", "10", 1, 480)]
    serviceLevelMinutes: Annotated[int, Setting("the service level: called within so many minutes", "15", 1, _DAY)]
    serviceLevelPercent: Annotated[int, Setting("the service level: so many percent of all", "80", 1, 100)]
    classNames: Annotated[
        dict[str, str], Setting("what the classes are called, as urgent:Emergency,normal:Walk-in", "none")
    ]


SETTINGS: Mapping[str, Setting] = {
    key: hint.__metadata__[0] for key, hint in DepartmentSettings.__annotations__.items()
}
"""The settings by their names on the wire."""
