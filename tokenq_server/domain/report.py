"""Reports, as defined in :mod:`tokenq.contract.report_views`: visits added up day by day, in total and by slices."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tokenq.contract.enums import Priority, ReportBy
from tokenq.contract.hours import WEEKDAYS
from tokenq.contract.report_views import FiguresView, ReportRowView, ReportTableView, ReportView, TimesView
from tokenq_server.domain.department import Department
from tokenq_server.domain.figures import Durations, Fact, Figures, Time, facts
from tokenq_server.domain.history import Entry, Visit, visits
from tokenq_server.domain.report_range import DayRange
from tokenq_server.domain.rules import Rules

Key = str | None
_HOURS = tuple(f"{hour:02d}" for hour in range(24))
_DIGITS = re.compile(r"(\d+)")

_KEYS: Mapping[ReportBy, Callable[[Fact, date, ZoneInfo], Key]] = {
    ReportBy.DAY: lambda _, day, __: day.isoformat(),
    ReportBy.WEEK: lambda _, day, __: f"{day:%G-W%V}",
    ReportBy.WEEKDAY: lambda _, day, __: WEEKDAYS[day.weekday()],
    ReportBy.HOUR: lambda fact, _, zone: _HOURS[fact.at.astimezone(zone).hour],
    ReportBy.COUNTER: lambda fact, _, __: fact.counter_id,
    ReportBy.OPERATOR: lambda fact, _, __: fact.operator,
}
"""The row in which a fact is counted. By department, each has its own visits instead."""


@dataclass(frozen=True)
class Scope:
    """What a report covers: a department, or departments of a branch (``department_id`` is ``None``)."""

    branch_id: str
    department_id: str | None
    name: str
    timezone: str
    rollover_hour: int
    departments: Sequence[Department]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its departments."""
        return tuple(department.department_id for department in self.departments)


def scope_of(department: Department) -> Scope:
    """The scope of one department."""
    return Scope(
        department.branch_id,
        department.department_id,
        department.name,
        department.timezone,
        department.rollover_hour,
        [department],
    )


class ReportBuilder:
    """The visits of a scope added up, in total, by class, and by each of ``slices``."""

    def __init__(self, scope: Scope, slices: Iterable[ReportBy], now: datetime) -> None:
        self._scope = scope
        self._now = now
        self._zone = ZoneInfo(scope.timezone)
        self._departments = {department.department_id: department for department in scope.departments}
        self._total = Figures()
        self._classes = {str(name): Durations() for name in Priority}
        self._rows: dict[ReportBy, dict[Key, Figures]] = {by: defaultdict(Figures) for by in slices}
        self._keys = [(by, key) for by, key in _KEYS.items() if by in self._rows]

    def add_day(self, day: date, log: Sequence[Entry]) -> None:
        """Add the visits whose number was issued on this day, from the entries of their tokens."""
        for by in self._rows.keys() & {ReportBy.DAY, ReportBy.WEEK, ReportBy.WEEKDAY}:
            _ = self._rows[by][_KEYS[by](_NOTHING, day, self._zone)]  # a day without visits has a row, too
        for visit in visits(log, *self._scope.ids):
            self._add(visit, day)
        if ReportBy.DEPARTMENT in self._rows:
            for name, department in self._departments.items():
                row = self._rows[ReportBy.DEPARTMENT][name]
                for visit in visits(log, name):
                    for fact in facts(visit, self._now, department.rules):
                        row.add(fact)

    def day_view(self, department: Department, day: date) -> ReportView:
        """Return the report of a department's day."""
        hours, counters, operators = (self.rows(by) for by in (ReportBy.HOUR, ReportBy.COUNTER, ReportBy.OPERATOR))
        return {
            "departmentId": department.department_id,
            "name": department.name,
            "businessDay": day.isoformat(),
            "timezone": department.timezone,
            **self._total.view(department.rules),
            "classes": self._class_views(),
            "hours": [{"hour": str(key), "meanWait": row["waiting"]["mean"], **row} for key, row in hours],
            "counters": [{"counterId": key, **row} for key, row in counters if key is not None],
            "operators": [{"operator": key, **row} for key, row in operators if key is not None],
        }

    def table_view(self, days: DayRange, by: ReportBy | None) -> ReportTableView:
        """Return the report of a range."""
        scope = self._scope
        return {
            "branchId": scope.branch_id,
            "departmentId": scope.department_id,
            "name": scope.name,
            "timezone": scope.timezone,
            "firstDay": days.first.isoformat(),
            "lastDay": days.last.isoformat(),
            "departments": list(scope.ids),
            "by": by and str(by),
            "total": self._total.view(self._common_rules()),
            "classes": self._class_views(),
            "rows": [self._row_view(by, key, row) for key, row in self.rows(by)] if by else [],
        }

    def rows(self, by: ReportBy) -> list[tuple[Key, FiguresView]]:
        """Return the rows of a slice in order, each with its key; hours have no holes."""
        rows, rules = self._rows[by], self._common_rules()
        if by is ReportBy.HOUR:
            rows = self._hours_without_holes(rows)
        ordered = rows if by is ReportBy.HOUR else dict(sorted(rows.items(), key=lambda row: _sort_key(by, row[0])))
        return [(key, row.view(self._rules_of_row(by, key) or rules)) for key, row in ordered.items()]

    def _add(self, visit: Visit, day: date) -> None:
        rules = self._judging_department(visit).rules
        for fact in facts(visit, self._now, rules):
            self._total.add(fact)
            if fact.what is Time.WAITING and visit.priority in self._classes:
                self._classes[visit.priority].add(fact.value)
            for by, key in self._keys:
                self._rows[by][key(fact, day, self._zone)].add(fact)

    def _judging_department(self, visit: Visit) -> Department:
        """The department whose service level applies: that of the first call, else where the visit began."""
        name = next((leg.department_id for leg in visit.legs if leg.services), visit.legs[0].department_id)
        return self._departments[name]

    def _row_view(self, by: ReportBy, key: Key, row: FiguresView) -> ReportRowView:
        name = self._departments[key].name if by is ReportBy.DEPARTMENT and key else None
        return {"key": key, "name": name, **row}

    def _class_views(self) -> dict[str, TimesView]:
        return {name: waits.view() for name, waits in self._classes.items()}

    def _common_rules(self) -> Rules | None:
        """The rules of the departments if their service levels are the same; else ``None``."""
        rules = [department.rules for department in self._departments.values()]
        levels = {(each.service_level_minutes, each.service_level_percent) for each in rules}
        return rules[0] if len(levels) == 1 else None

    def _rules_of_row(self, by: ReportBy, key: Key) -> Rules | None:
        return self._departments[key].rules if by is ReportBy.DEPARTMENT and key else None

    def _hours_without_holes(self, rows: Mapping[Key, Figures]) -> dict[Key, Figures]:
        """The hours from the first to the last, in the order of the business day."""
        start = self._scope.rollover_hour
        seen = [(int(key or 0) - start) % 24 for key in rows]
        names = [f"{(hour + start) % 24:02d}" for hour in range(min(seen), max(seen) + 1)] if seen else []
        return {name: rows.get(name) or Figures() for name in names}


_NOTHING = Fact(Time.WAITING, 0, datetime.min)


def _sort_key(by: ReportBy, key: Key) -> tuple[Any, ...]:
    """Counters 1, 2, 10; weekdays from Monday; what happened at no counter comes last."""
    if key is None:
        return (1,)
    if by is ReportBy.WEEKDAY:
        return (0, WEEKDAYS.index(key))
    return (0, [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(key)])
