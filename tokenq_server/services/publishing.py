"""Ports of the relay: the log and the topic."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Entry:
    """One log entry in its wire format."""

    department_id: str
    seq: int
    payload: str


@dataclass(frozen=True)
class Cursor:
    """The last published entry of a department, and its place in the topic (unknown at first)."""

    seq: int
    partition: int | None = None
    offset: int | None = None


@dataclass(frozen=True)
class Tail:
    """The end of the topic: the highest seq per department, and partitions that end earlier than expected.

    ``ids`` are the event ids of those entries: another event may have had the same seq. ``spots`` are their partitions
    and offsets.
    """

    found: dict[str, int]
    lost: set[int]
    ids: dict[str, str] = field(default_factory=dict)
    spots: dict[str, tuple[int, int]] = field(default_factory=dict)


def offsets(cursors: Mapping[str, Cursor]) -> dict[int, int]:
    """Return the last offset of each partition that the database knows of."""
    last: dict[int, int] = {}
    for cursor in cursors.values():
        if cursor.partition is not None and cursor.offset is not None:
            last[cursor.partition] = max(last.get(cursor.partition, -1), cursor.offset)
    return last


def event_id_of(payload: str) -> str:
    """Return the event id of an entry, or an empty string."""
    body = json.loads(payload)
    event_id = body.get("eventId") if isinstance(body, dict) else None
    return event_id if isinstance(event_id, str) else ""


class Fenced(Exception):
    """Another relay has taken over; this one must stop."""


class PublishFailed(Exception):
    """The broker did not accept everything; the relay must start again from what the topic contains."""


class EventLog(Protocol):
    """The outbox in Postgres, as seen by the relay."""

    async def take_over(self) -> None:
        """Wait for the relay lock, and fence off its previous holder."""

    async def cursors(self) -> dict[str, Cursor]:
        """Return the last published entry per department."""

    async def heads(self) -> dict[str, int]:
        """Return the last seq of every department's log."""

    async def event_ids(self, positions: Mapping[str, int]) -> dict[str, str]:
        """Return the event id of one entry per department, given by seq; missing if there is no such entry."""

    async def refill_starts(self) -> dict[str, int]:
        """Return the seq per department after which to publish again if the topic is empty."""

    async def set_cursors(self, cursors: dict[str, Cursor]) -> None:
        """Store cursors. Raises Fenced if another relay has taken over."""

    async def unpublished(self, limit: int) -> list[Entry]:
        """Return the next entries in seq order, at most ``limit`` per department, fewer if many have some."""

    async def growth(self, seconds: float) -> None:
        """Return when the log has grown, or after so many seconds: somebody may fail to tell."""

    async def close(self) -> None:
        """Release the relay lock."""


class Topic(Protocol):
    """The topic ``token-events``, as seen by the relay."""

    async def open(self) -> None:
        """Make sure that the topic exists. Raises PublishFailed."""

    async def read_back(self, cursors: Mapping[str, Cursor]) -> Tail:
        """Read every partition from the cursors to its end.

        Only entries that follow a department's cursor without a gap count. Raises PublishFailed.
        """

    async def publish(self, entries: Sequence[Entry]) -> dict[str, Cursor]:
        """Publish in order; return the new cursors once the broker has acknowledged all. Raises PublishFailed."""

    def abort(self) -> None:
        """Stop waiting for the broker: the relay is to stop."""

    async def close(self) -> None:
        """Close the connection to the broker."""
