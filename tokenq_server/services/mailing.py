"""What notify needs of the outside: the inbox, the primary queue, the dead-letter queue and a way to send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class InboxLost(Exception):
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
    """A letter to be sent: ``event`` is the wire event, ``recipient`` the address kept with the token."""

    department_id: str
    seq: int
    kind: str
    token_id: int
    recipient: str
    event: dict[str, Any]
    name: str | None
    department_name: str
    attempts: int


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
    token_id: int | None = None


@dataclass(frozen=True)
class Copy:
    """What of a dead letter goes into the dead-letter topic."""

    dlq_id: int
    reason: str
    error: str
    source: str
    raw: bytes


class Verdict(StrEnum):
    """How an attempt to send ended."""

    SENT = "sent"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True)
class Attempt:
    """The end of one attempt. ``is_ambiguous``: the server may have taken the letter although it did not say so."""

    verdict: Verdict
    error: str = ""
    is_ambiguous: bool = False


@dataclass(frozen=True)
class Letter:
    """A letter, ready to be sent; no text of a user's making is in any header."""

    message_id: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    file_name: str


class Mailer(Protocol):
    """Sends one letter."""

    async def send(self, letter: Letter) -> Attempt:
        """Try once; never raises for what a mail server does."""


class MailQueue(Protocol):
    """The primary queue and the dead-letter queue (Postgres)."""

    async def take_in(self, jobs: Sequence[NewJob], bad: Sequence[BadRecord]) -> int:
        """Keep all in one transaction; what is there already stays as it is.

        Answers how many of the jobs' events the log knows; the others are buried. Raises Refused when the store
        is away, or (``invalid``) cannot hold one of them.
        """

    async def claim(self, owner: str, limit: int) -> list[Job]:
        """Lease letters that are due; those of one token one after the other."""

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
