"""What a reader of the topic gets, item by item."""

from dataclasses import dataclass
from enum import StrEnum

from tokenq.contract.events import Event


class Link(StrEnum):
    """How the reader stands to the broker."""

    CONNECTING = "connecting"
    NO_TOPIC = "no topic"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Arrived:
    """One event. ``delay`` is how long after it happened it was published, in seconds of the server's clock."""

    event: Event
    delay: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """One record that is no event; ``why`` is a sentence and may hold hostile text."""

    why: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The link is now ``link``; ``why`` is a sentence for a person (may be empty)."""

    link: Link
    why: str = ""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that was in the log has been read; what comes now is news."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """The log is read from the start of the window again: what was read before is void."""


Item = Arrived | Skipped | LinkChanged | CaughtUp | Rewound
