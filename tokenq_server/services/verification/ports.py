"""What verifying needs of the stores, for reading only."""

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
class Held:
    """What Postgres holds of a department beside its log.

    ``published`` is where the relay stands, ``spot`` the partition and offset of that record if they are known, and
    ``refilled_from`` after which seq it would fill an emptied topic again;
    ``changed_seq`` is the last entry about the department itself. ``rewound`` is the last entry by which the log went
    past what a restored database had forgotten, and its business day; ``None`` if there is none. Up to
    ``rewritten_seq``, entries may have been rewritten since they were published: words about people were taken out.
    """

    department: Department
    head: DepartmentHead
    published: int
    refilled_from: int
    changed_seq: int
    rewound: tuple[int, date] | None = None
    spot: tuple[int, int] | None = None
    rewritten_seq: int = 0
    is_archived: bool = False

    @property
    def id(self) -> str:
        """The department's id."""
        return self.department.department_id

    @property
    def rewound_seq(self) -> int:
        """The entry up to which the log is not the whole story; 0 if it is from the beginning."""
        return self.rewound[0] if self.rewound else 0

    def day_at(self, moment: datetime) -> date:
        """The business day of a moment, by the settings that hold now."""
        return business_day(moment, self.department.timezone, self.department.rollover_hour)


class Snapshot(Protocol):
    """Postgres as it was at one moment. Everything long comes in pieces. Raises LedgerDown."""

    async def departments(self) -> list[Held]:
        """Every department that has a log, by id."""

    def log(self, department_id: str) -> AsyncIterator[Sequence[Stored]]:
        """A department's log, in order."""

    def numbers(self, department_id: str) -> AsyncIterator[Sequence[tuple[date, int]]]:
        """Day and number of every token issued there, in that order."""

    async def rows(self, token_ids: Collection[int]) -> dict[int, TokenRow]:
        """Tokens by id."""

    async def waiting(self, department_id: str) -> dict[int, Place]:
        """Who waits."""

    async def since(self, department_id: str, seq: int) -> list[tuple[int, bool | None, Place]]:
        """What each entry after ``seq`` does to the line."""

    async def payloads(self, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], bytes]:
        """The events of entries, by department and seq."""

    def letters(self, department_ids: Collection[str]) -> AsyncIterator[Sequence[LetterRow]]:
        """Every letter, by token, department and seq."""

    def mailables(self, department_ids: Collection[str]) -> AsyncIterator[Sequence[Mailable]]:
        """Every entry of a kind that may call for a letter and whose token has an address."""

    async def buried(self, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """How often records of the topic, by partition and offset, lie in the dead-letter queue."""


class Books(Protocol):
    """Postgres, opened for reading only. Raises LedgerDown."""

    async def days(self) -> dict[str, date]:
        """The business day of every department, now."""

    async def heads(self) -> dict[str, int]:
        """The last seq of every department, now."""

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Hold on to what is true now."""


class Lines(Protocol):
    """The lines in Redis, for reading."""

    async def read(self, days: Mapping[str, date]) -> dict[str, LineCopy]:
        """A copy of every line that Redis knows, each read in one step. Raises LineDown."""


class TopicReader(Protocol):
    """The topic, for reading. Raises TopicAway."""

    async def taken(self) -> dict[int, int]:
        """Per partition, the offset up to which notify has dealt with the records."""

    async def find_ends(self) -> dict[int, tuple[int, int]]:
        """Fix the end up to which is read; answers per partition the first offset and that end."""

    def records(self) -> AsyncIterator[Sequence[TopicRecord]]:
        """Every record up to that end, a partition's in order."""


@dataclass(frozen=True)
class Strictness:
    """What must hold beyond what holds at every moment.

    ``at_rest``: nothing is in flight, so followers have caught up. ``letters_settled``: notify has, too.
    ``allowed_duplicates`` is how many records may lie in the topic twice (``None``: any number).
    """

    at_rest: bool = False
    letters_settled: bool = False
    allowed_duplicates: int | None = None
