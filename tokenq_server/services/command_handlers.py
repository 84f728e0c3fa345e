"""The registry of commands: which departments each locks, what it loads, and what executes it.

A new command is a class in :mod:`tokenq_server.domain.commands` and a row here; a test compares the two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from tokenq.contract.enums import LIVE, RequeuePosition
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import TokenReason
from tokenq.contract.reasons.setup import AccountReason
from tokenq_server.domain.admission import check_cap
from tokenq_server.domain.calling import call_by_profile, call_next, call_token, serve_next
from tokenq_server.domain.commands import (
    CallByProfile,
    CallNext,
    CallToken,
    Command,
    EditToken,
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
from tokenq_server.domain.copies import replace
from tokenq_server.domain.editing import edit
from tokenq_server.domain.issuing import issue
from tokenq_server.domain.moving import mark_near_turn, move, resume_if_due
from tokenq_server.domain.permissions import as_permitted, check_issue, check_move, check_position, check_works_in, sees
from tokenq_server.domain.refusals import moved_on, number_taken
from tokenq_server.domain.transferring import transfer
from tokenq_server.domain.undoing import undo
from tokenq_server.services import command_loads as loads
from tokenq_server.services.ports import Contact, LoadPlan
from tokenq_server.services.work import Handled, Work, at_item

C = TypeVar("C", bound=Command)


@dataclass(frozen=True)
class Handler:
    """A row of the registry.

    ``may_ask`` refuses, before anything is locked, a command that its caller may not give or that is incomplete;
    ``may_do`` refuses, under the lock, what the caller may not do with the token in its current state. ``run`` executes
    the command, or raises Refused and changes nothing. ``departments`` are the ones it locks: its own, or the first of
    its profile, comes first. ``plan`` adds what it needs to load, given the branch. ``looks_at_heads`` says whether it
    needs the heads of the queue. ``failpoints`` names its set of failpoints for tests; ``None`` for system commands.
    """

    run: Callable[[Work, Any], Handled]
    plan: Callable[[LoadPlan, Any, str], None]
    departments: Callable[[Any], tuple[str, ...]]
    looks_at_heads: Callable[[Any], bool]
    failpoints: str | None
    may_ask: Callable[[Any], None]
    may_do: Callable[[Work, Any], None]


def handler_of(command: Command) -> Handler:
    """Return the handler of a command."""
    return HANDLERS[type(command)]


def departments_of(command: Command) -> tuple[str, ...]:
    """Return the departments whose rows a command locks."""
    return handler_of(command).departments(command)


def _row(
    run: Callable[[Work, C], Handled],
    plan: Callable[[LoadPlan, C, str], None],
    departments: Callable[[C], tuple[str, ...]] = lambda command: (cast(Any, command).department_id,),
    looks_at_heads: Callable[[C], bool] = lambda _: False,
    failpoints: str | None = "call",
    may_ask: Callable[[C], None] = lambda _: None,
    may_do: Callable[[Work, C], None] = lambda _work, _command: None,
) -> Handler:
    return Handler(run, plan, departments, looks_at_heads, failpoints, may_ask, may_do)


def _issue(work: Work, command: Issue) -> Handled:
    session = work.sessions[command.department_id]
    token = issue(session, _with_contact(command, work.contacts), next(work.new_ids))
    data = session.records[-1].data
    return Handled(token, data["position"], data["estimate"], is_new=True)


def _issue_group(work: Work, command: IssueGroup) -> Handled:
    session = work.sessions[command.department_id]
    if not all(each.is_forced for each in command.issues):
        check_cap(session, len(command.issues))
    with session.all_or_none():
        return Handled(group=tuple(_issue_item(work, *item) for item in enumerate(command.issues)), is_new=True)


def _issue_item(work: Work, index: int, command: Issue) -> Handled:
    with at_item(index):
        return _issue(work, command)


def _may_issue_group(command: IssueGroup) -> None:
    users: set[int] = set()
    for index, each in enumerate(command.issues):
        with at_item(index):
            check_issue(each)
            if each.user_id in users:
                raise refuse(TokenReason.TWO_FOR_ONE_USER)
        users |= {each.user_id} if each.user_id is not None else set()


def tokens_issued_by(command: Command) -> int:
    """Return how many new numbers a command needs."""
    return len(command.issues) if isinstance(command, IssueGroup) else int(isinstance(command, Issue))


def _with_contact(command: Issue, contacts: Mapping[int, Contact]) -> Issue:
    command = as_permitted(command)
    if command.user_id is None:
        return command
    contact = contacts.get(command.user_id)
    if contact is None:
        raise refuse(AccountReason.UNKNOWN_USER, user=command.user_id)
    return replace(command, name=command.name or contact.name, email=command.email or contact.email)


def _call_next(work: Work, command: CallNext) -> Handled:
    return Handled(call_next(work.sessions[command.department_id], command), is_call=True)


def _call_by_profile(work: Work, command: CallByProfile) -> Handled:
    return Handled(call_by_profile([work.sessions[name] for name in command.departments], command), is_call=True)


def _call_token(work: Work, command: CallToken) -> Handled:
    return Handled(call_token(work.sessions[command.department_id], command), is_call=True)


def _serve_next(work: Work, command: ServeNext) -> Handled:
    return Handled(serve_next(work.sessions[command.department_id], command), is_call=True)


def _move(work: Work, command: MoveToken) -> Handled:
    _check_return(work, command)
    return Handled(move(work.sessions[command.department_id], command))


def _transfer(work: Work, command: TransferToken) -> Handled:
    place = work.places_by_arrival.get((command.to, command.token_id))
    return Handled(transfer(work.sessions[command.department_id], work.sessions[command.to], command, place))


def _edit(work: Work, command: EditToken) -> Handled:
    return Handled(edit(work.sessions[command.department_id], command))


def _undo(work: Work, command: UndoMove) -> Handled:
    _check_return(work, command)
    return Handled(undo(work.sessions, command))


def _may_call(command: CallNext | CallByProfile | CallToken | ServeNext) -> None:
    for department_id in departments_of(command):
        check_works_in(command.caller, department_id)


def _may_choose(command: CallToken) -> None:
    _may_call(command)
    if command.reason is None:
        raise refuse(TokenReason.OUT_OF_ORDER_WITHOUT_REASON)


def _may_move(work: Work, command: OnToken) -> None:
    token = work.token(command.token_id)
    if token.department_id != command.department_id and sees(command.caller, token):
        raise moved_on(token)
    check_move(command.caller, command.verb, token)


def _may_transfer(work: Work, command: TransferToken) -> None:
    _may_move(work, command)
    check_position(command.caller, command)


def _check_return(work: Work, command: MoveToken | UndoMove) -> None:
    """Refuse to return a final token to a queue where it could not be told from another, or has no counters.

    Raises:
        Refused: ``exists``, a live token carries its number; ``wrong_state``, its department is in another branch now.
    """
    session = work.sessions[command.department_id]
    token = session.token(command.token_id)
    if token.state in LIVE:
        return
    if token.branch_id != session.department.branch_id:
        raise refuse(TokenReason.OTHER_BRANCH_NOW, number=token.display, department=session.id)
    if command.printed and command.printed in work.taken_numbers and not _is_freed(work, *command.printed):
        raise number_taken(token)


def _is_freed(work: Work, issued_in: str, number: str) -> bool:
    """Whether a number that was taken has just become free, by the end of the day in this batch."""
    home = work.sessions.get(issued_in)
    return home is not None and number in home.freed_numbers


def _mark_near_turn(work: Work, command: MarkNearTurn) -> Handled:
    mark_near_turn(work.sessions[command.department_id], command)
    return Handled()


def _housekeep(work: Work, command: Housekeep) -> Handled:
    session = work.sessions[command.department_id]
    for token in list(session.tokens.values()):
        resume_if_due(session, token)
    return Handled()


def _goes_first(command: MoveToken | TransferToken) -> bool:
    return command.position is RequeuePosition.FIRST


def _always(_: Command) -> bool:
    return True


HANDLERS: Mapping[type[Command], Handler] = {
    Issue: _row(_issue, loads.load_for_issue, failpoints="issue", may_ask=check_issue),
    IssueGroup: _row(_issue_group, loads.load_for_group, failpoints="issue", may_ask=_may_issue_group),
    CallNext: _row(_call_next, loads.load_for_call, looks_at_heads=_always, may_ask=_may_call),
    CallByProfile: _row(
        _call_by_profile,
        loads.load_for_call,
        departments=lambda command: command.departments,
        looks_at_heads=_always,
        may_ask=_may_call,
    ),
    CallToken: _row(_call_token, loads.load_for_call_of_token, may_ask=_may_choose),
    ServeNext: _row(_serve_next, loads.load_for_call, looks_at_heads=_always, may_ask=_may_call),
    MoveToken: _row(_move, loads.load_for_move, looks_at_heads=_goes_first, may_do=_may_move),
    TransferToken: _row(
        _transfer,
        loads.load_for_transfer,
        departments=lambda command: (command.department_id, command.to),
        looks_at_heads=_goes_first,
        may_do=_may_transfer,
    ),
    EditToken: _row(_edit, loads.load_token, may_do=_may_move),
    UndoMove: _row(
        _undo,
        loads.load_for_undo,
        departments=lambda command: tuple(filter(None, (command.department_id, command.back_to))),
        may_do=_may_move,
    ),
    MarkNearTurn: _row(_mark_near_turn, loads.load_for_near_turn, failpoints=None),
    Housekeep: _row(_housekeep, loads.load_for_housekeeping, failpoints=None),
}
