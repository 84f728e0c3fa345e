"""What each command needs to have loaded, besides its departments: tokens, users, counters, numbers, places."""

from tokenq.contract.enums import RequeuePosition
from tokenq.contract.verbs import Verb
from tokenq_server.domain.commands import (
    CallByProfile,
    CallNext,
    CallToken,
    Housekeep,
    Issue,
    IssueGroup,
    MarkNearTurn,
    MoveToken,
    OnToken,
    ServeNext,
    TransferToken,
    UndoMove,
)
from tokenq_server.domain.permissions import as_permitted
from tokenq_server.services.ports import LoadPlan


def load_for_issue(plan: LoadPlan, command: Issue, _: str) -> None:
    """A new number, and the user's other tokens."""
    plan.new_tokens[command.department_id] += 1
    if (user_id := as_permitted(command).user_id) is not None:
        plan.users.append((command.department_id, user_id))


def load_for_group(plan: LoadPlan, command: IssueGroup, branch: str) -> None:
    """As for each of its issues."""
    for each in command.issues:
        load_for_issue(plan, each, branch)


def load_for_call(plan: LoadPlan, command: CallNext | CallByProfile | ServeNext, branch: str) -> None:
    """The counter."""
    plan.counters.append((branch, command.counter_id))


def load_for_call_of_token(plan: LoadPlan, command: CallToken, branch: str) -> None:
    """The counter and the token."""
    plan.counters.append((branch, command.counter_id))
    plan.token_ids.append(command.token_id)


def load_token(plan: LoadPlan, command: OnToken, _: str) -> None:
    """The token, and its user's other tokens where it is."""
    _load_token(plan, command, command.department_id)


def load_for_move(plan: LoadPlan, command: MoveToken, branch: str) -> None:
    """The token; for a return to the queue, who carries its number."""
    load_token(plan, command, branch)
    if command.verb is Verb.REINSTATE:
        _load_number(plan, command)


def load_for_transfer(plan: LoadPlan, command: TransferToken, _: str) -> None:
    """The token, its user's other tokens where it goes, and its place by arrival if that counts."""
    _load_token(plan, command, command.to)
    if command.position is not RequeuePosition.LAST:
        plan.arrivals.append((command.to, command.token_id))


def load_for_undo(plan: LoadPlan, command: UndoMove, branch: str) -> None:
    """The token, its user's other tokens where it returns to, who carries its number, and its counter."""
    _load_token(plan, command, command.back_to or command.department_id)
    _load_number(plan, command)
    if command.counter_id:
        plan.counters.append((branch, command.counter_id))


def load_for_near_turn(plan: LoadPlan, command: MarkNearTurn, _: str) -> None:
    """The tokens to be marked."""
    plan.token_ids.extend(token_id for token_id, _ in command.places)


def load_for_housekeeping(plan: LoadPlan, command: Housekeep, _: str) -> None:
    """What the department has parked."""
    plan.housekeeping.append(command.department_id)


def _load_token(plan: LoadPlan, command: OnToken, department_id: str) -> None:
    plan.token_ids.append(command.token_id)
    if command.user_id is not None:
        plan.users.append((department_id, command.user_id))


def _load_number(plan: LoadPlan, command: MoveToken | UndoMove) -> None:
    """A token that returns to the queue must not meet its own number there."""
    if command.printed:
        plan.numbers.append(command.printed)
