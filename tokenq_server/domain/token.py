"""One person's place in line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from tokenq.contract.words import AT_COUNTER, Priority, TokenState


@dataclass(frozen=True)
class Undo:
    """How to take the last move back: its verb, the fields it changed with their values before, and until when."""

    verb: str
    was: Mapping[str, Any]
    until: datetime


@dataclass(frozen=True)
class Token:
    """A token as Postgres holds it.

    ``place`` orders the waiting inside a class, least first; ``original_place`` is the one it came into this
    department with. ``issued_in`` is the department that gave the number. ``claim_version`` grows with every call and
    every undo: a command that carries an older one is stale. ``near_turn`` is the place at which its owner wants a
    letter. The estimate, in minutes, is what was promised at issue.
    """

    token_id: int
    department_id: str
    branch_id: str
    day: date
    number: int
    display: str
    state: TokenState
    priority: Priority
    place: int
    original_place: int
    issued_at: datetime
    waiting_since: datetime
    user_id: int | None = None
    name: str | None = None
    email: str | None = None
    counter_id: str | None = None
    claim_version: int = 0
    calls: int = 0
    reason: str | None = None
    called_at: datetime | None = None
    started_at: datetime | None = None
    served_at: datetime | None = None
    issued_in: str = ""
    last_call_at: datetime | None = None
    parked_at: datetime | None = None
    parked_until: datetime | None = None
    near_turn: int = 0
    is_near_told: bool = False
    estimate_low: int | None = None
    estimate_high: int | None = None
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


_TAKEN_BACK = (
    "department_id",
    "state",
    "priority",
    "place",
    "original_place",
    "waiting_since",
    "counter_id",
    "calls",
    "reason",
    "called_at",
    "last_call_at",
    "started_at",
    "served_at",
    "parked_at",
    "parked_until",
)
"""The fields that an undo gives back. The claim version is not among them: it only grows."""


def remembering(old: Token, new: Token, verb: str, until: datetime) -> Token:
    """The new token with the way back to the old one."""
    was = {name: before for name in _TAKEN_BACK if (before := getattr(old, name)) != getattr(new, name)}
    return replace(new, undo=Undo(verb, was, until))


def taken_back(token: Token, undo: Undo) -> Token:
    """The token as it was before its last move, fenced against commands made on what it was meanwhile."""
    return replace(token, **undo.was, claim_version=token.claim_version + 1, undo=None)
