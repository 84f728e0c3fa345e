"""What recovery needs of the stores; adapters fulfil it, and bootstrap opens them."""

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
"""Seconds without an answer after which a store that need not be asked is left alone: programs wait to start."""
PATIENCE_EMBEDDED = 20.0
"""The same under ``tokenq up``: nobody but its Redis knows what an older database has forgotten."""


class Log(Protocol):
    """The departments' logs in Postgres, and what was published of them. Raises LedgerDown."""

    async def take_over(self, patience: float) -> None:
        """Take the one relay's place, so that nothing is published meanwhile.

        Raises:
            LedgerRefused: ``LOCKED``; the place was not given up in so many seconds.
        """

    async def cursors(self) -> dict[str, Cursor]:
        """What was published last, per department."""

    async def heads(self) -> dict[str, int]:
        """The last seq of every department's log."""

    async def event_ids(self, positions: Mapping[str, int]) -> dict[str, str]:
        """The event id of one entry per department, given by seq; departments without that entry are missing."""

    async def close(self) -> None:
        """Give the relay's place back."""


class Topic(Protocol):
    """The topic ``token-events``, read only. Raises PublishFailed."""

    async def open(self) -> None:
        """Make sure the topic is there."""

    async def ping(self) -> None:
        """Return if a broker answers within a second."""

    async def read_back(self, cursors: Mapping[str, Cursor], patience: float | None = None) -> Tail:
        """What follows the cursors without a gap; ``patience``: seconds without a record, if not as many as usual."""

    async def events_after(self, cursors: Mapping[str, Cursor], departments: Collection[str]) -> list[Event]:
        """The events of these departments after their cursors, each one's in order and without a gap."""


class DepartmentList(Protocol):
    """Which departments have a line."""

    async def departments(self) -> Sequence[Department]:
        """All departments by id. Raises Refused while Postgres is away."""


@dataclass(frozen=True)
class LogEntry:
    """An entry of a department's log, as far as it is compared with the topic."""

    seq: int
    token_id: int
    event_id: str


class Transaction(Protocol):
    """One transaction of the ledger that may also write past the end of a log. Without a commit it rolls back."""

    async def lock(self, department_ids: Sequence[str], *, with_archived: bool = False) -> Locked:
        """Lock the departments' rows in id order and read them; archived ones are left out if not asked for."""

    async def load(self, plan: LoadPlan) -> Loaded:
        """Read everything planned."""

    async def waiting(self, department_id: str) -> list[LineEntry]:
        """Everybody in line."""

    async def leftovers(self, department_id: str) -> list[Token]:
        """The tokens that the end of a business day ends."""

    async def entries(self, department_id: str, after: int, to: int) -> list[LogEntry]:
        """The log's entries in ``(after, to]``."""

    async def numbers_taken(self, department_id: str, day: date) -> set[tuple[str, int]]:
        """The numbers of that day that somebody has, with the department that gave them."""

    async def append_rewound(
        self, department: Department, day: date, now: datetime, data: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Put an entry ``LOG_REWOUND`` at each seq of ``data``, which say what stood there as far as is known."""

    async def move_on(self, published: Mapping[str, int], last_token_id: int, affected: Sequence[str]) -> int:
        """Give no token id twice, publish nothing under a seq that the topic has, hold letters; answers how many."""

    async def commit(self, sessions: Sequence[DepartmentSession], kept: Sequence[IdempotencyRecord]) -> None:
        """Write what the sessions changed, and commit."""


class Ledger(Protocol):
    """The store that decides (Postgres)."""

    def open(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction. Raises LedgerDown when the store is away, LedgerRefused when it refuses the whole."""


@dataclass(frozen=True)
class Stores:
    """The stores of one recovery, opened.

    ``line`` gives up early, since it is only asked; ``line_to_fill`` takes long lines. ``is_embedded``: the topic
    begins anew with everything else. ``patience`` is for stores that need not be asked.
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
"""Opens them anew, in whatever event loop it is asked."""
