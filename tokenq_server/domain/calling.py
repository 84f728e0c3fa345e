"""Calling: the next one by the policy, by a counter's work profile, or one out of order with a reason."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tokenq.contract.advice import Action, advise
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.verbs import Verb
from tokenq.contract.words import TokenState
from tokenq_server.domain.commands import CallByProfile, CallNext, CallToken, ServeNext
from tokenq_server.domain.counters import Operator, busy
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.moving import check_table
from tokenq_server.domain.permissions import check_out_of_order
from tokenq_server.domain.policy import Choice, choose
from tokenq_server.domain.profile import first_of_profile
from tokenq_server.domain.token import Token

OUT_OF_ORDER = "called out of order"
"""The rule of a call that somebody chose; why is kept beside it, for the staff of the department."""


def call_next(floor: Floor, command: CallNext) -> Token:
    """Call whoever is next; if the counter holds somebody of this department, that one is the answer.

    Raises:
        Refused: ``queue_empty``, ``counter_busy``, ``counter_paused``, ``counter_claimed``, ``counter_closed``,
            ``counter_not_serving``.
    """
    return _next(floor, command.counter_id, command.operator)


def call_by_profile(floors: Sequence[Floor], command: CallByProfile) -> Token:
    """Call whoever is next in the departments of a work profile: the first of them in which somebody waits.

    Whoever has waited past the maximum of their department goes before that. Raises Refused as above.
    """
    first = floors[0]
    held = first.counters.held(first.department.branch_id, command.counter_id)
    if held:
        first.counters.check_claim(first.department.branch_id, command.counter_id, command.operator, first.now)
    for floor in floors:
        if held and held.department_id == floor.id:
            return held
    if held:
        raise busy(command.counter_id, held)
    choices = [(floor, choice) for floor in floors if (choice := _choice(floor))]
    if not choices:
        raise _empty(*floors)
    policies = [(choice, floor.department.policy) for floor, choice in choices]
    best = first_of_profile(policies, floors[0].now, is_ordered=command.is_ordered)
    floor, choice = choices[best]
    floor.counters.admit(floor.department, command.counter_id, command.operator, floor.now)
    floor.turn_after(choice.waiting.priority)
    rule = choice.rule if len(floors) == 1 else f"{choice.rule}; {floor.id} was next for counter {command.counter_id}"
    return _call(floor, floor.tokens[choice.waiting.token_id], command.counter_id, rule, command.operator.name)


def call_token(floor: Floor, command: CallToken) -> Token:
    """Call one token out of order; the reason is kept with the call.

    Raises:
        Refused: as above; ``forbidden`` where only admins may.
    """
    token = floor.token(command.token_id)
    held = _held_here(floor, command.counter_id, command.operator)
    if held and held.token_id == token.token_id:
        return held
    if held:
        raise busy(command.counter_id, held)
    check_out_of_order(command.caller, floor.department)
    check_table(token, Verb.CALL)
    floor.counters.admit(floor.department, command.counter_id, command.operator, floor.now)
    return _call(floor, token, command.counter_id, OUT_OF_ORDER, command.operator.name, note=command.reason)


def serve_next(floor: Floor, command: ServeNext) -> Token:
    """Serve the one the counter holds, else the next one, straight to SERVED; leaves both events."""
    token = _next(floor, command.counter_id, command.operator, is_served_at_once=True)
    started = token.started_at or token.called_at
    served = replace(token, state=TokenState.SERVED, served_at=floor.now, started_at=started)
    return floor.move(token, served, Verb.SERVE, command.operator.name, {})


def _next(floor: Floor, counter_id: str, operator: Operator, *, is_served_at_once: bool = False) -> Token:
    if held := _held_here(floor, counter_id, operator):
        return held
    choice = _choice(floor)
    if choice is None:
        raise _empty(floor)
    floor.counters.admit(floor.department, counter_id, operator, floor.now)
    floor.turn_after(choice.waiting.priority)
    token = floor.tokens[choice.waiting.token_id]
    return _call(floor, token, counter_id, choice.rule, operator.name, is_served_at_once=is_served_at_once)


def _choice(floor: Floor) -> Choice | None:
    return choose(floor.heads(), floor.standing.turn, floor.department.policy, floor.now)


def _held_here(floor: Floor, counter_id: str, operator: Operator) -> Token | None:
    """Whom the counter holds; that is no answer for somebody else's operator."""
    held = floor.counters.held(floor.department.branch_id, counter_id)
    if held:
        floor.counters.check_claim(floor.department.branch_id, counter_id, operator, floor.now)
    if held and held.department_id != floor.id:
        raise busy(counter_id, held)
    return held


def _call(
    floor: Floor,
    token: Token,
    counter_id: str,
    rule: str,
    actor: str,
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
        called_at=floor.now,
        last_call_at=floor.now,
    )
    data: dict[str, Any] = {"reason": rule, "call": called.calls}
    if is_served_at_once:
        data["served"] = True
    return floor.move(token, called, Verb.CALL, actor, data, note)


def _empty(*floors: Floor) -> Refused:
    names = ", ".join(floor.id for floor in floors)
    advice = advise(Action.WAIT_FOR_SOMEBODY, department=floors[0].id)
    return refuse(ProblemCode.QUEUE_EMPTY, f"Nobody waits in {names}.", advice)
