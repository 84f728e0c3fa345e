"""Ports of the verifier, for reading only."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.department import Department, DepartmentHead
from tokenq_server.domain.invariants.department_head import LineCopy, Place
from tokenq_server.domain.invariants.entries import Stored, TokenRow
from tokenq_server.domain.invariants.mail import LetterRow, Mailable
from tokenq_server.domain.invariants.topic import TopicRecord


class TopicAway(Exception):
    """The topic cannot be read now."""


@dataclass(frozen=True)
class DepartmentState:
    """A department's state in Postgres, besides its log.

    ``published`` is the relay's cursor, ``spot`` the partition and offset of that record if known, and
    ``refilled_from`` the seq after which it would refill an emptied topic. ``changed_seq`` is the last entry about the
    department itself. ``rewound`` is the last entry by which the log passed what a restored database had lost, and its
    business day; ``None`` if it was never rewound. Up to ``rewritten_seq``, entries may have been rewritten since they
    were published: free text was removed. Up to ``log_floor``, entries are deleted; ``log_floor_day`` is the last
    business day of which the log lacks any.
    """

    department: Department
    head: DepartmentHead
    published: int
    refilled_from: int
    changed_seq: int
    rewound: tuple[int, date] | None = None
    spot: tuple[int, int] | None = None
    rewritten_seq: int = 0
    log_floor: int = 0
    log_floor_day: date = date.min
    is_archived: bool = False

    @property
    def id(self) -> str:
        """The department's id."""
        return self.department.department_id

    @property
    def rewound_seq(self) -> int:
        """The entry up to which the log is incomplete; 0 if it is complete."""
        return self.rewound[0] if self.rewound else 0

    def day_at(self, moment: datetime) -> date:
        """Return the business day of a time under the current settings."""
        return business_day(moment, self.department.timezone, self.department.rollover_hour)


class Snapshot(Protocol):
    """Postgres at one moment. Long results come in chunks. Raises LedgerDown."""

    async def departments(self) -> list[DepartmentState]:
        """Return every department that has a log, by id."""

    def log(self, department_id: str) -> AsyncIterator[Sequence[Stored]]:
        """Yield a department's log, in order."""

    def numbers(self, department_id: str) -> AsyncIterator[Sequence[tuple[date, int]]]:
        """Yield day and number of every token issued there, in that order."""

    async def rows(self, token_ids: Collection[int]) -> dict[int, TokenRow]:
        """Return tokens by id."""

    async def waiting(self, department_id: str) -> dict[int, Place]:
        """Who waits."""

    async def since(self, department_id: str, seq: int) -> list[tuple[int, bool | None, Place]]:
        """Return the effect of each entry after ``seq`` on the queue."""

    async def payloads(self, entries: Collection[tuple[str, int]]) -> dict[tuple[str, int], tuple[bytes, bool]]:
        """Return the events of entries, by department and seq, and whether a person was erased from them."""

    def letters(self, department_ids: Collection[str]) -> AsyncIterator[Sequence[LetterRow]]:
        """Yield every notification, by token, department and seq."""

    def mailables(self, department_ids: Collection[str]) -> AsyncIterator[Sequence[Mailable]]:
        """Yield every entry that may require a notification and whose token has an address."""

    async def buried(self, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """Return how often records of the topic, by partition and offset, are in the dead-letter queue."""


class Snapshots(Protocol):
    """Postgres, opened for reading only. Raises LedgerDown."""

    async def days(self) -> dict[str, date]:
        """Return the current business day of every department."""

    async def heads(self) -> dict[str, int]:
        """Return the current last seq of every department."""

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Open a snapshot of the current state."""


class Lines(Protocol):
    """The queues in Redis, for reading."""

    async def read(self, days: Mapping[str, date]) -> dict[str, LineCopy]:
        """Return a copy of every queue in Redis, each read in one step. Raises LineDown."""


class TopicReader(Protocol):
    """The topic, for reading. Raises TopicAway."""

    async def taken(self) -> dict[int, int]:
        """Return the offset per partition up to which notify has processed the records."""

    async def find_ends(self) -> dict[int, tuple[int, int]]:
        """Fix the end of reading; return the first offset and that end per partition."""

    def records(self) -> AsyncIterator[Sequence[TopicRecord]]:
        """Yield every record up to that end, a partition's in order."""


@dataclass(frozen=True)
class VerifyOptions:
    """What must hold beyond what always holds.

    ``at_rest``: nothing is in flight, so followers have caught up. ``letters_settled``: notify has, too.
    ``allowed_duplicates`` is how many records may be in the topic twice (``None``: any number).
    """

    at_rest: bool = False
    letters_settled: bool = False
    allowed_duplicates: int | None = None
