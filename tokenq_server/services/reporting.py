"""Reports and what-ifs, from the log of past days."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from tokenq.contract.enums import ReportBy
from tokenq.contract.names import MOST_COUNTERS
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.report import ReportReason
from tokenq.contract.reasons.setup import SetupReason
from tokenq.contract.report_views import ReportTableView, ReportView, SettingView, SimulationView
from tokenq_server.domain.department import Department
from tokenq_server.domain.history import Entry, Visit, visits
from tokenq_server.domain.permissions import check_works_in, departments_to_report, sees_people_of
from tokenq_server.domain.policy import Ratio
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.refusals import unknown_department
from tokenq_server.domain.report import ReportBuilder, Scope, scope_of
from tokenq_server.domain.report_range import DayRange, day_named, range_named
from tokenq_server.domain.what_if import simulate_setting
from tokenq_server.services.event_views import without_people
from tokenq_server.services.setup import parse_ratio

_MOST_SETTINGS = 40
_COUNTERS = re.compile(r"(\d{1,2})(?:(?:-|\.\.)(\d{1,2}))?")


@dataclass(frozen=True)
class DepartmentDay:
    """A department and its current business day."""

    department: Department
    today: date


@dataclass(frozen=True)
class BranchDay:
    """A branch, its current business day, and its departments."""

    name: str
    timezone: str
    rollover_hour: int
    today: date
    departments: Sequence[DepartmentDay]


@dataclass(frozen=True)
class RequestedDays:
    """The days of a report as requested: dates or words, and what the rows stand for."""

    first: str | None = None
    last: str | None = None
    by: ReportBy | None = None


@dataclass(frozen=True)
class LogOfDay:
    """What the log says about a day, and the first day of which it has everything (``None``: any day)."""

    entries: list[Entry]
    kept_from: date | None = None


class DayLogStore(Protocol):
    """Read access to the log by day."""

    async def department(self, department_id: str) -> DepartmentDay | None:
        """Return a department, even an archived one; ``None`` if there never was one."""

    async def branch(self, branch_id: str) -> BranchDay | None:
        """Return a branch with its departments, archived ones included; ``None`` if there is none."""

    async def log_of_tokens_issued_on(self, branch_id: str, departments: Sequence[str], day: date) -> LogOfDay:
        """Return the departments' entries about tokens issued on a business day, each department's in order."""

    async def day_payloads(
        self, department_id: str, day: date, after: int, limit: int
    ) -> tuple[list[dict[str, Any]], date | None]:
        """Return a department's wire events of a business day, in order, after a seq; and from when the log is kept."""


class Reporting:
    """Reports and simulates days; of ranges one day, and one simulation, at a time, to leave room for calls."""

    def __init__(self, store: DayLogStore) -> None:
        self._store = store
        self._simulating = asyncio.Semaphore(1)
        self._reading_days = asyncio.Semaphore(1)

    async def report(self, department_id: str, reader: Principal, day: str | None) -> ReportView:
        """Return the figures of a day; by default, of the department's current one.

        Raises:
            Refused: ``forbidden``, ``unknown_department``, ``invalid``, also for a day that is deleted.
        """
        check_works_in(reader, department_id)
        current = await self._department(department_id)
        of_day = day_named(day, current.today)
        scope = scope_of(current.department)
        builder = ReportBuilder(scope, (ReportBy.HOUR, ReportBy.COUNTER, ReportBy.OPERATOR), datetime.now(UTC))
        await self._add_day(builder, scope, of_day)
        return builder.day_view(current.department, of_day)

    async def department_table(self, department_id: str, reader: Principal, days: RequestedDays) -> ReportTableView:
        """Return the figures of a department over several days.

        Raises:
            Refused: ``forbidden``, ``unknown_department``, ``invalid``, also for a day that is deleted.
        """
        check_works_in(reader, department_id)
        current = await self._department(department_id)
        return await self._table(scope_of(current.department), days, current.today)

    async def branch_table(self, branch_id: str, reader: Principal, days: RequestedDays) -> ReportTableView:
        """Return the figures of those departments of a branch in which the reader works.

        Raises:
            Refused: ``forbidden``, ``unknown_branch``, ``invalid``, also for a day that is deleted.
        """
        branch = await self._store.branch(branch_id)
        if branch is None:
            raise refuse(SetupReason.UNKNOWN_BRANCH, branch=branch_id)
        here = {each.department.department_id: each for each in branch.departments}
        chosen = [here[name] for name in departments_to_report(reader, here)]
        departments = [each.department for each in chosen]
        scope = Scope(branch_id, None, branch.name, branch.timezone, branch.rollover_hour, departments)
        return await self._table(scope, days, max([branch.today, *(each.today for each in chosen)]))

    async def simulate(
        self, department_id: str, reader: Principal, day: str | None, counters: str, ratios: Sequence[str]
    ) -> SimulationView:
        """Simulate a day with other counters (``3``, ``3-6``) and ratios (``2:1``); one simulation at a time.

        Raises:
            Refused: ``forbidden``, ``unknown_department``, ``invalid``, also for a day that is deleted.
        """
        check_works_in(reader, department_id)
        numbers, chosen = _counters(counters), [parse_ratio(ratio) for ratio in ratios]
        current = await self._department(department_id)
        department, of_day = current.department, day_named(day, current.today)
        settings = [(number, ratio) for ratio in chosen or [department.policy.ratio] for number in numbers]
        if len(settings) > _MOST_SETTINGS:
            raise refuse(SetupReason.TOO_MANY_SETTINGS, count=len(settings), most=_MOST_SETTINGS)
        log = await self._log_of(department.branch_id, [department_id], of_day)
        async with self._simulating:
            return await asyncio.to_thread(_simulate, department, of_day, log, settings)

    async def events(
        self, department_id: str, reader: Principal, day: str | None, after: int, limit: int
    ) -> list[dict[str, Any]]:
        """Return a page of a day's wire events.

        Raises:
            Refused: ``unknown_department``, ``invalid``, also for a day that is deleted.
        """
        current = await self._department(department_id)
        of_day = day_named(day, current.today)
        events, kept_from = await self._store.day_payloads(department_id, of_day, after, limit)
        _refuse_deleted(of_day, kept_from)
        return events if sees_people_of(reader, department_id) else [without_people(event) for event in events]

    async def _table(self, scope: Scope, days: RequestedDays, today: date) -> ReportTableView:
        """Add up a range day by day, so that at most one day is in memory."""
        days_to_read = range_named(days.first, days.last, today)
        builder = ReportBuilder(scope, [days.by] if days.by else [], datetime.now(UTC))
        for day in days_to_read:
            async with self._reading_days:
                await self._add_day(builder, scope, day)
        return builder.table_view(days_to_read, days.by)

    async def _add_day(self, builder: ReportBuilder, scope: Scope, day: date) -> None:
        log = await self._log_of(scope.branch_id, scope.ids, day)
        await asyncio.to_thread(builder.add_day, day, log)

    async def _log_of(self, branch_id: str, departments: Sequence[str], day: date) -> list[Entry]:
        log = await self._store.log_of_tokens_issued_on(branch_id, departments, day)
        _refuse_deleted(day, log.kept_from)
        return log.entries

    async def _department(self, department_id: str) -> DepartmentDay:
        current = await self._store.department(department_id)
        if current is None:
            raise unknown_department(department_id)
        return current


def days_requested(day: str | None, first: str | None, last: str | None, by: ReportBy | None) -> RequestedDays | None:
    """Return the range requested, or a day by rows; ``None`` for the report of one day.

    Raises:
        Refused: ``invalid`` for a day and a range.
    """
    if day is not None and (first is not None or last is not None):
        raise refuse(ReportReason.DAY_AND_RANGE)
    if first is None and last is None and by is None:
        return None
    return RequestedDays(day, day, by) if day is not None else RequestedDays(first, last, by)


def _refuse_deleted(day: date, kept_from: date | None) -> None:
    """Refuse a day of which entries are deleted: its figures would be too low."""
    if kept_from is not None and day < kept_from:
        raise refuse(ReportReason.DELETED, day=day.isoformat(), first=kept_from.isoformat())


def _simulate(
    department: Department, day: date, log: Sequence[Entry], settings: Sequence[tuple[int, Ratio]]
) -> SimulationView:
    """Return the simulations beside the report's figures of the same day."""
    everybody: list[Visit] = visits(log, department.department_id)
    builder = ReportBuilder(scope_of(department), (), datetime.now(UTC))
    builder.add_day(day, log)
    figures = builder.table_view(DayRange(day, day), None)["total"]
    simulated: list[SettingView] = [
        simulate_setting(department, everybody, number, ratio) for number, ratio in settings
    ]
    return {
        "departmentId": department.department_id,
        "businessDay": day.isoformat(),
        "customers": len(everybody),
        "neverCalled": len(everybody) - figures["called"],
        "asItWas": figures["waiting"],
        "asItWasServiceLevel": figures["serviceLevel"]["percent"],
        "serviceLevelMinutes": department.rules.service_level_minutes,
        "settings": simulated,
    }


def _counters(text: str) -> list[int]:
    match = _COUNTERS.fullmatch(text)
    first = int(match[1]) if match else 0
    last = int(match[2]) if match and match[2] else first
    if not 0 < first <= last <= MOST_COUNTERS:
        raise refuse(SetupReason.NO_COUNTER_COUNTS, text=repr(text), most=MOST_COUNTERS)
    return list(range(first, last + 1))
