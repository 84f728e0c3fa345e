"""Permissions: who may do what with a token, counter or department. The only module that decides this.

A verb's roles come from the table of verbs; this module adds department, owner and state. What depends on a token is
decided under the lock, since the token may have changed since the caller saw it.
"""

from collections.abc import Collection, Iterable

from tokenq.contract.enums import Priority, RequeuePosition, Role, TokenState
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import CounterReason, DepartmentReason, TokenReason
from tokenq.contract.reasons.setup import AccountReason
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.domain.commands import Issue, TransferToken
from tokenq_server.domain.copies import replace
from tokenq_server.domain.counters import Counter
from tokenq_server.domain.department import Department
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.refusals import unknown_token
from tokenq_server.domain.token import Token, Whereabouts

MAY: dict[Role, str] = {
    Role.ADMIN: "manage branches, departments, users and keys, and do everything staff may do",
    Role.STAFF: "issue, call, serve and move tokens in their departments",
    Role.DESK: "edit, transfer and cancel waiting tokens; undo their own moves; view tokens and queues",
    Role.BOARD: "read public events and the public state of a branch, without names and addresses",
    Role.CUSTOMER: "issue, view and cancel their own tokens",
}
"""Each role in one sentence."""

ADMINS = frozenset({Role.ADMIN})
STAFF = ADMINS | {Role.STAFF}
WORKERS = STAFF | {Role.DESK}
ANYBODY = WORKERS | {Role.CUSTOMER}
"""Every role but that of boards, which read only what ``BOARDS`` and ``WATCHERS`` may."""
BOARD_ONLY = frozenset({Role.BOARD})
BOARDS = STAFF | {Role.BOARD}
"""Who may read the public state of a branch."""
MONITORS = WORKERS | {Role.BOARD}
"""Who may see the figures of the system; a monitor needs no more than a board's key."""
WATCHERS = ANYBODY | {Role.BOARD}
"""Who may follow the events."""


def check_role(caller: Principal, roles: Collection[Role]) -> None:
    """Raise Refused (``forbidden``) unless the caller has one of the roles."""
    if caller.role not in roles:
        raise refuse(AccountReason.WRONG_ROLE, role=str(caller.role))


def check_own_password(caller: Principal) -> None:
    """Raise Refused (``forbidden``) while the caller's password is one set by someone else."""
    if caller.must_change_password:
        raise refuse(AccountReason.FIRST_PASSWORD)


def check_has_password(caller: Principal) -> None:
    """Raise Refused (``forbidden``) for a key: only users have passwords."""
    if caller.user_id is None:
        raise refuse(AccountReason.KEY_HAS_NO_PASSWORD)


def works_in(caller: Principal, department_id: str) -> bool:
    """Whether the caller may do staff work in a department."""
    return caller.role is Role.ADMIN or (caller.role is Role.STAFF and _covers(caller, department_id))


def departments_to_issue_in(caller: Principal) -> frozenset[str] | None:
    """The departments in which the caller may issue to others; ``None``: in all of them."""
    if caller.role not in WORKERS:
        return frozenset()
    return None if caller.role is Role.ADMIN else caller.departments or None


def issues_in(caller: Principal, department_id: str) -> bool:
    """Whether the caller may issue to others in a department."""
    departments = departments_to_issue_in(caller)
    return departments is None or department_id in departments


def check_works_in(caller: Principal, department_id: str) -> None:
    """Raise Refused (``forbidden``) unless the caller is staff of the department."""
    if not works_in(caller, department_id):
        raise refuse(DepartmentReason.NOT_YOURS, department=department_id)


def departments_to_call_from(caller: Principal, counter_id: str, departments: Iterable[str]) -> tuple[str, ...]:
    """Those of a counter's departments from which the caller may call.

    Raises Refused (``forbidden``) if there are none.
    """
    own = tuple(name for name in departments if works_in(caller, name))
    if not own:
        raise refuse(CounterReason.SERVES_OTHERS, counter=counter_id)
    return own


def check_takes_counter(caller: Principal, counter: Counter, held: Token | None) -> None:
    """Check that a caller who claims a counter may serve the token that it holds, unless the counter is theirs already.

    Raises Refused (``forbidden``): the counter would be stuck.
    """
    owner = (counter.operator_identity or "").partition("#")[0]
    if held is not None and owner != caller.identity and not works_in(caller, held.department_id):
        params = {"counter": counter.counter_id, "number": held.display, "department": held.department_id}
        raise refuse(CounterReason.HOLDS_OTHERS, {"tokenId": held.token_id}, **params)


def departments_to_report(caller: Principal, departments: Iterable[str]) -> list[str]:
    """Those of a branch's departments whose figures the caller may see.

    Raises Refused (``forbidden``) if there are some, but none of them.
    """
    all_of_them = list(departments)
    own = [name for name in all_of_them if works_in(caller, name)]
    if all_of_them and not own:
        raise refuse(DepartmentReason.NOT_YOURS, department=all_of_them)
    return own


def departments_to_watch(caller: Principal, asked_for: Collection[str]) -> frozenset[str]:
    """The departments whose events and public state the caller gets, given the requested ones; empty: all.

    Only a board's key limits it to its departments. Raises Refused (``forbidden``) if another one is requested.
    """
    requested = frozenset(asked_for)
    if caller.role is not Role.BOARD or not caller.departments:
        return requested
    if strange := sorted(requested - caller.departments):
        raise refuse(DepartmentReason.NOT_ON_BOARD, department=strange)
    return requested or caller.departments


def is_public_reader(caller: Principal) -> bool:
    """Whether the caller gets nothing but the public part of events."""
    return caller.role is Role.BOARD


def is_colleague(caller: Principal, departments: Collection[str]) -> bool:
    """Whether the caller is staff of a department that a counter serves; without a profile it serves all."""
    return not departments or any(sees_people_of(caller, name) for name in departments)


def check_issue(command: Issue) -> None:
    """Raise Refused (``forbidden``) unless the caller may issue there, to that person, in that class, or by force."""
    caller = command.caller
    if not (caller.role is Role.CUSTOMER or issues_in(caller, command.department_id)):
        raise refuse(DepartmentReason.MAY_NOT_ISSUE, department=command.department_id)
    if command.is_forced and caller.role is Role.DESK:
        raise refuse(DepartmentReason.MAY_NOT_FORCE)
    if caller.role is Role.CUSTOMER:
        if command.priority is not Priority.NORMAL or command.is_forced:
            raise refuse(DepartmentReason.MAY_NOT_PRIORITISE)
        if not caller.is_visitor and (command.user_id not in (None, caller.user_id) or caller.user_id is None):
            raise refuse(DepartmentReason.ONLY_FOR_YOURSELF)


def as_permitted(command: Issue) -> Issue:
    """Return the command as permitted: a customer's token is for that customer, at the registered address."""
    if command.caller.role is not Role.CUSTOMER:
        return command
    if command.caller.is_visitor:
        return replace(command, user_id=None, name=None, email=None)
    return replace(command, user_id=command.caller.user_id, name=None, email=None)


def check_out_of_order(caller: Principal, department: Department) -> None:
    """Raise Refused (``forbidden``) where only admins may call out of order."""
    if department.rules.out_of_order_by == Role.ADMIN and caller.role is not Role.ADMIN:
        raise refuse(TokenReason.OUT_OF_ORDER_BY_STAFF, department=department.department_id)


def check_position(caller: Principal, command: TransferToken) -> None:
    """Refuse to put a token before everybody of its class where the caller does not work. Raises ``forbidden``."""
    if command.position is RequeuePosition.FIRST and not works_in(caller, command.to):
        raise refuse(DepartmentReason.MAY_NOT_PUT_FIRST, department=command.to)


def check_move(caller: Principal, verb: Verb, token: Token) -> None:
    """Check that the caller may move a token, in its current state.

    Raises:
        Refused: ``forbidden``; ``unknown_token`` for a token that the caller may not see.
    """
    check_role(caller, VERBS[verb].roles)
    if not sees(caller, token):
        raise unknown_token(token.token_id)
    if caller.role is Role.CUSTOMER:
        return
    if caller.role is Role.DESK and issues_in(caller, _home(verb, token)):
        _check_desk(caller, verb, token)
        return
    check_works_in(caller, _home(verb, token))


def _check_desk(caller: Principal, verb: Verb, token: Token) -> None:
    """Check that a desk repairs only its own mistakes, and nothing that staff have begun. Raises ``forbidden``.

    In a state from which the verb is possible for nobody, a missing permission is not the reason.
    """
    if verb is Verb.UNDO:
        if token.undo is not None and token.undo.by != caller.identity:
            raise refuse(TokenReason.UNDO_BY_DESK, number=token.display)
        return
    if token.state is TokenState.WAITING or token.state not in VERBS[verb].sources:
        return
    state = str(token.state)
    if verb is Verb.CANCEL:
        raise refuse(TokenReason.CANCEL_BY_DESK, number=token.display, state=state)
    raise refuse(TokenReason.WAITING_BY_DESK, number=token.display, state=state, verb=str(verb))


def sees(caller: Principal, token: Token | Whereabouts) -> bool:
    """Whether the token is visible to the caller."""
    return caller.role in WORKERS or _owns(caller, token)


def owner_to_list(caller: Principal, asked_for: int | None) -> int | None:
    """The user whose tokens a list may contain, given the requested one; ``None``: any user. No user has id 0."""
    return asked_for if caller.role in WORKERS else caller.user_id or 0


def sees_person(caller: Principal, token: Token) -> bool:
    """Whether the caller may see whose token it is."""
    return _owns(caller, token) or sees_people_of(caller, token.department_id)


def sees_people_of(caller: Principal, department_id: str) -> bool:
    """Whether the caller may see names, addresses and notes of a department's tokens."""
    return works_in(caller, department_id)


def _home(verb: Verb, token: Token) -> str:
    """The department where the caller must be staff.

    A mistaken transfer may be undone by the department it came from.
    """
    back_to = token.undo.was.get("department_id") if verb is Verb.UNDO and token.undo else None
    return back_to or token.department_id


def _owns(caller: Principal, token: Token | Whereabouts) -> bool:
    if caller.token_id is not None:
        return isinstance(token, Token) and token.token_id == caller.token_id
    return token.user_id is not None and token.user_id == caller.user_id


def _covers(caller: Principal, department_id: str) -> bool:
    return not caller.departments or department_id in caller.departments
