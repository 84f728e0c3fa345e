"""Ports of notify: the consumer, the primary queue, the dead-letter queue, and channels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar


class ConsumerLost(Exception):
    """The broker did not accept or return what was requested; try again."""


@dataclass(frozen=True)
class RawRecord:
    """A record of the topic."""

    topic: str
    partition: int
    offset: int
    value: bytes


@dataclass(frozen=True)
class NewJob:
    """A notification that an event requires."""

    department_id: str
    seq: int
    kind: str
    token_id: int
    source: RawRecord


@dataclass(frozen=True)
class BadRecord:
    """A record that is no valid event, and why."""

    source: RawRecord
    error: str


@dataclass(frozen=True)
class Job:
    """A notification to send: ``event`` is the wire event, ``recipient`` the address that the channel chose.

    ``language`` is the customer's or the branch's, ``counter_words`` what the branch calls a counter, ``email`` the
    token's address now.
    """

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
    email: str | None = None
    language: str = "en"
    counter_words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClaimedJobs:
    """The due notifications that a sender got: those to send, and those that will never be sent, being overtaken."""

    to_send: list[Job]
    overtaken: list[Job]

    def __len__(self) -> int:
        return len(self.to_send) + len(self.overtaken)


@dataclass(frozen=True)
class Holder:
    """The holder of a token, as far as a channel needs to know in order to reach them."""

    token_id: int
    department_id: str
    email: str | None
    user_id: int | None


@dataclass(frozen=True)
class DeadLetter:
    """An entry of the dead-letter queue."""

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
    """The part of a dead letter that is copied to the dead-letter topic."""

    dlq_id: int
    reason: str
    error: str
    source: str
    raw: bytes
    channel: str | None = None


class Verdict(StrEnum):
    """The result of an attempt to send."""

    SENT = "sent"
    RETRY = "retry"
    PERMANENT = "permanent"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True)
class Attempt:
    """A finished attempt. ``is_ambiguous``: the server may have accepted the message without confirming it."""

    verdict: Verdict
    error: str = ""
    is_ambiguous: bool = False


@dataclass(frozen=True)
class Settlement:
    """What to store about an attempt at a job. ``next_try``: seconds after which it is due again, if it was not sent.

    ``None``: it is not tried again.
    """

    job: Job
    attempt: Attempt
    next_try: float | None = None


_Message = TypeVar("_Message")


class Channel(Protocol[_Message]):
    """A way to reach the holder of a token."""

    @property
    def name(self) -> str:
        """The channel's name in the queue."""

    def recipient(self, holder: Holder) -> str | None:
        """Return the holder's address in this channel; ``None`` if the channel does not reach them."""

    def render(self, job: Job) -> _Message:
        """Return the message ready to send. Raises ValueError if it must not be sent."""

    async def send(self, message: _Message) -> Attempt:
        """Try once to send; never raises for errors of the other side."""

    async def close(self) -> None:
        """Close what is kept open for the next message."""


Channels = Sequence[Channel[Any]]


class NotificationQueue(Protocol):
    """The primary queue and the dead-letter queue (Postgres)."""

    async def enqueue(self, jobs: Sequence[NewJob], bad: Sequence[BadRecord], channels: Channels) -> int:
        """Store everything in one transaction, a job per channel that reaches the holder; existing jobs are kept.

        Returns how many of the jobs' events are in the log; the others become dead letters. Raises Refused if the store
        is unavailable, or (``invalid``) cannot store one of them.
        """

    async def claim(self, owner: str, limit: int, channels: Channels) -> ClaimedJobs:
        """Lease notifications that are due in these channels; per token and channel, one after the other.

        What an overtaken one says is no longer true of its token (``contract/notifications.py``): it is settled.
        """

    async def settle(self, settlements: Sequence[Settlement], owner: str) -> None:
        """Store results in one transaction: sent, due again, or dead; of jobs that ``owner`` still leases."""

    async def give_back(self, jobs: Sequence[Job], owner: str) -> None:
        """Make jobs that ``owner`` has claimed and not tried due again, as if they had not been claimed."""

    async def uncopied(self, limit: int) -> list[Copy]:
        """Return dead letters that have not been copied to the dead-letter topic."""

    async def mark_copied(self, dlq_ids: Sequence[int]) -> None:
        """Mark dead letters as copied."""

    async def dead_letters(self) -> list[DeadLetter]:
        """Return the open entries of the dead-letter queue, oldest first."""

    async def dead_letter(self, dlq_id: int) -> DeadLetter | None:
        """One entry."""

    async def revive(self, dlq_id: int) -> bool:
        """Make a dead letter due again; return False if there is no such open entry."""

    async def drop(self, dlq_id: int) -> bool:
        """Close an entry for good; return False if there is no such open entry."""
