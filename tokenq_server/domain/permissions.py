"""Who may do what to which token, counter and department. No other module knows what a role may.

The roles of a verb stand in the table of verbs; this adds department, owner and state. What depends on a token is
decided on the token as the batch holds it, under the lock, since it may have changed since the caller saw it.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from tokenq.contract.enums import Priority, Role, TokenState
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import CounterReason, DepartmentReason, TokenReason
from tokenq.contract.reasons.setup import AccountReason
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.domain.commands import Issue
from tokenq_server.domain.department import Department
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.refusals import unknown_token
from tokenq_server.domain.token import Token

MAY: dict[Role, str] = {
    Role.ADMIN: "set up branches, departments, users and keys, and do everything staff may do",
    Role.STAFF: "issue, call, serve and move tokens of their departments",
    Role.DESK: "issue tokens in their departments, cancel who still waits, and look at tokens and queues",
    Role.CUSTOMER: "issue, see and cancel their own tokens",
}
"""Each role in one sentence."""

ADMINS = frozenset({Role.ADMIN})
STAFF = ADMINS | {Role.STAFF}
WORKERS = STAFF | {Role.DESK}
ANYBODY = WORKERS | {Role.CUSTOMER}


def check_role(caller: Principal, roles: Collection[Role]) -> None:
    """Raises Refused (``forbidden``) for a caller of none of the roles."""
    if caller.role not in roles:
        raise refuse(AccountReason.WRONG_ROLE, role=str(caller.role))


def check_own_password(caller: Principal) -> None:
    """Raises Refused (``forbidden``) while the caller has the password that somebody else chose."""
    if caller.must_change_password:
        raise refuse(AccountReason.FIRST_PASSWORD)


def works_in(caller: Principal, department_id: str) -> bool:
    """Whether staff's work in a department is the caller's to do."""
    return caller.role is Role.ADMIN or (caller.role is Role.STAFF and _covers(caller, department_id))


def check_works_in(caller: Principal, department_id: str) -> None:
    """Raises Refused (``forbidden``) for those who are not staff of the department."""
    if not works_in(caller, department_id):
        raise refuse(DepartmentReason.NOT_YOURS, department=department_id)


def departments_to_call_from(caller: Principal, counter_id: str, departments: Iterable[str]) -> tuple[str, ...]:
    """Those of a counter's departments from which the caller may call. Raises Refused (``forbidden``) if none is."""
    own = tuple(one for one in departments if works_in(caller, one))
    if not own:
        raise refuse(CounterReason.SERVES_OTHERS, counter=counter_id)
    return own


def is_colleague(caller: Principal, departments: Collection[str]) -> bool:
    """Whether the caller is staff of what a counter serves; one without a profile serves everything."""
    return not departments or any(sees_people_of(caller, one) for one in departments)


def check_issue(command: Issue) -> None:
    """Raises Refused (``forbidden``) for who may not issue there, to that person, of that class or by force."""
    caller = command.caller
    if not (caller.role is Role.CUSTOMER or _issues_in(caller, command.department_id)):
        raise refuse(DepartmentReason.MAY_NOT_ISSUE, department=command.department_id)
    if command.is_forced and caller.role is Role.DESK:
        raise refuse(DepartmentReason.MAY_NOT_FORCE)
    if caller.role is Role.CUSTOMER:
        if command.priority is not Priority.NORMAL or command.is_forced:
            raise refuse(DepartmentReason.MAY_NOT_PRIORITISE)
        if command.user_id not in (None, caller.user_id) or caller.user_id is None:
            raise refuse(DepartmentReason.ONLY_FOR_YOURSELF)


def as_permitted(command: Issue) -> Issue:
    """The command; a customer's is for that customer, whose letters go to the registered address."""
    if command.caller.role is not Role.CUSTOMER:
        return command
    return replace(command, user_id=command.caller.user_id, name=None, email=None)


def check_out_of_order(caller: Principal, department: Department) -> None:
    """Raises Refused (``forbidden``) where only admins may choose whom to call."""
    if department.rules.out_of_order_by == "admin" and caller.role is not Role.ADMIN:
        raise refuse(TokenReason.OUT_OF_ORDER_BY_STAFF, department=department.department_id)


def check_move(caller: Principal, verb: Verb, token: Token) -> None:
    """Decide who may move a token, as it is now.

    Raises:
        Refused: ``forbidden``; ``unknown_token`` for one that is not the caller's to see.
    """
    check_role(caller, VERBS[verb].roles)
    if not sees(caller, token):
        raise unknown_token(token.token_id)
    if caller.role is Role.CUSTOMER:
        return
    if caller.role is Role.DESK and _issues_in(caller, token.department_id):
        # Who put somebody in line may take them out again, until they are called.
        if token.state is not TokenState.WAITING:
            raise refuse(TokenReason.CANCEL_BY_DESK, number=token.display, state=str(token.state))
        return
    check_works_in(caller, _home(verb, token))


def sees(caller: Principal, token: Token) -> bool:
    """Whether there is such a token, as far as the caller is concerned."""
    return caller.role is not Role.CUSTOMER or _owns(caller, token)


def owner_to_list(caller: Principal, asked_for: int | None) -> int | None:
    """Whose tokens a list may hold, of those asked for; ``None``: anybody's. There is no user 0."""
    return caller.user_id or 0 if caller.role is Role.CUSTOMER else asked_for


def sees_person(caller: Principal, token: Token) -> bool:
    """Whether the caller may know whose token it is."""
    return _owns(caller, token) or sees_people_of(caller, token.department_id)


def sees_people_of(caller: Principal, department_id: str) -> bool:
    """Whether names, addresses and notes of a department's tokens are for the caller's eyes."""
    return works_in(caller, department_id)


def _home(verb: Verb, token: Token) -> str:
    """Where one must be staff: who sent somebody on by a slip need not be staff over there to take it back."""
    back_to = token.undo.was.get("department_id") if verb is Verb.UNDO and token.undo else None
    return back_to or token.department_id


def _owns(caller: Principal, token: Token) -> bool:
    return token.user_id is not None and token.user_id == caller.user_id


def _issues_in(caller: Principal, department_id: str) -> bool:
    return caller.role is Role.ADMIN or (caller.role in WORKERS and _covers(caller, department_id))


def _covers(caller: Principal, department_id: str) -> bool:
    return not caller.departments or department_id in caller.departments
