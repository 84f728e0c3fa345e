"""Twenty people on one day: the report, the screen and the CSV have the numbers that were worked out by hand."""

import csv
import io
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.logs import NINE, SLICES, THE_DAY, DayLog, day_report
from tests.unit.twenty_people import (
    CLASSES,
    COUNTERS,
    COUNTS,
    FURTHER_WAITING,
    HOURS,
    OPERATORS,
    REPORT_MADE_AT,
    SERVICE,
    SERVICE_LEVEL,
    WAITING,
    WALKING,
    twenty_people,
)
from tokenq.cli.report_csv import day_csv, table_csv
from tokenq.cli.report_text import show_day, show_table
from tokenq.contract.enums import ReportBy
from tokenq.contract.report_views import ReportView
from tokenq_server.domain.department import Department
from tokenq_server.domain.report import ReportBuilder, Scope, scope_of
from tokenq_server.domain.report_range import DayRange
from tokenq_server.domain.rules import Rules

CW = Department("CW", "Cash window", rules=Rules(service_level_minutes=10))
HR = Department("HR", "Human resources", rules=Rules(service_level_minutes=10))
_COUNTED = (
    *("issued", "transferredIn", "furtherLegs", "called", "furtherCalls", "recalls", "served", "noShow", "cancelled"),
    *("expired", "transferredOut", "unfinished", "abandoned"),
)


@pytest.fixture
def view() -> ReportView:
    return day_report(CW, twenty_people(), REPORT_MADE_AT)


def at_counter(row: Any) -> tuple[Any, ...]:
    level = row["serviceLevel"]
    counts = ("called", "furtherCalls", "recalls", "served", "noShow", "cancelled", "transferredOut")
    return (*(row[name] for name in counts), row["service"]["mean"], level["inTime"], level["counted"])


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_report_has_the_numbers_of_the_table(view: ReportView) -> None:
    assert {name: view[name] for name in COUNTS} == COUNTS  # type: ignore[literal-required]
    assert view["waiting"] == WAITING
    assert view["furtherWaiting"] == FURTHER_WAITING
    assert view["walking"] == WALKING
    assert view["service"] == SERVICE
    assert view["serviceLevel"] == SERVICE_LEVEL
    assert {name: (waits["count"], waits["mean"]) for name, waits in view["classes"].items()} == CLASSES
    hours = {
        hour["hour"]: (hour["issued"], hour["called"], hour["furtherCalls"], hour["served"], hour["meanWait"])
        for hour in view["hours"]
    }
    assert {name: row for name, row in hours.items() if any(row[:4])} == HOURS
    assert {row["counterId"]: at_counter(row) for row in view["counters"]} == COUNTERS
    assert {row["operator"]: at_counter(row) for row in view["operators"]} == OPERATORS


def test_everybody_who_came_ends_in_one_way(view: ReportView) -> None:
    ended = ("served", "noShow", "cancelled", "expired", "transferredOut", "unfinished")
    assert view["issued"] + view["transferredIn"] == 20 == sum(COUNTS[name] for name in ended)


def test_the_csv_has_every_number_of_the_report(view: ReportView) -> None:
    day, *others = csv_rows(day_csv([view]))
    assert (day["came"], day["called"], day["served"], day["mean_wait_seconds"]) == ("19", "14", "9", "630")
    assert (day["no_show"], day["no_show_percent"], day["abandoned"], day["recalls"]) == ("2", "14.3", "3", "3")
    assert (day["further_calls"], day["further_waiting_mean_seconds"]) == ("6", "140")
    assert [day[f"waiting_{part}"] for part in ("count", "p50_seconds", "p90_seconds", "max_seconds")] == [
        "14",
        "480",
        "1260",
        "1560",
    ]
    assert (day["service_level_percent"], day["service_level_in_time"], day["service_level_counted"]) == (
        "47.1",
        "8",
        "17",
    )
    assert sorted(csv_numbers([day, *others])) == sorted(numbers(view))


def csv_numbers(rows: list[dict[str, str]]) -> Iterator[float]:
    """All numbers of the CSV, except the mean wait, which it has twice."""
    for row in rows:
        for name, cell in row.items():
            if cell and name not in ("department", "name", "day", "hour", "slice", "key", "mean_wait_seconds"):
                yield float(cell)


def numbers(view: Any) -> Iterator[float]:
    """All numbers of a JSON document, except an hour's mean wait, which it has twice."""
    if isinstance(view, dict):
        for name, value in view.items():
            if name != "meanWait":
                yield from numbers(value)
    elif isinstance(view, list):
        for value in view:
            yield from numbers(value)
    elif isinstance(view, int | float):
        yield float(view)


def test_the_screen_has_the_same_numbers(view: ReportView, capsys: pytest.CaptureFixture[str]) -> None:
    show_day(view)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for line in (
        "Issued 19, plus 1 transferred in",
        "Called 14",
        "Served 9",
        "No-shows 2 (14.3 %)",
        "Cancelled 4",
        "Expired 1",
        "Transferred out 2",
        "Unfinished 2",
        "Left uncalled 3",
        "Wait to first call mean 10:30, median 8:00, 90 % within 21:00, longest 26:00 (14 visits)",
        "normal mean 11:09, median 10:00, 90 % within 21:00, longest 26:00 (13 visits)",
        "Further calls 6",
        "waiting again mean 2:20, median 1:00, 90 % within 5:00, longest 5:00 (6 calls)",
        "Recalls 3",
        "Walking mean 1:00, median 1:00, 90 % within 1:00, longest 1:00 (6 times)",
        "Service mean 5:20, median 5:00, 90 % within 7:00, longest 7:00 (9 times)",
        "Service level 47.1 % called within 10 min (target 80 %); 8 of 17 visits",
    ):
        assert line in lines, lines
    assert any(line.startswith("Counter ") and " Transferred out " in line for line in lines), lines
    assert any(line.startswith("09:00 15 11 5 6 10:22 ") for line in lines), lines
    assert any(line.startswith("1 9 3 1 4 2 1 1 ") and " 4:45 " in line for line in lines), lines
    assert any(line.startswith("bob 5 3 2 5 ") and " 5:48 " in line for line in lines), lines


def branch_of(*logs: DayLog, by: ReportBy | None = None) -> Any:
    """The table of both departments as a branch, as seen ten hours after nine."""
    scope = Scope("main", None, "Main", "UTC", 4, [CW, HR])
    builder = ReportBuilder(scope, [by] if by else [], NINE + timedelta(minutes=REPORT_MADE_AT))
    builder.add_day(THE_DAY, [entry for log in logs for entry in log.entries])
    return builder.table_view(DayRange(THE_DAY, THE_DAY), by)


def transferred() -> tuple[DayLog, DayLog]:
    """One person, called in CW after 2 minutes, transferred to HR and called there after 30 more."""
    here, there = DayLog(), DayLog("HR")
    here.add(0, "TOKEN_GENERATED", 1)
    here.add(2, "TOKEN_CALLED", 1, "1")
    for log, counter in ((here, "1"), (there, None)):
        log.add(5, "TOKEN_TRANSFERRED", 1, counter, **{"from": "CW", "to": "HR"})
    there.add(35, "TOKEN_CALLED", 1, "2")
    there.add(40, "TOKEN_SERVED", 1, "2")
    return here, there


def test_a_branch_counts_a_transferred_visit_once_and_a_department_its_leg() -> None:
    view = branch_of(*transferred(), by=ReportBy.DEPARTMENT)
    total = view["total"]
    assert (total["issued"], total["transferredIn"], total["furtherLegs"], total["called"]) == (1, 0, 1, 1)
    assert (total["waiting"]["max"], total["furtherWaiting"]["max"], total["served"]) == (120, 1800, 1)
    assert (total["transferredOut"], total["serviceLevel"]["percent"]) == (0, 100.0)

    here, there = view["rows"]
    assert (here["key"], here["issued"], here["waiting"]["max"], here["transferredOut"]) == ("CW", 1, 120, 1)
    assert (there["key"], there["transferredIn"], there["waiting"]["max"], there["served"]) == ("HR", 1, 1800, 1)
    assert there["serviceLevel"]["percent"] == 0.0


@pytest.mark.parametrize("meanwhile", ["TOKEN_EDITED", "TOKEN_TURN_NEAR"])
def test_an_undone_transfer_leaves_no_visit_there(meanwhile: str) -> None:
    """Whatever happened there that moved nobody."""
    here, there = DayLog(), DayLog("HR")
    here.add(0, "TOKEN_GENERATED", 1)
    for log in (here, there):
        log.add(8, "TOKEN_TRANSFERRED", 1, **{"from": "CW", "to": "HR"})
    there.add(9, meanwhile, 1)
    for log in (there, here):
        log.add(10, "TOKEN_REVERTED", 1, undone="transfer", state="WAITING", **{"from": "HR", "to": "CW"})
    here.add(20, "TOKEN_CALLED", 1, "2")
    view = branch_of(here, there, by=ReportBy.DEPARTMENT)

    at_home, elsewhere = view["rows"]
    assert (view["total"]["unfinished"], view["total"]["waiting"]["max"]) == (1, 1200)
    assert (at_home["issued"], at_home["transferredOut"]) == (1, 0)
    assert (elsewhere["issued"], elsewhere["transferredIn"], elsewhere["unfinished"]) == (0, 0, 0)


def test_who_is_sent_on_uncalled_has_waited_since_arrival() -> None:
    here, there = DayLog(), DayLog("HR")
    here.add(0, "TOKEN_GENERATED", 1)
    for log in (here, there):
        log.add(8, "TOKEN_TRANSFERRED", 1, **{"from": "CW", "to": "HR"})
    there.add(20, "TOKEN_CALLED", 1, "2")

    assert branch_of(here, there)["total"]["waiting"]["max"] == 1200
    assert branch_of(here, there)["total"]["serviceLevel"]["percent"] == 0.0


@pytest.mark.parametrize("by", [by for by in ReportBy if by is not ReportBy.DEPARTMENT])
def test_rows_add_up_to_the_total(by: ReportBy) -> None:
    scope = scope_of(CW)
    builder = ReportBuilder(scope, [by], NINE + timedelta(minutes=REPORT_MADE_AT))
    builder.add_day(THE_DAY, twenty_people().entries)
    view = builder.table_view(DayRange(THE_DAY, THE_DAY), by)
    for name in _COUNTED:
        assert sum(row[name] for row in view["rows"]) == view["total"][name], name  # type: ignore[literal-required]
    assert sum(row["serviceLevel"]["counted"] for row in view["rows"]) == 17


def random_day(seed: int) -> DayLog:
    """Random moves, possible or not: a report must count them and not fail."""
    chosen, log = random.Random(seed), DayLog()
    kinds = ("CALLED", "CALLED", "RECALLED", "SERVICE_STARTED", "SERVED", "NO_SHOW", "REQUEUED", "PARKED", "RESUMED")
    for minutes in range(chosen.randrange(200)):
        kind = chosen.choice(("GENERATED", *kinds, "CANCELLED", "REINSTATED", "EXPIRED", "TRANSFERRED", "REVERTED"))
        fields: dict[str, Any] = {"undone": chosen.choice(("call", "serve", "no-show", "cancel", "requeue", "rewind"))}
        if kind == "TRANSFERRED":
            fields |= {"from": "CW", "to": chosen.choice(("CW", "HR"))}
        counter = chosen.choice((None, "1", "2"))
        log.add(minutes, f"TOKEN_{kind}", chosen.randrange(1, 30), counter, **fields)
    return log


@pytest.mark.parametrize("seed", range(40))
def test_a_range_is_the_sum_of_its_days(seed: int) -> None:
    days = [random_day(seed * 100 + number) for number in range(4)]
    builder = ReportBuilder(scope_of(CW), [ReportBy.DAY], NINE + timedelta(days=30))
    dates = DayRange(THE_DAY, THE_DAY + timedelta(days=3))
    for day, log in zip(dates, days, strict=True):
        builder.add_day(day, log.entries)
    view = builder.table_view(dates, ReportBy.DAY)
    each = [day_report(CW, log, 60 * 24 * 30) for log in days]

    for name in _COUNTED:
        total = view["total"][name]  # type: ignore[literal-required]
        assert total == sum(day[name] for day in each), name  # type: ignore[literal-required]
        assert [row[name] for row in view["rows"]] == [day[name] for day in each], name  # type: ignore[literal-required]
    for name in ("waiting", "furtherWaiting", "walking", "service"):
        assert view["total"][name]["count"] == sum(day[name]["count"] for day in each)  # type: ignore[literal-required]
    for day in each:
        ended = ("served", "noShow", "cancelled", "expired", "transferredOut", "unfinished")
        came = day["issued"] + day["transferredIn"]
        assert came == sum(day[name] for name in ended)  # type: ignore[literal-required]


def test_a_range_on_the_screen_and_in_the_csv(capsys: pytest.CaptureFixture[str]) -> None:
    view = branch_of(twenty_people(), by=ReportBy.COUNTER)
    show_table(view)
    screen = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    rows = {row["key"]: row for row in csv_rows(table_csv([view])) if row["slice"] in ("counter", "total")}

    assert screen[:2] == ["main Main, 2026-11-23", "Departments: CW, HR"]
    assert (rows["1"]["served"], rows["2"]["served"], rows["1"]["service_mean_seconds"]) == ("4", "5", "285")
    assert any(line.startswith("no counter 19 1 ") for line in screen), screen
    table = {
        name: value for row in csv_rows(table_csv([view])) if row["slice"] == "total" for name, value in row.items()
    }
    assert (table["issued"], table["waiting_p90_seconds"], table["no_show_percent"]) == ("19", "1260", "14.3")


@pytest.mark.parametrize(
    "name", ["=1+1", " =1", "a;=HYPERLINK(1)", "a,@x", "\uff1d1", "+1", "-1", "@A1", "\t=1", "\x1b[2J"]
)
def test_no_name_is_a_formula_in_a_spreadsheet_or_acts_on_a_terminal(name: str, view: ReportView) -> None:
    view["name"] = name
    cell = csv_rows(day_csv([view]))[0]["name"]
    for separator in (None, ";", ",", "\t"):
        for part in cell.split(separator) if separator else [cell]:
            assert part.strip()[:1] not in ("=", "+", "-", "@", "\uff1d"), cell
    assert cell.isprintable()


def test_slices_of_a_day_are_those_of_the_screen() -> None:
    assert set(SLICES) == {ReportBy.HOUR, ReportBy.COUNTER, ReportBy.OPERATOR}
