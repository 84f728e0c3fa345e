"""A department's settings, one line each: allowed values, default and description.

Views, request bodies and the command line are derived from these lines; the domain's ``Rules`` implement them.
"""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from typing_extensions import TypedDict

from tokenq.contract.enums import Admission, DayEnd, Role, SelfService
from tokenq.contract.notifications import LetterKind


class Setting(NamedTuple):
    """One setting. ``default`` is spelled as people type it; a number lies between ``least`` and ``most``.

    ``zero`` is the word shown for 0, if 0 has a special meaning. ``choices`` are the words it may have, if it is one.
    """

    about: str
    default: str
    least: int = 0
    most: int = 0
    zero: str = ""
    choices: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether it is a whole number."""
        return self.most > 0


_HOUR, _DAY = 3600, 1440  # in seconds, in minutes
CALLERS_OUT_OF_ORDER = (Role.STAFF, Role.ADMIN)


class DepartmentSettings(TypedDict):
    """What an admin can set for a department besides its name, numbers, order and hours."""

    numberStart: Annotated[int, Setting("first number of the day", "1", 1, 900_000)]
    dailyCap: Annotated[int, Setting("maximum numbers per day; 0: no limit", "0", 0, 900_000, zero="no limit")]
    lastTokenMinutes: Annotated[
        int, Setting("stop issuing this many minutes before closing", "0", 0, 480, zero="until closing")
    ]
    admission: Annotated[
        str,
        Setting(
            "refuse new customers by: hours, capacity (also until closing), off", "hours", choices=tuple(Admission)
        ),
    ]
    selfService: Annotated[
        str, Setting("people take numbers with their phones: on, off", "off", choices=tuple(SelfService))
    ]
    minCalls: Annotated[int, Setting("calls required before a no-show", "1", 1, 20)]
    maxCalls: Annotated[int, Setting("maximum calls per token; 0: no limit", "0", 0, 100, zero="no limit")]
    noShowGraceSeconds: Annotated[int, Setting("minimum seconds between the last call and a no-show", "0", 0, _HOUR)]
    recallCooldownSeconds: Annotated[int, Setting("minimum seconds between two calls of one token", "0", 0, _HOUR)]
    outOfOrderBy: Annotated[
        str, Setting("who may call out of order: staff, admin", "staff", choices=CALLERS_OUT_OF_ORDER)
    ]
    dayEnd: Annotated[
        str, Setting("waiting and parked tokens at the end of the day: expire, keep", "expire", choices=tuple(DayEnd))
    ]
    undoMinutes: Annotated[
        int, Setting("minutes during which a move can be undone; 0: never", "5", 0, 60, zero="never")
    ]
    counters: Annotated[list[str], Setting("counters that may call here, such as 1,2,3", "any")]
    letters: Annotated[list[str], Setting(f"e-mails it sends: {', '.join(LetterKind)}; all, none", "all")]
    nearTurn: Annotated[int, Setting("notify when this many are ahead; 0: on request", "0", 0, 50, zero="on request")]
    serviceMinutes: Annotated[
        int, Setting("minutes per customer, until the day provides its own figures", "10", 1, 480)
    ]
    forgottenMinutes: Annotated[
        int,
        Setting("minutes after which a call or service is shown as forgotten; 0: never", "120", 0, _DAY, zero="never"),
    ]
    longestWaitMinutes: Annotated[
        int,
        Setting("alarm when a customer has waited more than this many minutes; 0: never", "0", 0, _DAY, zero="never"),
    ]
    serviceLevelMinutes: Annotated[int, Setting("service level: called within this many minutes", "15", 1, _DAY)]
    serviceLevelPercent: Annotated[int, Setting("service level: target percentage of customers", "80", 1, 100)]
    classNames: Annotated[
        dict[str, str], Setting("display names of the classes, such as urgent:Emergency,normal:Walk-in", "none")
    ]


SETTINGS: Mapping[str, Setting] = {
    key: hint.__metadata__[0] for key, hint in DepartmentSettings.__annotations__.items()
}
"""The settings by their names on the wire."""
