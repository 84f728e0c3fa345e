"""Ports of the use cases; adapters implement them, port tests verify them."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from tokenq.contract.enums import Priority
from tokenq_server.domain.budgets import Standing, Use
from tokenq_server.domain.counter_names import Place
from tokenq_server.domain.counters import Counter as CounterDesk
from tokenq_server.domain.department import Department, DepartmentHead
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.token import Token
from tokenq_server.services.requests import Answer


class LineDown(Exception):
    """The queue in Redis is unavailable; Postgres has the same data."""


@dataclass(frozen=True)
class LineEntry:
    """A waiting token. Within a class, the smallest ``place`` goes first."""

    token_id: int
    priority: Priority
    place: int


@dataclass(frozen=True)
class LineChange:
    """The effect of one log entry on the queue: a token joins or leaves."""

    joins: bool
    entry: LineEntry


@dataclass(frozen=True)
class Ask:
    """What a department needs from Redis: ``numbers`` new token numbers and ``heads`` heads per class.

    ``last_no``, ``last_seq`` and ``waiting`` are the locked row's: Redis corrects its counter by the first, and returns
    heads only if it is exactly at the second and holds exactly this many tokens of each class.
    """

    department_id: str
    day: date
    last_no: int
    last_seq: int
    waiting: Mapping[Priority, int] = field(default_factory=dict)
    numbers: int = 0
    heads: int = 0


@dataclass(frozen=True)
class LineAnswer:
    """``first_no`` is the first of the requested numbers.

    ``at`` is the seq that Redis is at (-1: it has no data, -2: what it has is damaged). ``heads`` are token ids,
    ``None`` if Redis is not up to date.
    """

    first_no: int
    at: int
    heads: list[int] | None


@dataclass(frozen=True)
class Advance:
    """Bring a department's queue from seq ``prev`` to ``new`` by the changes, and its counter to ``last_no``."""

    department_id: str
    day: date
    prev: int
    new: int
    changes: Sequence[LineChange]
    last_no: int = 0


@dataclass(frozen=True)
class LineState:
    """The complete state of a department's queue: its seq (-1: none), the day's last number, and its members."""

    at: int
    last_no: int
    token_ids: list[int]


class WaitingLine(Protocol):
    """The queues and number counters in Redis. Never authoritative: only proposes who might be next.

    If spread over several servers, it returns ``None`` for departments whose server is unavailable.
    """

    async def ask(self, asks: Sequence[Ask]) -> Sequence[LineAnswer | None]:
        """Answer all asks in one round trip. Raises LineDown if none can be answered."""

    async def advance(self, steps: Sequence[Advance]) -> Sequence[int | None]:
        """Apply each step whose ``prev`` matches the queue's seq; return each queue's seq afterwards.

        Raises:
            LineDown: no queue can be updated now.
        """

    async def install(self, ask: Ask, entries: Sequence[LineEntry]) -> None:
        """Replace a department's queue by ``entries``, at the ask's seq. Raises LineDown."""

    async def state(self, department_id: str, day: date) -> LineState:
        """Return the queue's state without changing it, for comparison with the ledger. Raises LineDown."""

    async def ping(self) -> None:
        """Return if all servers answer. Raises LineDown."""

    async def close(self) -> None:
        """Close the connection."""


class RateCounts(Protocol):
    """What is used of budgets, counted by leaky buckets (``domain/budgets.py``). Never raises, never waits long.

    ``None`` stands for a count that is unavailable; what was asked may have been done nevertheless.
    """

    async def take(self, uses: Sequence[Use]) -> Sequence[Standing | None]:
        """Count each use that its budget allows."""

    async def add(self, uses: Sequence[Use]) -> Sequence[Standing | None]:
        """Count the uses whatever the budgets allow; a negative cost gives back."""

    async def forget(self, uses: Sequence[Use]) -> None:
        """Start from nothing again."""

    async def remember(self, fact: str, seconds: float) -> None:
        """Remember a fact for so long."""

    async def remembers(self, fact: str) -> bool | None:
        """Whether a fact is remembered."""

    async def close(self) -> None:
        """Close the connections."""


@dataclass(frozen=True)
class IdempotencyRecord:
    """An answer stored under an idempotency key; ``fingerprint`` tells whether the request was the same."""

    principal: str
    key: str
    fingerprint: bytes
    answer: Answer


@dataclass(frozen=True)
class Locked:
    """Departments whose rows this transaction holds, and the database's clock."""

    now: datetime
    departments: dict[str, tuple[Department, DepartmentHead]]


@dataclass(frozen=True)
class LoadPlan:
    """What a batch of commands needs to load after the lock.

    ``housekeeping`` are departments whose due parked tokens are resumed. ``new_tokens`` counts the new tokens per
    department; ``numbers`` are printed numbers, each with its department, to be checked for live tokens that carry
    them. ``arrivals`` are tokens, each with the department whose sort key at the token's arrival is needed.
    """

    token_ids: list[int] = field(default_factory=list)
    counters: list[Place] = field(default_factory=list)
    users: list[tuple[str, int]] = field(default_factory=list)
    housekeeping: list[str] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    numbers: list[tuple[str, str]] = field(default_factory=list)
    new_tokens: Counter[str] = field(default_factory=Counter)
    arrivals: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Contact:
    """A registered user's name and address."""

    name: str
    email: str | None


@dataclass(frozen=True)
class Loaded:
    """The result of a :class:`LoadPlan`; ``taken_numbers`` are those of its numbers that live tokens carry.

    ``places_by_arrival`` are the sort keys of its ``arrivals``.
    """

    tokens: list[Token]
    counters: list[CounterDesk]
    contacts: dict[int, Contact]
    idempotency: list[IdempotencyRecord]
    new_ids: list[int]
    taken_numbers: list[tuple[str, str]]
    places_by_arrival: dict[tuple[str, int], int]


class Transaction(Protocol):
    """One transaction of the ledger. Leaving it without :meth:`commit` rolls back."""

    async def lock(self, department_ids: Sequence[str]) -> Locked:
        """Lock and read the departments' rows in id order; unknown departments are missing from the result."""

    async def load(self, plan: LoadPlan) -> Loaded:
        """Load everything planned, and reserve token ids."""

    async def tokens(self, token_ids: Sequence[int]) -> list[Token]:
        """Load tokens by id."""

    async def heads(self, department_id: str, count: int) -> list[Token]:
        """Return the first ``count`` waiting tokens of each class, from the index."""

    async def taken_numbers(self, department_id: str, numbers: Sequence[str]) -> set[str]:
        """Return those of the printed numbers that live tokens issued by this department carry."""

    async def leftovers(self, department_id: str) -> list[Token]:
        """Return the tokens that expire at the end of a business day."""

    async def changes_since(self, department_id: str, seq: int) -> list[LineChange | None]:
        """Return the effect of each log entry after ``seq`` that is still stored (``None``: no effect)."""

    async def waiting(self, department_id: str) -> list[LineEntry]:
        """Return all waiting tokens."""

    async def commit(
        self, sessions: Sequence[DepartmentSession], kept: Sequence[IdempotencyRecord], opened: Collection[Place] = ()
    ) -> None:
        """Write the sessions' changes, the answers to store and the opened counters; commit."""


class Ledger(Protocol):
    """The authoritative store (Postgres)."""

    def open(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction. Raises LedgerDown if the store is unavailable, LedgerRefused if it refuses the whole."""


Guard = Callable[[], Awaitable[None]]
"""Checks whether a restored database has lost data that other stores have.

Raises Refused, or LedgerDown if unavailable.
"""


class LedgerDown(Exception):
    """Postgres is unavailable, or the connection was lost; whether a commit succeeded is unknown."""


LOCKED = "locked"
DEADLOCK = "deadlock"


class LedgerRefused(Exception):
    """Postgres refused a whole batch and wrote nothing.

    ``constraint`` names the violated constraint, ``LOCKED`` if another transaction holds a department too long, or
    ``DEADLOCK`` if another process locked the same rows in another order.
    """

    def __init__(self, constraint: str | None) -> None:
        super().__init__(constraint or "refused")
        self.constraint = constraint
