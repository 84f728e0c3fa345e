"""Issuing: a new token, its number, and the promised wait."""

from typing import Any

from tokenq.contract.enums import SelfService, TokenState
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq_server.domain.admission import check_admission
from tokenq_server.domain.commands import Issue
from tokenq_server.domain.copies import replace
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.estimate import UNKNOWN, Estimate
from tokenq_server.domain.refusals import already_waiting
from tokenq_server.domain.token import Token


def issue(session: DepartmentSession, command: Issue, token_id: int) -> Token:
    """Issue a token under the day's next number.

    Raises:
        Refused: ``department_closed``, ``department_full`` (neither when forced), ``already_waiting``; ``forbidden``,
            visitors take no numbers there.
    """
    if command.caller.is_visitor and session.department.rules.self_service != SelfService.ON:
        raise refuse(DepartmentReason.NO_SELF_SERVICE, department=session.department.name)
    if not command.is_forced:
        check_admission(session, command)
    if live := session.live_token_of(command.user_id):
        raise already_waiting(live)
    promised, position = _estimated_wait(session, command), session.next_position(command.priority)
    token = _token(session, command, token_id, promised)
    # A customer already near the head learns the position with the number and needs no notification about it.
    token = replace(token, is_near_told=position <= token.near_turn)
    data: dict[str, Any] = {"position": position, "estimate": promised.view()}
    if command.is_forced:
        data["forced"] = True
    if command.language:
        data["language"] = command.language
    return session.add(token, command.caller.actor, data)


def _token(session: DepartmentSession, command: Issue, token_id: int, promised: Estimate) -> Token:
    department, number = session.department, session.next_number()
    near_turn = department.rules.near_turn if command.near_turn is None else command.near_turn
    return Token(
        token_id=token_id,
        department_id=session.id,
        branch_id=department.branch_id,
        day=session.head.day,
        number=number,
        display=session.printed(number),
        state=TokenState.WAITING,
        priority=command.priority,
        place=session.last_place,
        original_place=session.last_place,
        issued_at=session.now,
        waiting_since=session.now,
        user_id=command.user_id,
        name=command.name,
        email=command.email,
        issued_in=session.id,
        # A notification that cannot be sent is not worth an event.
        near_turn=near_turn if command.email else 0,
        estimate_low=promised.low_minutes,
        estimate_high=promised.high_minutes,
        language=command.language,
    )


def _estimated_wait(session: DepartmentSession, command: Issue) -> Estimate:
    index = session.head.waiting.get(command.priority, 0) + 1
    return session.forecast.at(command.priority, index) if session.forecast else UNKNOWN
