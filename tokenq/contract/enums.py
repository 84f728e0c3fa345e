"""The closed lists of words: states, priorities, roles and the places a token can return to."""

from enum import StrEnum


class TokenState(StrEnum):
    """Where a token is in its life."""

    WAITING = "WAITING"
    CALLED = "CALLED"
    SERVING = "SERVING"
    PARKED = "PARKED"
    SERVED = "SERVED"
    NO_SHOW = "NO_SHOW"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


LIVE = frozenset({TokenState.WAITING, TokenState.CALLED, TokenState.SERVING, TokenState.PARKED})
"""States of a token that still needs somebody's attention."""

AT_COUNTER = frozenset({TokenState.CALLED, TokenState.SERVING})
"""States in which a token occupies a counter."""


class Priority(StrEnum):
    """A token's class; inside a class the line is first in, first out."""

    NORMAL = "normal"
    PRIORITY = "priority"
    URGENT = "urgent"


class Role(StrEnum):
    """What a person or a key may do."""

    ADMIN = "admin"
    STAFF = "staff"
    DESK = "desk"
    BOARD = "board"
    CUSTOMER = "customer"


USER_ROLES = frozenset({Role.ADMIN, Role.STAFF, Role.DESK, Role.CUSTOMER})
"""The roles that a person may have; a board is a machine and has a key."""


class RequeuePosition(StrEnum):
    """Where a token that returns to a queue, or is transferred to one, goes in its class."""

    FIRST = "first"
    LAST = "last"
    ORIGINAL = "original"


class Admission(StrEnum):
    """What may refuse a new customer besides a closed department and the daily cap.

    The opening hours; also the counters' capacity until closing; nothing.
    """

    HOURS = "hours"
    CAPACITY = "capacity"
    OFF = "off"


class SelfService(StrEnum):
    """Whether people take their numbers themselves, in the lobby's page, without a login."""

    OFF = "off"
    ON = "on"


class DayEnd(StrEnum):
    """What becomes of waiting and parked tokens at the end of the business day."""

    EXPIRE = "expire"
    KEEP = "keep"


class CounterState(StrEnum):
    """Whether a counter takes people."""

    OPEN = "OPEN"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"


class ReportBy(StrEnum):
    """What the rows of a report stand for."""

    DAY = "day"
    WEEK = "week"
    HOUR = "hour"
    WEEKDAY = "weekday"
    DEPARTMENT = "department"
    COUNTER = "counter"
    OPERATOR = "operator"
