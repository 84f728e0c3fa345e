"""What notify needs of the outside: the consumer, the primary queue, the dead-letter queue, and channels that send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar


class ConsumerLost(Exception):
    """The broker did not take or give what was asked; try again."""


@dataclass(frozen=True)
class RawRecord:
    """A record as it lies in the topic."""

    topic: str
    partition: int
    offset: int
    value: bytes


@dataclass(frozen=True)
class NewJob:
    """A letter that an event calls for."""

    department_id: str
    seq: int
    kind: str
    token_id: int
    source: RawRecord


@dataclass(frozen=True)
class BadRecord:
    """A record that is no event, and why."""

    source: RawRecord
    error: str


@dataclass(frozen=True)
class Job:
    """A letter to be sent: ``event`` is the wire event, ``recipient`` whom the channel named for it."""

    department_id: str
    seq: int
    kind: str
    channel: str
    token_id: int
    recipient: str
    event: dict[str, Any]
    name: str | None
    department_name: str
    attempts: int


@dataclass(frozen=True)
class Holder:
    """Who holds a token, as far as a channel may ask in order to reach them."""

    token_id: int
    department_id: str
    email: str | None
    user_id: int | None


@dataclass(frozen=True)
class DeadLetter:
    """One entry of the dead-letter queue."""

    dlq_id: int
    reason: str
    error: str
    at: datetime
    state: str
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    raw: bytes | None = None
    department_id: str | None = None
    seq: int | None = None
    kind: str | None = None
    channel: str | None = None
    token_id: int | None = None


@dataclass(frozen=True)
class Copy:
    """What of a dead letter goes into the dead-letter topic."""

    dlq_id: int
    reason: str
    error: str
    source: str
    raw: bytes
    channel: str | None = None


class Verdict(StrEnum):
    """How an attempt to send ended."""

    SENT = "sent"
    RETRY = "retry"
    PERMANENT = "permanent"


@dataclass(frozen=True)
class Attempt:
    """The end of one attempt. ``is_ambiguous``: the server may have taken the letter although it did not say so."""

    verdict: Verdict
    error: str = ""
    is_ambiguous: bool = False


_Message = TypeVar("_Message")


class Channel(Protocol[_Message]):
    """A way to reach the holder of a token."""

    @property
    def name(self) -> str:
        """What the queue calls it."""

    def recipient(self, holder: Holder) -> str | None:
        """Where the holder is reached; ``None``: not by this channel."""

    def render(self, job: Job) -> _Message:
        """The message, ready to be sent. Raises ValueError for one that must not be."""

    async def send(self, message: _Message) -> Attempt:
        """Try once; never raises for what the other side does."""


Channels = Sequence[Channel[Any]]


class NotificationQueue(Protocol):
    """The primary queue and the dead-letter queue (Postgres)."""

    async def enqueue(self, jobs: Sequence[NewJob], bad: Sequence[BadRecord], channels: Channels) -> int:
        """Keep all in one transaction, a job for each channel that reaches the holder; what is there already stays.

        Answers how many of the jobs' events the log knows; the others are buried. Raises Refused when the store
        is away, or (``invalid``) cannot hold one of them.
        """

    async def claim(self, owner: str, limit: int, channels: Channels) -> list[Job]:
        """Lease letters that are due in these channels; those of one token and channel one after the other."""

    async def settle(self, job: Job, attempt: Attempt, owner: str, next_try: float | None) -> None:
        """Note how it ended: sent, due again in ``next_try`` seconds, or dead."""

    async def uncopied(self, limit: int) -> list[Copy]:
        """Dead letters whose copy is not in the dead-letter topic yet."""

    async def mark_copied(self, dlq_ids: Sequence[int]) -> None:
        """Their copies are there."""

    async def dead_letters(self) -> list[DeadLetter]:
        """The open entries of the dead-letter queue, oldest first."""

    async def dead_letter(self, dlq_id: int) -> DeadLetter | None:
        """One entry."""

    async def revive(self, dlq_id: int) -> bool:
        """Make a dead letter due again; False if there is no such open entry."""

    async def drop(self, dlq_id: int) -> bool:
        """Close an entry for good; False if there is no such open entry."""
