"""Admission: whether a department takes another customer now, by its setting ``admission``."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from tokenq.contract.enums import Admission, Priority
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq_server.domain.commands import Issue
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.hours import Opening, opening
from tokenq_server.domain.service_time import ENOUGH


def check_admission(session: DepartmentSession, command: Issue) -> None:
    """Refuse a customer whom the department does not take now; staff may force it.

    A department that is closed by hand and the daily cap always refuse. ``hours`` adds the opening hours and the last
    token's time before closing, ``capacity`` adds those and what the counters can still serve.

    Raises:
        Refused: ``department_closed``, ``department_full``.
    """
    department = session.department
    if not department.is_open:
        raise refuse(DepartmentReason.CLOSED, **_names(session))
    hours = department.hours if department.rules.admission != Admission.OFF else None
    now = opening(hours, session.now, department.timezone)
    if not now.is_open:
        raise _outside_hours(session, now)
    check_cap(session)
    if now.closes_at is None:
        return
    left = (now.closes_at - session.now).total_seconds()
    if left < department.rules.last_token_minutes * 60:
        raise refuse(DepartmentReason.CLOSES_SOON, **_names(session))
    if department.rules.admission == Admission.CAPACITY and command.priority is not Priority.URGENT:
        _check_capacity(session, left)


def check_cap(session: DepartmentSession, count: int = 1) -> None:
    """Refuse as many new customers as exceed the daily cap.

    Raises:
        Refused: ``department_full``; ``index`` in the problem is the first of them that does not fit.
    """
    cap, given = session.department.rules.daily_cap, session.head.given
    if not cap or given + count <= cap:
        return
    left, names = max(cap - given, 0), _names(session)
    extra = {"index": left} if count > 1 else {}
    if left:
        raise refuse(DepartmentReason.CAP_LEAVES_FEWER, extra, **names, cap=cap, given=given, left=left, count=count)
    raise refuse(DepartmentReason.CAP_REACHED, extra, **names, cap=cap, given=given)


def _check_capacity(session: DepartmentSession, seconds_left: float) -> None:
    """Refuse a customer whom the counters could not serve before closing, if today has shown how fast they are.

    With fewer services, the department's setting would decide. That so many were served also shows that a counter was
    open today.
    """
    forecast = session.forecast
    if forecast is None or forecast.services_learned < ENOUGH:
        return
    # At a moment without an open counter, such as lunch, one is expected to open again.
    capacity = seconds_left * max(forecast.counters_open, 1) / forecast.service_seconds
    if sum(session.head.waiting.values()) + 1 > capacity:
        raise refuse(DepartmentReason.NO_TIME_LEFT, **_names(session))


def _outside_hours(session: DepartmentSession, now: Opening) -> Refused:
    """The refusal outside opening hours, with the next opening if there is one."""
    department, named = session.department, _names(session)
    zone = ZoneInfo(department.timezone)
    opens = now.opens_at
    extra = {"opensAt": opens.astimezone(UTC).isoformat() if opens else None}
    hours, today = department.hours, session.now.astimezone(zone).date()
    is_all_day = hours is not None and not hours.of(today)
    if opens is None:
        reason = DepartmentReason.CLOSED_TODAY_FOR_GOOD if is_all_day else DepartmentReason.CLOSED_NOW_FOR_GOOD
        return refuse(reason, extra, **named)
    reason = DepartmentReason.CLOSED_TODAY if is_all_day else DepartmentReason.CLOSED_NOW
    return refuse(reason, extra, **named, when=f"{opens.astimezone(zone):%a %Y-%m-%d at %H:%M}")


def _names(session: DepartmentSession) -> dict[str, Any]:
    return {"name": session.department.name, "department": session.id}
