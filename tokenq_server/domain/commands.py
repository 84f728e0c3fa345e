"""What can be asked of departments while their rows are locked."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tokenq.contract.enums import Priority, RequeuePosition
from tokenq.contract.verbs import Verb
from tokenq_server.domain.counters import Operator, operator_of
from tokenq_server.domain.principal import Principal


class _AtCounter:
    """What is done at a counter: ``console`` is the screen that asks, where it matters which."""

    caller: Principal
    console: str = ""

    @property
    def operator(self) -> Operator:
        """The caller as one who works at a counter."""
        return operator_of(self.caller, self.console)


@dataclass(frozen=True)
class Issue:
    """Put somebody in line.

    ``near_turn`` is the place at which the customer wants a letter (``None``: as the department has it).
    ``is_forced``: staff may issue outside the hours and above the cap.
    """

    department_id: str
    caller: Principal
    user_id: int | None = None
    name: str | None = None
    email: str | None = None
    priority: Priority = Priority.NORMAL
    near_turn: int | None = None
    is_forced: bool = False


@dataclass(frozen=True)
class CallNext(_AtCounter):
    """Call whoever the policy says to a counter; a counter that holds somebody gets that one back."""

    department_id: str
    caller: Principal
    counter_id: str


@dataclass(frozen=True)
class CallByProfile(_AtCounter):
    """Call whoever is next in the departments of a counter's work profile, in that order if ``is_ordered``."""

    departments: tuple[str, ...]
    caller: Principal
    counter_id: str
    is_ordered: bool = True
    console: str = ""


@dataclass(frozen=True)
class CallToken(_AtCounter):
    """Call one token out of order, which needs a reason."""

    department_id: str
    caller: Principal
    counter_id: str
    token_id: int
    reason: str | None = None


@dataclass(frozen=True)
class ServeNext(_AtCounter):
    """Serve the one the counter holds, else call and serve the next one in a single step."""

    department_id: str
    caller: Principal
    counter_id: str


@dataclass(frozen=True)
class MoveToken:
    """Move one token along the table. ``claim_version`` fences off commands made on an old view of it.

    ``position`` is for requeue and reinstate, ``until`` for park, ``priority`` for that verb. ``user_id`` is whose
    token it is, as far as the sender knows: it is looked up whether that one has come in again. ``printed`` is its
    number after the department that issued it: it is looked up whether somebody else carries it.
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
    """Move one token into the line of another department of the branch."""

    verb: ClassVar[Verb] = Verb.TRANSFER

    department_id: str
    caller: Principal
    token_id: int
    to: str
    claim_version: int | None = None
    reason: str | None = None
    user_id: int | None = None


@dataclass(frozen=True)
class UndoMove:
    """Take the last move of a token back.

    ``back_to`` and ``counter_id`` are the department and the counter that this would lead to, as the sender saw it;
    ``printed`` as for a move.
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
    """Note that the turn of these tokens is near; each goes with its place in line."""

    department_id: str
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Housekeep:
    """Close a business day that is over, bring back the parked whose time has come, let Redis catch up."""

    department_id: str


OnToken = MoveToken | TransferToken | UndoMove
"""What is done with a certain token, wherever it is."""

Command = (
    Issue
    | CallNext
    | CallByProfile
    | CallToken
    | ServeNext
    | MoveToken
    | TransferToken
    | UndoMove
    | MarkNearTurn
    | Housekeep
)
