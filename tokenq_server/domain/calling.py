"""Calling: the next token by policy or by a counter's work profile, or a chosen token out of order."""

from collections.abc import Sequence
from typing import Any

from tokenq.contract.enums import TokenState
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq.contract.verbs import Verb
from tokenq_server.domain.commands import CallByProfile, CallNext, CallToken, ServeNext
from tokenq_server.domain.copies import replace
from tokenq_server.domain.counters import Operator, busy
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.moving import check_table
from tokenq_server.domain.permissions import check_out_of_order
from tokenq_server.domain.policy import Choice, choose
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.profile import first_of_profile
from tokenq_server.domain.token import Token

OUT_OF_ORDER = "called out of order"
"""Rule recorded for a call out of order. The operator's reason is stored with the call, for the department's staff."""


def call_next(session: DepartmentSession, command: CallNext) -> Token:
    """Call the next token; return the held one if the counter already holds a token of this department.

    Raises:
        Refused: ``queue_empty``, ``counter_busy``, ``counter_paused``, ``counter_claimed``, ``counter_closed``,
            ``counter_not_serving``, ``unknown_counter``.
    """
    return _next(session, command)


def call_by_profile(sessions: Sequence[DepartmentSession], command: CallByProfile) -> Token:
    """Call the next token from the first department of a work profile that has waiting customers.

    Tokens past their department's maximum wait go first. Raises Refused as :func:`call_next`.
    """
    first = sessions[0]
    held = first.counters.held(first.department.branch_id, command.counter_id)
    if held:
        first.counters.check_claim(first.department.branch_id, command.counter_id, command.operator, first.now)
    for session in sessions:
        if held and held.department_id == session.id:
            return held
    if held:
        raise busy(command.counter_id, held)
    choices = [(session, choice) for session in sessions if (choice := _choice(session))]
    if not choices:
        raise _empty(*sessions)
    policies = [(choice, session.department.policy) for session, choice in choices]
    best = first_of_profile(policies, sessions[0].now, is_ordered=command.is_ordered)
    session, choice = choices[best]
    _check_can_call(session, command)
    session.count_call(choice.waiting.priority)
    rule = (
        choice.rule if len(sessions) == 1 else f"{choice.rule}; {session.id} was next for counter {command.counter_id}"
    )
    return _call(session, session.tokens[choice.waiting.token_id], command.counter_id, rule, command.caller)


def call_token(session: DepartmentSession, command: CallToken) -> Token:
    """Call one token out of order and store the reason with the call.

    Raises:
        Refused: as :func:`call_next`; ``forbidden`` where only admins may.
    """
    token = session.token(command.token_id)
    held = _held_here(session, command.counter_id, command.operator)
    if held and held.token_id == token.token_id:
        return held
    if held:
        raise busy(command.counter_id, held)
    check_out_of_order(command.caller, session.department)
    check_table(token, Verb.CALL)
    _check_can_call(session, command)
    return _call(session, token, command.counter_id, OUT_OF_ORDER, command.caller, note=command.reason)


def serve_next(session: DepartmentSession, command: ServeNext) -> Token:
    """Serve the token that the counter holds, or call and serve the next one in one step. Both events are logged."""
    token = _next(session, command, is_served_at_once=True)
    started = token.started_at or token.called_at
    served = replace(token, state=TokenState.SERVED, served_at=session.now, started_at=started)
    return session.move(token, served, Verb.SERVE, command.caller, {})


def _next(session: DepartmentSession, command: CallNext | ServeNext, *, is_served_at_once: bool = False) -> Token:
    counter_id, operator = command.counter_id, command.operator
    if held := _held_here(session, counter_id, operator):
        return held
    choice = _choice(session)
    if choice is None:
        raise _empty(session)
    _check_can_call(session, command)
    session.count_call(choice.waiting.priority)
    token = session.tokens[choice.waiting.token_id]
    return _call(session, token, counter_id, choice.rule, command.caller, is_served_at_once=is_served_at_once)


def _check_can_call(session: DepartmentSession, command: CallNext | CallByProfile | CallToken | ServeNext) -> None:
    session.counters.check_can_call(
        session.department, command.counter_id, command.operator, session.now, may_create=command.may_create
    )


def _choice(session: DepartmentSession) -> Choice | None:
    return choose(session.heads(), session.head.turn, session.department.policy, session.now)


def _held_here(session: DepartmentSession, counter_id: str, operator: Operator) -> Token | None:
    """Return the token that the counter holds, provided that ``operator`` may act for the counter."""
    held = session.counters.held(session.department.branch_id, counter_id)
    if held:
        session.counters.check_claim(session.department.branch_id, counter_id, operator, session.now)
    if held and held.department_id != session.id:
        raise busy(counter_id, held)
    return held


def _call(
    session: DepartmentSession,
    token: Token,
    counter_id: str,
    rule: str,
    caller: Principal,
    *,
    is_served_at_once: bool = False,
    note: str | None = None,
) -> Token:
    called = replace(
        token,
        state=TokenState.CALLED,
        counter_id=counter_id,
        claim_version=token.claim_version + 1,
        calls=token.calls + 1,
        reason=rule,
        called_at=session.now,
        last_call_at=session.now,
    )
    data: dict[str, Any] = {"reason": rule, "call": called.calls}
    if is_served_at_once:
        data["served"] = True
    return session.move(token, called, Verb.CALL, caller, data, note)


def _empty(*sessions: DepartmentSession) -> Refused:
    return refuse(DepartmentReason.EMPTY, departments=[session.id for session in sessions], department=sessions[0].id)
