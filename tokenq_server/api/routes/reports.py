"""Reports: a day's figures, its log, and what-if simulations."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from typing_extensions import TypedDict

from tokenq.contract import names, paths
from tokenq.contract.enums import ReportBy
from tokenq.contract.report_views import ReportTableView, ReportView, SimulationView
from tokenq_server.api.auth import DepartmentPath, ServicesDep, Staff, Workers
from tokenq_server.api.strictness import StrictRoute
from tokenq_server.services.reporting import RequestedDays, days_requested

router = APIRouter(tags=["reports"], route_class=StrictRoute)
_DEPARTMENT = paths.DEPARTMENTS + "/{department_id}"
_A_DAY = "`today`, `yesterday` or a date; the words mean the branch's business days."
Day = Annotated[
    str | None,
    Query(
        alias="businessDay",
        max_length=16,
        description=f"{_A_DAY} Default: the department's current day.",
        examples=["2026-11-23"],
    ),
]
From = Annotated[
    str | None,
    Query(
        alias="from",
        max_length=16,
        description=f"The first day: {_A_DAY} `last-week` means its Monday, and without `to` that week.",
    ),
]
To = Annotated[
    str | None,
    Query(alias="to", max_length=16, description=f"The last day: {_A_DAY} `last-week` means its Sunday."),
]
By = Annotated[ReportBy | None, Query(description="What the rows stand for.")]


class DayLog(TypedDict):
    """A page of a day's log, as wire events."""

    items: list[dict[str, Any]]
    nextCursor: str | None


@router.get(_DEPARTMENT + "/report")
async def report(
    department_id: DepartmentPath,
    caller: Staff,
    services: ServicesDep,
    business_day: Day = None,
    first: From = None,
    last: To = None,
    by: By = None,
) -> ReportView | ReportTableView:
    """A business day in figures; with `from` and `to`, a range of at most 400 days, or with `by`, its rows.

    A deleted department's days stay readable. A day of which the log is no longer kept is refused.
    """
    days = days_requested(business_day, first, last, by)
    if days is None:
        return await services.reporting.report(department_id, caller, business_day)
    return await services.reporting.department_table(department_id, caller, days)


@router.get(paths.BRANCHES + "/{branch_id}/report")
async def branch_report(
    branch_id: Annotated[str, Path(pattern=names.BRANCH_ID, examples=["main"])],
    caller: Staff,
    services: ServicesDep,
    first: From = None,
    last: To = None,
    by: By = None,
) -> ReportTableView:
    """A range of a branch's days in figures: those of its departments in which the caller works, deleted ones, too."""
    return await services.reporting.branch_table(branch_id, caller, RequestedDays(first, last, by))


@router.get(_DEPARTMENT + "/simulation")
async def simulate(
    department_id: DepartmentPath,
    caller: Staff,
    services: ServicesDep,
    counters: Annotated[str, Query(max_length=8, examples=["3-6"])],
    ratio: Annotated[list[str] | None, Query(max_length=10)] = None,
    business_day: Day = None,
) -> SimulationView:
    """Simulate a business day with other numbers of counters and ratios."""
    return await services.reporting.simulate(department_id, caller, business_day, counters, ratio or [])


@router.get(_DEPARTMENT + "/events")
async def day_log(
    department_id: DepartmentPath,
    caller: Workers,
    services: ServicesDep,
    business_day: Day = None,
    cursor: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> DayLog:
    """List everything that happened in a department on a day, in order."""
    items = await services.reporting.events(department_id, caller, business_day, cursor, limit)
    return {"items": items, "nextCursor": str(items[-1]["seq"]) if len(items) == limit else None}
