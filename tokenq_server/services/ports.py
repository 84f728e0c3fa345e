"""The doors to the outside that the use cases need; adapters fulfil them, tests prove them."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from tokenq.contract.enums import Priority
from tokenq_server.domain.counters import Counter as CounterDesk
from tokenq_server.domain.counters import Place
from tokenq_server.domain.department import Department, DepartmentHead
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.token import Token
from tokenq_server.services.requests import Answer


class LineDown(Exception):
    """The waiting line in Redis cannot be asked now; Postgres knows the same."""


@dataclass(frozen=True)
class LineEntry:
    """Somebody in line: inside a class the least ``place`` goes first."""

    token_id: int
    priority: Priority
    place: int


@dataclass(frozen=True)
class LineChange:
    """What one log entry does to the line: somebody joins it or leaves it."""

    joins: bool
    entry: LineEntry


@dataclass(frozen=True)
class Ask:
    """What a department needs of its line: ``numbers`` new token numbers and ``heads`` heads per class.

    ``last_no``, ``last_seq`` and ``waiting`` are what the locked row says: the line corrects its counter by
    the first, and answers heads only if it stands exactly at the second and holds exactly so many of each class.
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
    """``first_no`` is the first of the numbers asked for.

    ``at`` is the seq the line stands at (-1: it knows nothing, -2: it does not hold whom it should).
    ``heads`` are token ids, ``None`` if the line is not in step.
    """

    first_no: int
    at: int
    heads: list[int] | None


@dataclass(frozen=True)
class Advance:
    """Bring a department's line from seq ``prev`` to ``new`` by the changes between, and its counter to ``last_no``."""

    department_id: str
    day: date
    prev: int
    new: int
    changes: Sequence[LineChange]
    last_no: int = 0


@dataclass(frozen=True)
class LineState:
    """All that a department's line holds: where it stands (-1: nowhere), the day's last number, and who is in it."""

    at: int
    last_no: int
    token_ids: list[int]


class WaitingLine(Protocol):
    """The waiting queues and number counters (Redis). Never asked what is true, only who might be next.

    Spread over several servers, it answers ``None`` for the departments whose server cannot be asked now.
    """

    async def ask(self, asks: Sequence[Ask]) -> Sequence[LineAnswer | None]:
        """Answer every ask in one round trip. Raises LineDown if none can be answered."""

    async def advance(self, steps: Sequence[Advance]) -> Sequence[int | None]:
        """Apply each step whose ``prev`` is where its line stands; answer where each stands then.

        Raises:
            LineDown: no line can be told now.
        """

    async def install(self, ask: Ask, entries: Sequence[LineEntry]) -> None:
        """Replace a department's line by ``entries``, standing at the ask's seq. Raises LineDown."""

    async def state(self, department_id: str, day: date) -> LineState:
        """What the line holds, changing nothing: for those who doubt the ledger. Raises LineDown."""

    async def ping(self) -> None:
        """Return if the whole line answers. Raises LineDown."""

    async def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True)
class IdempotencyRecord:
    """An answer kept under an idempotency key; ``fingerprint`` tells whether the request was the same."""

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
    """What a batch of commands needs to see after the lock.

    ``kept_in_order`` are departments whose parked may come back. ``new_tokens`` counts those of each department, and
    ``numbers`` are the ones about to be given out, by department and as they are printed: whether somebody live carries
    one.
    """

    token_ids: list[int] = field(default_factory=list)
    counters: list[Place] = field(default_factory=list)
    users: list[tuple[str, int]] = field(default_factory=list)
    kept_in_order: list[str] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    numbers: list[tuple[str, str]] = field(default_factory=list)
    new_tokens: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Contact:
    """How a registered user is called and reached."""

    name: str
    email: str | None


@dataclass(frozen=True)
class Loaded:
    """The answer to :class:`LoadPlan`; ``carried`` are those of its numbers that somebody live carries."""

    tokens: list[Token]
    counters: list[CounterDesk]
    contacts: dict[int, Contact]
    idempotency: list[IdempotencyRecord]
    new_ids: list[int]
    carried: list[tuple[str, str]]


class Transaction(Protocol):
    """One transaction of the ledger. Leaving it without :meth:`commit` rolls back."""

    async def lock(self, department_ids: Sequence[str]) -> Locked:
        """Lock the departments' rows in id order and read them; unknown ones are missing from the answer."""

    async def load(self, plan: LoadPlan) -> Loaded:
        """Read everything planned, and reserve token ids."""

    async def tokens(self, token_ids: Sequence[int]) -> list[Token]:
        """Read tokens by id."""

    async def heads(self, department_id: str, count: int) -> list[Token]:
        """The first ``count`` waiting tokens of each class, as the index has them."""

    async def carried(self, department_id: str, numbers: Sequence[str]) -> set[str]:
        """Which of these printed numbers somebody live carries who got it in this department."""

    async def leftovers(self, department_id: str) -> list[Token]:
        """The tokens that the end of a business day ends."""

    async def changes_since(self, department_id: str, seq: int) -> list[LineChange | None]:
        """What each log entry after ``seq`` that is still kept did to the line (``None``: nothing)."""

    async def waiting(self, department_id: str) -> list[LineEntry]:
        """Everybody in line."""

    async def commit(
        self, sessions: Sequence[DepartmentSession], kept: Sequence[IdempotencyRecord], opened: Collection[Place] = ()
    ) -> None:
        """Write what the sessions changed, the answers to be kept and the counters that were opened; commit."""


class Ledger(Protocol):
    """The store that decides (Postgres)."""

    def open(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin a transaction. Raises LedgerDown when the store is away, LedgerRefused when it refuses the whole."""


Guard = Callable[[], Awaitable[None]]
"""Looks whether a restored database has forgotten what others know. Raises Refused, or LedgerDown while it is away."""


class LedgerDown(Exception):
    """Postgres cannot be reached, or was lost on the way; whether a commit arrived is unknown."""


LOCKED = "locked"
DEADLOCK = "deadlock"


class LedgerRefused(Exception):
    """Postgres refused a whole batch, and nothing of it was written.

    ``constraint`` names the rule it broke, ``LOCKED`` if somebody else holds a department for too long, or
    ``DEADLOCK`` if another process wanted the same things in another order.
    """

    def __init__(self, constraint: str | None) -> None:
        super().__init__(constraint or "refused")
        self.constraint = constraint
