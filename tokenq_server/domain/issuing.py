"""Issuing: who may take a token, its number, and the promised wait."""

from dataclasses import replace
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from tokenq.contract.enums import TokenState
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq_server.domain.commands import Issue
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.estimate import UNKNOWN, Estimate
from tokenq_server.domain.hours import Opening, opening
from tokenq_server.domain.refusals import already_waiting
from tokenq_server.domain.token import Token


def issue(session: DepartmentSession, command: Issue, token_id: int) -> Token:
    """Issue a token under the day's next number.

    Raises:
        Refused: ``department_closed``, ``department_full`` (neither when forced), ``already_waiting``.
    """
    if not command.is_forced:
        _check_open(session)
    if live := session.live_token_of(command.user_id):
        raise already_waiting(live)
    promised, position = _estimated_wait(session, command), session.next_position(command.priority)
    token = _token(session, command, token_id, promised)
    # A customer already near the head learns the position with the number and needs no notification about it.
    token = replace(token, is_near_told=position <= token.near_turn)
    data: dict[str, Any] = {"position": position, "estimate": promised.view()}
    if command.is_forced:
        data["forced"] = True
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
    )


def _estimated_wait(session: DepartmentSession, command: Issue) -> Estimate:
    index = session.head.waiting.get(command.priority, 0) + 1
    return session.forecast.at(command.priority, index) if session.forecast else UNKNOWN


def _check_open(session: DepartmentSession) -> None:
    department = session.department
    if not department.is_open:
        raise refuse(DepartmentReason.CLOSED, name=department.name, department=session.id)
    now = opening(department.hours, session.now, department.timezone)
    if not now.is_open:
        raise _outside_hours(session, now)
    cap = department.rules.daily_cap
    if cap and (given := session.head.given) >= cap:
        raise refuse(DepartmentReason.CAP_REACHED, name=department.name, department=session.id, cap=cap, given=given)
    _check_last_token(session, now)


def _check_last_token(session: DepartmentSession, now: Opening) -> None:
    """Refuse a token that could not be served before closing time, by the current forecast."""
    if now.closes_at is None:
        return
    left = (now.closes_at - session.now).total_seconds()
    named = {"name": session.department.name, "department": session.id}
    if left < session.department.rules.last_token_minutes * 60:
        raise refuse(DepartmentReason.CLOSES_SOON, **named)
    if session.forecast is None:
        return
    # Capacity of the counters until closing; a counter that is yet to open counts as one.
    capacity = left * max(session.forecast.counters_open, 1) / session.forecast.service_seconds
    if sum(session.head.waiting.values()) + 1 > capacity:
        raise refuse(DepartmentReason.NO_TIME_LEFT, **named)


def _outside_hours(session: DepartmentSession, now: Opening) -> Refused:
    """The refusal outside opening hours, with the next opening if there is one."""
    department = session.department
    zone = ZoneInfo(department.timezone)
    named = {"name": department.name, "department": session.id}
    opens = now.opens_at
    extra = {"opensAt": opens.astimezone(UTC).isoformat() if opens else None}
    hours, today = department.hours, session.now.astimezone(zone).date()
    is_all_day = hours is not None and not hours.of(today)
    if opens is None:
        reason = DepartmentReason.CLOSED_TODAY_FOR_GOOD if is_all_day else DepartmentReason.CLOSED_NOW_FOR_GOOD
        return refuse(reason, extra, **named)
    reason = DepartmentReason.CLOSED_TODAY if is_all_day else DepartmentReason.CLOSED_NOW
    return refuse(reason, extra, **named, when=f"{opens.astimezone(zone):%a %Y-%m-%d at %H:%M}")
