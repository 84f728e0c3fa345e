"""Tokens in the API's format."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from tokenq.contract.enums import LIVE, TokenState
from tokenq.contract.notice_views import AlarmView, OtherCounterView
from tokenq.contract.verbs import verbs_from
from tokenq.contract.views import CounterView, Counts, EstimateView, HeldView, OpeningView, TokenView
from tokenq_server.domain.counters import Counter
from tokenq_server.domain.department import Department
from tokenq_server.domain.hours import opening
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.token import Token
from tokenq_server.domain.wait_alarms import WaitAlarm, WaitFigures, wait_alarms


def instant(moment: datetime | None) -> str | None:
    """Format a time as RFC 3339 in UTC with milliseconds; ``None`` stays ``None``."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def token_view(
    token: Token,
    now: datetime,
    position: int | None = None,
    estimate: EstimateView | None = None,
    *,
    shows_person: bool = True,
) -> TokenView:
    """Return a token as of ``now``, for a reader who may or may not see whose it is."""
    can_undo = token.undo is not None and token.undo.until > now
    return {
        "tokenId": token.token_id,
        "tokenNo": token.number,
        "displayNumber": token.display,
        "departmentId": token.department_id,
        "branchId": token.branch_id,
        "businessDay": token.day.isoformat(),
        "state": str(token.state),
        "priority": str(token.priority),
        "userId": token.user_id if shows_person else None,
        "name": token.name if shows_person else None,
        "email": token.email if shows_person else None,
        "counterId": token.counter_id,
        "claimVersion": token.claim_version,
        "calls": token.calls,
        "reason": token.reason,
        "position": position,
        "issuedAt": instant(token.issued_at) or "",
        "calledAt": instant(token.called_at),
        "startedAt": instant(token.started_at),
        "servedAt": instant(token.served_at),
        "returnsUntil": None if token.state in LIVE else token.last_day.isoformat(),
        "parkedUntil": instant(token.parked_until),
        "nearTurn": token.near_turn,
        "language": token.language,
        "estimate": estimate,
        "moves": [str(verb) for verb in verbs_from(token.state, can_undo=can_undo)],
    }


def counter_view(counter: Counter, held: Token | None, forgotten: Collection[int] | None = None) -> CounterView:
    """Return a counter with the token it holds; ``forgotten`` are the ids of forgotten tokens, where that is known."""
    return {
        "branchId": counter.branch_id,
        "counterId": counter.counter_id,
        "state": str(counter.state),
        "reason": counter.reason,
        "operator": counter.operator,
        "leaseUntil": instant(counter.lease_until),
        "departments": list(counter.departments),
        "isDeclared": counter.is_declared,
        "token": None if held is None else _held_view(held, forgotten),
    }


def alarm_views(figures: WaitFigures, rules: Rules) -> list[AlarmView]:
    """Return the alarms about a department's waits that are on."""
    limits = {
        WaitAlarm.SERVICE_LEVEL: rules.service_level_minutes,
        WaitAlarm.LONGEST_WAIT: rules.longest_wait_minutes,
    }
    longest = int(figures.longest_seconds // 60)
    return [
        {"name": str(alarm), "limitMinutes": limits[alarm], "late": figures.late, "longestMinutes": longest}
        for alarm in wait_alarms(figures, rules)
    ]


def other_counter_view(token: Token, *, shows: bool) -> OtherCounterView:
    """Return at which counter a token is, and with ``shows`` which token it is."""
    return {
        "branchId": token.branch_id,
        "counterId": token.counter_id or "",
        "displayNumber": token.display if shows else None,
        "departmentId": token.department_id if shows else None,
    }


def _held_view(held: Token, forgotten: Collection[int] | None) -> HeldView:
    view: HeldView = {
        "tokenId": held.token_id,
        "displayNumber": held.display,
        "departmentId": held.department_id,
        "state": str(held.state),
        "since": instant(held.started_at if held.state is TokenState.SERVING else held.last_call_at),
    }
    if forgotten is not None:
        view["isForgotten"] = held.token_id in forgotten
    return view


def opening_view(department: Department, moment: datetime) -> OpeningView:
    """Return whether a department takes customers at a moment, and when that changes."""
    now = opening(department.hours, moment, department.timezone)
    return {
        "isOpen": department.is_open and now.is_open,
        "opensAt": instant(now.opens_at),
        "closesAt": instant(now.closes_at),
    }


def counts_view(counts: Mapping[TokenState, int]) -> Counts:
    """Return how many tokens are in which state."""

    def of(state: TokenState) -> int:
        return counts.get(state, 0)

    return {
        "waiting": of(TokenState.WAITING),
        "called": of(TokenState.CALLED),
        "serving": of(TokenState.SERVING),
        "parked": of(TokenState.PARKED),
        "served": of(TokenState.SERVED),
        "noShow": of(TokenState.NO_SHOW),
        "cancelled": of(TokenState.CANCELLED),
        "expired": of(TokenState.EXPIRED),
    }
