"""Ports of recovery; adapters implement them, and bootstrap opens them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from tokenq.contract.events import Event
from tokenq_server.domain.department import Department
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.token import Token
from tokenq_server.services.ports import IdempotencyRecord, LineEntry, Loaded, LoadPlan, Locked, WaitingLine
from tokenq_server.services.publishing import Cursor, Tail

PATIENCE = 5.0
"""Seconds after which an optional store that does not answer is skipped, since programs wait to start."""
PATIENCE_EMBEDDED = 20.0
"""The same under ``tokenq up``: only its Redis knows what an older database has lost."""


class Log(Protocol):
    """The departments' logs in Postgres, and what was published of them. Raises LedgerDown."""

    async def take_over(self, patience: float) -> None:
        """Take the relay lock, so that nothing is published meanwhile.

        Raises:
            LedgerRefused: ``LOCKED``; the lock was not released within ``patience`` seconds.
        """

    async def cursors(self) -> dict[str, Cursor]:
        """Return the last published entry per department."""

    async def heads(self) -> dict[str, int]:
        """Return the last seq of every department's log."""

    async def event_ids(self, positions: Mapping[str, int]) -> dict[str, str]:
        """Return the event id of one entry per department, given by seq; missing if there is no such entry."""

    async def close(self) -> None:
        """Release the relay lock."""


class Topic(Protocol):
    """The topic ``token-events``, read-only. Raises PublishFailed."""

    async def open(self) -> None:
        """Make sure that the topic exists."""

    async def ping(self) -> None:
        """Return if a broker answers within a second."""

    async def read_back(self, cursors: Mapping[str, Cursor], patience: float | None = None) -> Tail:
        """Return what follows the cursors without a gap; ``patience`` overrides the seconds without a record."""

    async def events_after(self, cursors: Mapping[str, Cursor], departments: Collection[str]) -> list[Event]:
        """Return the events of these departments after their cursors, each department's in order and gapless."""


class DepartmentList(Protocol):
    """The departments that have a queue."""

    async def departments(self) -> Sequence[Department]:
        """Return all departments by id. Raises Refused while Postgres is unavailable."""


@dataclass(frozen=True)
class LogEntry:
    """The part of a log entry that is compared with the topic."""

    seq: int
    token_id: int
    event_id: str


class Transaction(Protocol):
    """A transaction of the ledger that may also append past the end of a log. Without a commit it rolls back."""

    async def lock(self, department_ids: Sequence[str], *, with_archived: bool = False) -> Locked:
        """Lock and read the departments' rows in id order; archived ones only on request."""

    async def load(self, plan: LoadPlan) -> Loaded:
        """Load everything planned."""

    async def waiting(self, department_id: str) -> list[LineEntry]:
        """Return all waiting tokens."""

    async def leftovers(self, department_id: str) -> list[Token]:
        """Return the tokens that expire at the end of a business day."""

    async def entries(self, department_id: str, after: int, to: int) -> list[LogEntry]:
        """Return the log's entries in ``(after, to]``."""

    async def numbers_taken(self, department_id: str, day: date) -> set[tuple[str, int]]:
        """Return the numbers used on that day, with the department that issued them."""

    async def append_rewound(
        self, department: Department, day: date, now: datetime, data: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Append a ``LOG_REWOUND`` entry at each seq of ``data``, which describes what was there as far as known."""

    async def move_on(self, published: Mapping[str, int], last_token_id: int, affected: Sequence[str]) -> int:
        """Move token ids and relay cursors forward, and hold notifications; return how many were held."""

    async def commit(self, sessions: Sequence[DepartmentSession], kept: Sequence[IdempotencyRecord]) -> None:
        """Write the sessions' changes, and commit."""


class Ledger(Protocol):
    """The authoritative store (Postgres)."""

    def open(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction. Raises LedgerDown if the store is unavailable, LedgerRefused if it refuses the whole."""


@dataclass(frozen=True)
class Stores:
    """The opened stores of one recovery.

    ``line`` has a short timeout, since it is only read; ``line_to_fill`` writes long queues. ``is_embedded``: the topic
    starts empty with everything else. ``patience`` is for stores that may be skipped.
    """

    log: Log
    topic: Topic
    line: WaitingLine
    line_to_fill: WaitingLine
    ledger: Ledger
    departments: DepartmentList
    is_embedded: bool = False
    patience: float = PATIENCE


OpenStores = Callable[[], AbstractAsyncContextManager[Stores]]
"""Opens the stores in the current event loop."""
