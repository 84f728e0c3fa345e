"""Where a board's items come from, and what they are: read from the topic or from the server, one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tokenq.contract.board_views import BoardView
from tokenq.contract.events import Event


class Link(StrEnum):
    """How the reader stands to the broker or the server."""

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
    """The link is now ``link``; ``why`` is a sentence for a person (may be empty).

    ``todo`` says in one line what somebody must do; without it, the link comes back by itself.
    """

    link: Link
    why: str = ""
    todo: str = ""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that was in the log has been read; what comes now is news."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """The log is read from the start of the window again: what was read before is void."""


@dataclass(frozen=True, slots=True)
class Began:
    """Everything begins anew with this state of the server; what comes now is news."""

    state: BoardView


@dataclass(frozen=True, slots=True)
class WaitsChanged:
    """The expected waits of new customers, in minutes by department; those that are unknown are missing."""

    waits: Mapping[str, tuple[int, int]]


Item = Arrived | Skipped | LinkChanged | CaughtUp | Rewound | Began | WaitsChanged


class Source(Protocol):
    """Where items come from; for one thread. It survives every loss of its broker or server by itself.

    After every loss it goes on without gap, or begins anew by ``Rewound`` or ``Began``.
    """

    @property
    def heard_at(self) -> float | None:
        """When the broker or the server last answered, as ``time.monotonic()``; ``None`` before the first time."""

    def read(self, timeout: float) -> Item | None:
        """Return the next item, or ``None`` after ``timeout`` seconds."""

    def read_again(self) -> None:
        """Begin anew: the reader has missed something."""

    def close(self) -> None:
        """Close the source; nothing can be read afterwards."""
