"""What can be asked of a department while its row is locked."""

from dataclasses import dataclass

from tokenq.contract.words import Priority, RequeuePosition
from tokenq_server.domain.lifecycle import Verb


@dataclass(frozen=True)
class Issue:
    """Put somebody in line."""

    department_id: str
    actor: str
    user_id: int | None = None
    name: str | None = None
    email: str | None = None
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True)
class CallNext:
    """Call whoever the policy says to a counter; a counter that holds somebody gets that one back."""

    department_id: str
    actor: str
    counter_id: str


@dataclass(frozen=True)
class CallToken:
    """Call one token out of order, with a reason."""

    department_id: str
    actor: str
    counter_id: str
    token_id: int
    reason: str


@dataclass(frozen=True)
class ServeNext:
    """Serve the one the counter holds, else call and serve the next one in a single step."""

    department_id: str
    actor: str
    counter_id: str


@dataclass(frozen=True)
class MoveToken:
    """Move one token along the table. ``claim_version`` fences off commands made on an old view of it."""

    department_id: str
    actor: str
    token_id: int
    verb: Verb
    claim_version: int | None = None
    position: RequeuePosition = RequeuePosition.ORIGINAL
    reason: str | None = None


@dataclass(frozen=True)
class Tidy:
    """Close a business day that is over and let Redis catch up; changes nothing else."""

    department_id: str
    actor: str = "tokenq"


Command = Issue | CallNext | CallToken | ServeNext | MoveToken | Tidy
