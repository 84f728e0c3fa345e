"""What a server names or says by closed lists, in English; an edge says the same in another language."""

from collections.abc import Mapping

from tokenq.contract.enums import Priority, TokenState

STATES: Mapping[str, str] = {
    TokenState.WAITING: "waiting",
    TokenState.CALLED: "called",
    TokenState.SERVING: "in service",
    TokenState.PARKED: "parked",
    TokenState.SERVED: "served",
    TokenState.NO_SHOW: "no-show",
    TokenState.CANCELLED: "cancelled",
    TokenState.EXPIRED: "expired",
}
CLASSES: Mapping[str, str] = {
    Priority.NORMAL: "normal",
    Priority.PRIORITY: "priority",
    Priority.URGENT: "urgent",
}

FIRST_IN_LINE = "first in line"
FIRST_URGENT = "urgent goes first"
FIRST_OF_CLASS = "first of the {priority} class, by the ratio {ratio} of priority to normal"
OVERDUE = "waited longer than {minutes} minutes, the department's maximum"
NOTHING_KNOWN = "nothing is known yet"
NO_COUNTER = "no counter is open"
VAGUE = "the wait varies too much to estimate"

REASONS = (FIRST_IN_LINE, FIRST_URGENT, FIRST_OF_CLASS, OVERDUE, NOTHING_KNOWN, NO_COUNTER, VAGUE)
"""Why somebody is called next, and why a wait is unknown; ``nextReason`` and ``estimate.reason`` are one of them."""
