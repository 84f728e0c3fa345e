"""Commands that departments accept while their rows are locked."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tokenq.contract.enums import Priority, RequeuePosition
from tokenq.contract.verbs import Verb
from tokenq_server.domain.counters import Operator, operator_of
from tokenq_server.domain.principal import Principal


class _AtCounter:
    """A command given at a counter.

    ``console`` identifies the operator's screen, if that matters. With ``may_create`` the counter may be a new one even
    where counters are declared.
    """

    caller: Principal
    console: str = ""
    may_create: bool = False

    @property
    def operator(self) -> Operator:
        """The caller as a counter's operator."""
        return operator_of(self.caller, self.console)


@dataclass(frozen=True)
class Issue:
    """Issue a token.

    ``near_turn`` is the position at which the customer is notified (``None``: the department's default). ``is_forced``
    lets staff issue outside opening hours and above the daily cap. ``language`` is the one that the customer reads, if
    not the branch's.
    """

    department_id: str
    caller: Principal
    user_id: int | None = None
    name: str | None = None
    email: str | None = None
    priority: Priority = Priority.NORMAL
    near_turn: int | None = None
    is_forced: bool = False
    language: str | None = None


@dataclass(frozen=True)
class IssueGroup:
    """Issue several tokens of one department: all of them, or none."""

    department_id: str
    caller: Principal
    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class CallNext(_AtCounter):
    """Call the next token by policy; a counter that holds a token gets that token back."""

    department_id: str
    caller: Principal
    counter_id: str
    may_create: bool = False


@dataclass(frozen=True)
class CallByProfile(_AtCounter):
    """Call the next token from a counter's work profile, in profile order if ``is_ordered``."""

    departments: tuple[str, ...]
    caller: Principal
    counter_id: str
    is_ordered: bool = True
    console: str = ""
    may_create: bool = False


@dataclass(frozen=True)
class CallToken(_AtCounter):
    """Call one token out of order; a reason is required."""

    department_id: str
    caller: Principal
    counter_id: str
    token_id: int
    reason: str | None = None
    may_create: bool = False


@dataclass(frozen=True)
class ServeNext(_AtCounter):
    """Serve the token that the counter holds, or call and serve the next one in one step."""

    department_id: str
    caller: Principal
    counter_id: str
    may_create: bool = False


@dataclass(frozen=True)
class MoveToken:
    """Apply a verb to one token. A stale ``claim_version`` is refused.

    ``position`` is for requeue and reinstate, ``until`` for park, ``priority`` for that verb. ``user_id`` is the
    token's owner as last seen, used to check whether that user has taken another token. ``printed`` is its number and
    issuing department, used to check whether another live token carries it.
    """

    department_id: str
    caller: Principal
    token_id: int
    verb: Verb
    claim_version: int | None = None
    position: RequeuePosition = RequeuePosition.ORIGINAL
    reason: str | None = None
    until: datetime | None = None
    priority: Priority = Priority.NORMAL
    user_id: int | None = None
    printed: tuple[str, str] | None = None


@dataclass(frozen=True)
class TransferToken:
    """Transfer one token to another department of the branch, to ``position`` in its class there."""

    verb: ClassVar[Verb] = Verb.TRANSFER

    department_id: str
    caller: Principal
    token_id: int
    to: str
    claim_version: int | None = None
    reason: str | None = None
    user_id: int | None = None
    position: RequeuePosition = RequeuePosition.LAST


@dataclass(frozen=True)
class EditToken:
    """Correct one token's name or address: ``None`` leaves it as it is, an empty text removes it."""

    verb: ClassVar[Verb] = Verb.EDIT

    department_id: str
    caller: Principal
    token_id: int
    name: str | None = None
    email: str | None = None
    claim_version: int | None = None
    user_id: int | None = None


@dataclass(frozen=True)
class UndoMove:
    """Undo a token's last move.

    ``back_to`` and ``counter_id`` are the department and counter that the undo leads to, as last seen; ``printed`` as
    for :class:`MoveToken`.
    """

    verb: ClassVar[Verb] = Verb.UNDO

    department_id: str
    caller: Principal
    token_id: int
    claim_version: int | None = None
    back_to: str | None = None
    counter_id: str | None = None
    user_id: int | None = None
    printed: tuple[str, str] | None = None


@dataclass(frozen=True)
class MarkNearTurn:
    """Record that the turn of these tokens is near; each comes with its position."""

    department_id: str
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Housekeep:
    """Roll over a finished business day, resume parked tokens that are due, and bring Redis up to date."""

    department_id: str


OnToken = MoveToken | TransferToken | EditToken | UndoMove
"""A command about one token, in whatever department it is."""

Command = (
    Issue
    | IssueGroup
    | CallNext
    | CallByProfile
    | CallToken
    | ServeNext
    | MoveToken
    | TransferToken
    | EditToken
    | UndoMove
    | MarkNearTurn
    | Housekeep
)
