"""The public state of a branch: what a board needs to begin, before it follows the events."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tokenq.contract.board_views import RECENT_CALLS, BoardCallView, BoardDepartmentView, BoardEstimateView, BoardView
from tokenq.contract.enums import AT_COUNTER, Priority, TokenState
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import SetupReason
from tokenq_server.domain.department import Department
from tokenq_server.domain.estimate import Forecast
from tokenq_server.domain.hours import hours_document
from tokenq_server.domain.permissions import departments_to_watch
from tokenq_server.domain.principal import Principal
from tokenq_server.services.setup_views import Branch
from tokenq_server.services.views import instant

_SHOWN = AT_COUNTER | {TokenState.SERVED, TokenState.NO_SHOW}


@dataclass(frozen=True)
class LastCall:
    """The last call of a token: the log's entry, and where the token is now."""

    payload: str
    token_id: int
    state: TokenState
    department_id: str
    counter_id: str | None


@dataclass(frozen=True)
class PublicDepartment:
    """A department at one moment. ``last_event`` is the entry at ``seq``; ``expired`` are ids and the time.

    ``waiting_normal`` counts who waits in the normal class.
    """

    department: Department
    day: str
    seq: int
    last_event: str
    waiting: Sequence[int] = ()
    calls: Sequence[LastCall] = ()
    paused: Sequence[str] = ()
    expired: tuple[Sequence[int], datetime] | None = None
    waiting_normal: int = 0


@dataclass(frozen=True)
class PublicBranch:
    """A branch at one moment; ``heads`` is the last seq of every department's log, those of other branches too."""

    now: datetime
    branch: Branch
    departments: Sequence[PublicDepartment] = ()
    heads: Mapping[str, int] = field(default_factory=dict)


class BoardStore(Protocol):
    """Storage of what boards show."""

    async def public_branch(self, branch_id: str, only: Collection[str]) -> PublicBranch | None:
        """Return a branch, all from one moment, limited to departments (empty: all); ``None`` if there is none."""


class Boards:
    """Answers what a board shows; ``forecast_of`` returns the last forecast of a department, from memory."""

    def __init__(self, store: BoardStore, forecast_of: Callable[[str], Forecast | None] = lambda _: None) -> None:
        self._store, self._forecast_of = store, forecast_of

    async def board(self, branch_id: str, reader: Principal) -> BoardView:
        """Return the public state of a branch. Raises Refused (``unknown_branch``)."""
        only = departments_to_watch(reader, ())
        branch = await self._store.public_branch(branch_id, only)
        if branch is None:
            raise refuse(SetupReason.UNKNOWN_BRANCH, branch=branch_id)
        heads = sorted((name, seq) for name, seq in branch.heads.items() if not only or name in only)
        return {
            "at": instant(branch.now) or "",
            "branchId": branch.branch.branch_id,
            "name": branch.branch.name,
            "timezone": branch.branch.timezone,
            "languages": list(branch.branch.languages),
            "counterWords": dict(branch.branch.counter_words),
            "departments": [
                {**_department_view(public), "estimate": self._estimate(public)} for public in branch.departments
            ],
            "position": ",".join(f"{name}:{seq}" for name, seq in heads),
        }

    def _estimate(self, public: PublicDepartment) -> BoardEstimateView | None:
        forecast = self._forecast_of(public.department.department_id)
        wait = forecast.at(Priority.NORMAL, public.waiting_normal + 1) if forecast else None
        if wait is None or wait.low_minutes is None or wait.high_minutes is None:
            return None
        return {"lowMinutes": wait.low_minutes, "highMinutes": wait.high_minutes}


def _department_view(public: PublicDepartment) -> BoardDepartmentView:
    department = public.department
    expired, at = public.expired or ((), None)
    last_event = json.loads(public.last_event)
    day = max(public.day, last_event["businessDay"])  # a change of its settings does not yet begin a day
    return {
        "departmentId": department.department_id,
        "name": department.name,
        "open": department.is_open,
        "timezone": department.timezone,
        "hours": hours_document(department.hours) if department.hours else None,
        "businessDay": day,
        "seq": public.seq,
        "lastEventAt": last_event["timestamp"],
        "waiting": len(public.waiting),
        "waitingIds": list(public.waiting),
        "calls": _calls(public, day),
        "paused": sorted(public.paused),
        "expired": {"tokenIds": list(expired), "at": instant(at) or ""} if at else None,
    }


def _calls(public: PublicDepartment, day: str) -> list[BoardCallView]:
    """The calls that a board shows: those at counters, and the last ones of the day that are over."""
    calls = [
        (call, event)
        for call in public.calls
        if call.department_id == public.department.department_id and call.state in _SHOWN
        for event in [json.loads(call.payload)]
        if call.state in AT_COUNTER or event["businessDay"] == day
    ]
    newest = sorted(calls, key=lambda known: known[1]["seq"], reverse=True)
    return [
        _call_view(call, event)
        for place, (call, event) in enumerate(newest)
        if place < RECENT_CALLS or call.state in AT_COUNTER
    ]


def _call_view(call: LastCall, event: Mapping[str, Any]) -> BoardCallView:
    times = (event.get("data") or {}).get("call")
    is_there = call.state in AT_COUNTER
    return {
        "tokenId": call.token_id,
        "displayNumber": event["displayNumber"],
        "counterId": (call.counter_id if is_there else None) or event["counterId"],
        "state": str(call.state),
        "times": times if isinstance(times, int) and times > 0 else 1,
        "calledAt": event["timestamp"],
        "seq": event["seq"],
        "eventId": event["eventId"],
    }
