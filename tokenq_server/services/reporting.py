"""Reports and what-ifs, from a day's log."""

import asyncio
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

from tokenq.contract.names import MOST_COUNTERS
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import SetupReason
from tokenq.contract.report_views import ReportView, SimulationView
from tokenq_server.domain.department import Department
from tokenq_server.domain.history import Entry, Visit, visits
from tokenq_server.domain.permissions import check_works_in, sees_people_of
from tokenq_server.domain.policy import Ratio
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.refusals import unknown_department
from tokenq_server.domain.report import percent, report, times
from tokenq_server.domain.what_if import simulate_setting
from tokenq_server.services.queries import without_people
from tokenq_server.services.setup import parse_ratio

_MOST_SETTINGS = 40
_COUNTERS = re.compile(r"(\d{1,2})(?:(?:-|\.\.)(\d{1,2}))?")


class DayLogStore(Protocol):
    """Read access to the log by day."""

    async def day_of(self, department_id: str) -> tuple[Department, date] | None:
        """Return a department and its current business day; ``None`` if there is no such department."""

    async def day_log(self, department_id: str, day: date) -> list[Entry]:
        """Return a department's entries of one business day, in order."""

    async def day_payloads(self, department_id: str, day: date, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the same as wire events, after a seq."""


class Reporting:
    """Reports and simulates days."""

    def __init__(self, store: DayLogStore) -> None:
        self._store = store
        self._simulating = asyncio.Semaphore(1)

    async def report(self, department_id: str, reader: Principal, day: date | None) -> ReportView:
        """Return a day's figures; by default, of the department's current day.

        Raises:
            Refused: ``forbidden``, ``unknown_department``.
        """
        check_works_in(reader, department_id)
        department, day, visits = await self._visits(department_id, day)
        return await asyncio.to_thread(report, department, day.isoformat(), visits)

    async def simulate(
        self, department_id: str, reader: Principal, day: date | None, counters: str, ratios: Sequence[str]
    ) -> SimulationView:
        """Simulate a day with other counters (``3``, ``3-6``) and ratios (``2:1``); one simulation at a time.

        Raises:
            Refused: ``forbidden``, ``unknown_department``, ``invalid``.
        """
        check_works_in(reader, department_id)
        numbers, chosen = _counters(counters), [parse_ratio(ratio) for ratio in ratios]
        department, day, visits = await self._visits(department_id, day)
        settings = [(number, ratio) for ratio in chosen or [department.policy.ratio] for number in numbers]
        if len(settings) > _MOST_SETTINGS:
            raise refuse(SetupReason.TOO_MANY_SETTINGS, count=len(settings), most=_MOST_SETTINGS)
        async with self._simulating:
            waits = await asyncio.to_thread(_simulate, department, visits, settings)
        customers = [visit for visit in visits if visit.services]
        first, level = [visit.services[0].waited for visit in customers], department.rules.service_level_minutes
        return {
            "departmentId": department_id,
            "businessDay": day.isoformat(),
            "customers": len(customers),
            "asItWas": times(first),
            "asItWasServiceLevel": percent(sum(wait <= level * 60 for wait in first), len(first)),
            "serviceLevelMinutes": department.rules.service_level_minutes,
            "settings": waits,
        }

    async def events(
        self, department_id: str, reader: Principal, day: date | None, after: int, limit: int
    ) -> list[dict[str, Any]]:
        """Return a page of a day's wire events. Raises Refused (``unknown_department``)."""
        _, day = await self._day(department_id, day)
        events = await self._store.day_payloads(department_id, day, after, limit)
        return events if sees_people_of(reader, department_id) else [without_people(event) for event in events]

    async def _visits(self, department_id: str, day: date | None) -> tuple[Department, date, list[Visit]]:
        department, day = await self._day(department_id, day)
        return department, day, visits(await self._store.day_log(department_id, day), department_id)

    async def _day(self, department_id: str, day: date | None) -> tuple[Department, date]:
        department_day = await self._store.day_of(department_id)
        if department_day is None:
            raise unknown_department(department_id)
        return department_day[0], day or department_day[1]


def _simulate(department: Department, visits: list[Visit], settings: list[tuple[int, Ratio]]) -> list[Any]:
    return [simulate_setting(department, visits, number, ratio) for number, ratio in settings]


def _counters(text: str) -> list[int]:
    match = _COUNTERS.fullmatch(text)
    first = int(match[1]) if match else 0
    last = int(match[2]) if match and match[2] else first
    if not 0 < first <= last <= MOST_COUNTERS:
        raise refuse(SetupReason.NO_COUNTER_COUNTS, text=repr(text), most=MOST_COUNTERS)
    return list(range(first, last + 1))
