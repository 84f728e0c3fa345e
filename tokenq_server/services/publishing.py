"""What the relay needs of the log and of the topic."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Entry:
    """One log entry as it goes on the wire."""

    department_id: str
    seq: int
    payload: str


@dataclass(frozen=True)
class Cursor:
    """What was published last of a department, and where in the topic it went (unknown at first)."""

    seq: int
    partition: int | None = None
    offset: int | None = None


@dataclass(frozen=True)
class Tail:
    """What the topic holds: the highest seq found per department, and partitions that end before they should.

    ``ids`` are the event ids of those highest ones: another event may have had the same seq. ``spots`` tells the
    partition and the offset at which they lie.
    """

    found: dict[str, int]
    lost: set[int]
    ids: dict[str, str] = field(default_factory=dict)
    spots: dict[str, tuple[int, int]] = field(default_factory=dict)


def offsets(cursors: Mapping[str, Cursor]) -> dict[int, int]:
    """The last offset of each partition that the database knows of."""
    found: dict[int, int] = {}
    for cursor in cursors.values():
        if cursor.partition is not None and cursor.offset is not None:
            found[cursor.partition] = max(found.get(cursor.partition, -1), cursor.offset)
    return found


def event_id_of(payload: str) -> str:
    """The event id of an entry; empty if it has none."""
    body = json.loads(payload)
    found = body.get("eventId") if isinstance(body, dict) else None
    return found if isinstance(found, str) else ""


class Fenced(Exception):
    """Another relay has taken over; this one must stop."""


class PublishFailed(Exception):
    """The broker did not take everything; the relay must begin again from what the topic holds."""


class EventLog(Protocol):
    """The outbox in Postgres, seen by the relay."""

    async def take_over(self) -> None:
        """Wait for the one relay's place, and fence off whoever had it before."""

    async def cursors(self) -> dict[str, Cursor]:
        """What was published last, per department."""

    async def heads(self) -> dict[str, int]:
        """The last seq of every department's log."""

    async def event_ids(self, positions: Mapping[str, int]) -> dict[str, str]:
        """The event id of one entry per department, given by seq; departments without that entry are missing."""

    async def refill_starts(self) -> dict[str, int]:
        """The seq after which to publish again, per department, when the topic has lost everything."""

    async def set_cursors(self, cursors: dict[str, Cursor]) -> None:
        """Move cursors. Raises Fenced if another relay has taken over."""

    async def unpublished(self, limit: int) -> list[Entry]:
        """The next entries per department, in seq order, at most ``limit`` a department; fewer where many have some."""

    async def close(self) -> None:
        """Give the place back."""


class Topic(Protocol):
    """The topic ``token-events``, seen by the relay."""

    async def open(self) -> None:
        """Make sure the topic is there. Raises PublishFailed."""

    async def read_back(self, cursors: Mapping[str, Cursor]) -> Tail:
        """Read every partition from where the cursors end up to its end.

        Only what follows a department's cursor without a gap is found. Raises PublishFailed.
        """

    async def publish(self, entries: Sequence[Entry]) -> dict[str, Cursor]:
        """Publish all, in order; answer the new cursors once the broker acknowledged all. Raises PublishFailed."""

    def abort(self) -> None:
        """Give up waiting for the broker: the relay is told to stop."""

    async def close(self) -> None:
        """Let go of the broker."""
