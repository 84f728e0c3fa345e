"""Reports: a day's figures, its log, and what-if simulations."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from typing_extensions import TypedDict

from tokenq.contract import paths
from tokenq.contract.report_views import ReportView, SimulationView
from tokenq_server.api.auth import DepartmentPath, ServicesDep, Staff, Workers

router = APIRouter(tags=["reports"])
_DEPARTMENT = paths.DEPARTMENTS + "/{department_id}"
Day = Annotated[date | None, Query(alias="businessDay", description="Default: the department's current day.")]


class DayLog(TypedDict):
    """A page of a day's log, as wire events."""

    items: list[dict[str, Any]]
    nextCursor: str | None


@router.get(_DEPARTMENT + "/report")
async def report(
    department_id: DepartmentPath, caller: Staff, services: ServicesDep, business_day: Day = None
) -> ReportView:
    """A business day in figures."""
    return await services.reporting.report(department_id, caller, business_day)


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
