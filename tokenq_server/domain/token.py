"""One person's place in line."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from tokenq.contract.enums import AT_COUNTER, Priority, TokenState

_FIXED = "fixed"
_T = TypeVar("_T")
Fixed = Annotated[_T, _FIXED]
"""A field that nothing changes after the number was issued: Postgres writes it once."""


@dataclass(frozen=True)
class Undo:
    """How to take the last move back: its verb, the fields it changed with their values before, and until when."""

    verb: str
    was: Mapping[str, Any]
    until: datetime


@dataclass(frozen=True)
class Token:
    """A token as Postgres holds it: each field is a column of its name, read and written by its type.

    ``place`` orders the waiting inside a class, least first; ``original_place`` is the one it came into this
    department with. ``issued_in`` is the department that gave the number. ``claim_version`` grows with every call and
    every undo: a command that carries an older one is stale. ``near_turn`` is the place at which its owner wants a
    letter. The estimate, in minutes, is what was promised at issue.
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
    name: Fixed[str | None] = None
    email: Fixed[str | None] = None
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
    near_turn: Fixed[int] = 0
    is_near_told: bool = False
    estimate_low: Fixed[int | None] = None
    estimate_high: Fixed[int | None] = None
    undo: Undo | None = None

    @property
    def is_at_counter(self) -> bool:
        """Whether the token occupies a counter."""
        return self.state in AT_COUNTER


@dataclass(frozen=True)
class Whereabouts:
    """Where a token was a moment ago: which rows a move of it must lock, and what must be loaded for it.

    ``printed`` is its number after the department that issued it. ``back_to`` is the department from which its last
    move took it, ``back_to_counter`` the counter at which an undo would put it. Whether a move is possible and
    permitted is decided on the token itself, under the lock.
    """

    department_id: str
    user_id: int | None
    printed: tuple[str, str]
    back_to: str | None
    back_to_counter: str | None


TOKEN_FIELDS = tuple(field.name for field in fields(Token))
"""The fields of a token, in order."""
CHANGING_FIELDS = tuple(field.name for field in fields(Token) if _FIXED not in getattr(field.type, "__metadata__", ()))
"""Those that a move can change."""
_TAKEN_BACK = tuple(name for name in CHANGING_FIELDS if name not in ("claim_version", "is_near_told", "undo"))
"""Those that an undo gives back. The claim version only grows, and a letter that was sent stays sent."""


def remembering(old: Token, new: Token, verb: str, until: datetime) -> Token:
    """The new token with the way back to the old one."""
    was = {name: before for name in _TAKEN_BACK if (before := getattr(old, name)) != getattr(new, name)}
    return replace(new, undo=Undo(verb, was, until))


def taken_back(token: Token, undo: Undo) -> Token:
    """The token as it was before its last move, fenced against commands made on what it was meanwhile."""
    return replace(token, **undo.was, claim_version=token.claim_version + 1, undo=None)
