"""A token: one customer's place in the queue."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Annotated, Any, TypeVar

from tokenq.contract.enums import AT_COUNTER, Priority, TokenState
from tokenq_server.domain.copies import replace

_FIXED = "fixed"
_T = TypeVar("_T")
Fixed = Annotated[_T, _FIXED]
"""A field that never changes after issue: Postgres writes it once."""


@dataclass(frozen=True)
class Undo:
    """How to undo the last move: its verb, the previous values of the changed fields, and the deadline.

    ``by`` is who made the move, as :attr:`Principal.identity`; empty for moves of the previous release.
    """

    verb: str
    was: Mapping[str, Any]
    until: datetime
    by: str = ""


@dataclass(frozen=True)
class Token:
    """A token as stored in Postgres: each field is a column of the same name, read and written by its type.

    ``place`` is the sort key within a class, smallest first; ``original_place`` is the one assigned on entering this
    department. ``issued_in`` is the department that issued the number. ``claim_version`` grows with every call and
    undo: a command that carries an older one is stale. ``near_turn`` is the position at which the owner is notified.
    ``is_erased``: what tells who has it was removed, and nothing was added since. The estimate, in minutes, is the wait
    promised at issue. ``language`` is the one that its owner reads, if not the branch's. ``ended_on`` is the business
    day on which it became final; for one that expired, the day that began then.
    """

    token_id: Fixed[int]
    department_id: str
    branch_id: Fixed[str]
    day: Fixed[date]
    number: Fixed[int]
    display: Fixed[str]
    state: TokenState
    priority: Priority
    place: int
    original_place: int
    issued_at: Fixed[datetime]
    waiting_since: datetime
    user_id: Fixed[int | None] = None
    name: str | None = None
    email: str | None = None
    counter_id: str | None = None
    claim_version: int = 0
    calls: int = 0
    reason: str | None = None
    called_at: datetime | None = None
    started_at: datetime | None = None
    served_at: datetime | None = None
    issued_in: Fixed[str] = ""
    last_call_at: datetime | None = None
    parked_at: datetime | None = None
    parked_until: datetime | None = None
    ended_on: date | None = None
    near_turn: int = 0
    is_near_told: bool = False
    is_erased: bool = False
    estimate_low: Fixed[int | None] = None
    estimate_high: Fixed[int | None] = None
    language: Fixed[str | None] = None
    undo: Undo | None = None

    @property
    def last_day(self) -> date:
        """The last business day on which a final token may return to the queue.

        Releases that did not note the day of its end went by the day of its number.
        """
        by_number = self.day + timedelta(days=self.state is TokenState.EXPIRED)
        return max(self.ended_on or by_number, by_number)

    @property
    def is_at_counter(self) -> bool:
        """Whether the token is at a counter."""
        return self.state in AT_COUNTER


@dataclass(frozen=True)
class Whereabouts:
    """Where a token was last seen: which rows a move must lock, and what to load.

    ``printed`` is its number and the department that issued it. ``back_to`` is the department that its last move came
    from, ``back_to_counter`` the counter to which an undo would return it. Whether a move is possible and permitted is
    decided on the token itself, under the lock.
    """

    department_id: str
    user_id: int | None
    printed: tuple[str, str]
    back_to: str | None
    back_to_counter: str | None

    @classmethod
    def of(
        cls,
        department_id: str,
        user_id: int | None,
        printed: tuple[str, str],
        was: Mapping[str, Any],
        counter_id: str | None,
    ) -> "Whereabouts":
        """Return where a token at ``counter_id`` is, whose last move changed the fields that ``was`` has."""
        return cls(department_id, user_id, printed, was.get("department_id"), was.get("counter_id", counter_id))


TOKEN_FIELDS = tuple(field.name for field in fields(Token))
"""The fields of a token, in order."""
CHANGING_FIELDS = tuple(field.name for field in fields(Token) if _FIXED not in getattr(field.type, "__metadata__", ()))
"""The fields that a move can change."""
_EDITED = ("name", "email", "near_turn", "is_erased")
_UNDOABLE = tuple(name for name in CHANGING_FIELDS if name not in ("claim_version", "is_near_told", "undo", *_EDITED))
"""The fields that an undo restores. The claim version only grows, a notification cannot be unsent, an edit stays."""


def with_undo(old: Token, new: Token, verb: str, until: datetime, by: str) -> Token:
    """Return ``new`` with the information needed to undo it to ``old``."""
    was = {name: before for name in _UNDOABLE if (before := getattr(old, name)) != getattr(new, name)}
    return replace(new, undo=Undo(verb, was, until, by))


def before_undo(token: Token, undo: Undo) -> Token:
    """Return the token as before its last move, with a new claim version so that earlier commands are stale."""
    return replace(token, **undo.was, claim_version=token.claim_version + 1, undo=None)
