"""A day's log by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tokenq.contract.enums import ReportBy
from tokenq.contract.events import Event
from tokenq.contract.report_views import ReportView
from tokenq_server.domain.department import Department
from tokenq_server.domain.history import Entry
from tokenq_server.domain.report import ReportBuilder, scope_of

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
THE_DAY = date(2026, 11, 23)
SLICES = (ReportBy.HOUR, ReportBy.COUNTER, ReportBy.OPERATOR)


class DayLog:
    """Entries of one department, with the minutes after nine at which they happened."""

    def __init__(self, department: str = "CW") -> None:
        self.department = department
        self.entries: list[Entry] = []

    def add(self, minutes: float, kind: str, token: int, counter: str | None = None, **fields: Any) -> None:
        at = NINE + timedelta(minutes=minutes)
        seq = len(self.entries) + 1
        event = Event(
            event_type=kind,
            event_id=str(seq),
            seq=seq,
            timestamp=at,
            branch_id="main",
            department_id=self.department,
            business_day="2026-11-23",
            token_id=token,
            token_no=token,
            display_number=f"{self.department}-{token:03d}",
            counter_id=counter,
            priority=fields.pop("priority", "normal"),
            actor=fields.pop("actor", ""),
            data=fields,
        )
        self.entries.append(Entry(event, at))

    def visit(
        self, token: int, came: float, called: float, started: float | None, served: float, counter: str = "1"
    ) -> None:
        """Somebody who came, was called and was served."""
        self.add(came, "TOKEN_GENERATED", token)
        self.add(called, "TOKEN_CALLED", token, counter)
        if started is not None:
            self.add(started, "TOKEN_SERVICE_STARTED", token, counter)
        self.add(served, "TOKEN_SERVED", token, counter)


def day_report(department: Department, log: DayLog, minutes: float = 600) -> ReportView:
    """The report of the day, as seen so many minutes after nine."""
    builder = ReportBuilder(scope_of(department), SLICES, NINE + timedelta(minutes=minutes))
    builder.add_day(THE_DAY, log.entries)
    return builder.day_view(department, THE_DAY)
