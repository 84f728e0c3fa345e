"""Reports on real stores: days in words, ranges, branches, deleted departments, and who may read them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.integration.test_day_end import night_passes
from tests.people import ANN
from tests.without_http import Core
from tokenq.contract.enums import ReportBy, RequeuePosition
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.reasons.report import ReportReason
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.day_log import PostgresDayLog
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.commands import TransferToken
from tokenq_server.services.reporting import LogOfDay, Reporting, RequestedDays, days_requested
from tokenq_server.services.setup_views import Branch

EARLIEST, LATEST = "Pacific/Pago_Pago", "Pacific/Kiritimati"


class WatchedDayLog(PostgresDayLog):
    """Remembers which days were read."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.days: list[date] = []

    async def log_of_tokens_issued_on(self, branch_id: str, departments: Sequence[str], day: date) -> LogOfDay:
        self.days.append(day)
        return await super().log_of_tokens_issued_on(branch_id, departments, day)


@pytest.fixture
async def day_log(core: Core) -> AsyncIterator[WatchedDayLog]:
    database = Database(core.dsn, size=2)
    yield WatchedDayLog(database)
    await database.close()


@pytest.fixture
def reporting(day_log: WatchedDayLog) -> Reporting:
    return Reporting(day_log)


def refused(reason: ReportReason | ProblemCode) -> pytest.RaisesExc[Refused]:
    return pytest.raises(Refused, check=lambda error: reason in (error.problem.code, error.problem.reason, _row(error)))


def _row(error: Refused) -> object:
    return next((row for row in ReportReason if row.id == error.problem.reason), None)


@pytest.mark.parametrize("zone", [EARLIEST, LATEST, "Asia/Kolkata"])
async def test_words_are_the_branchs_business_days(core: Core, reporting: Reporting, zone: str) -> None:
    """Wherever the client and the server are: in Kiritimati it is a day later than in Pago Pago, whatever the hour."""
    await core.setup.create_branch(Branch("away", "Away", zone, 4))
    name = await core.department(branch_id="away")
    before = business_day(datetime.now(UTC), zone, 4)
    today = await reporting.report(name, ANN, "today")
    yesterday = await reporting.report(name, ANN, "yesterday")
    week = await reporting.department_table(name, ANN, RequestedDays("last-week", "last-week"))
    assert await reporting.department_table(name, ANN, RequestedDays("last-week", None)) == week
    after = business_day(datetime.now(UTC), zone, 4)

    assert today["businessDay"] in (before.isoformat(), after.isoformat())
    assert date.fromisoformat(yesterday["businessDay"]) + timedelta(days=1) in (before, after)
    first, last = date.fromisoformat(week["firstDay"]), date.fromisoformat(week["lastDay"])
    assert (first.isoweekday(), last.isoweekday()) == (1, 7)
    assert timedelta(days=1) <= before - last <= timedelta(days=7)
    assert (await reporting.simulate(name, ANN, "yesterday", "1", []))["businessDay"] == yesterday["businessDay"]
    assert await reporting.events(name, ANN, "yesterday", 0, 10) == []


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        ("tomorrow", ReportReason.NO_DAY),
        ("2026-13-45", ReportReason.NO_DAY),
        ("20261123", ReportReason.NO_DAY),
        ("2026-W48-1", ReportReason.NO_DAY),
        ("9999-12-31", ReportReason.NO_DAY),
        ("0001-01-01", ReportReason.NO_DAY),
        ("", ReportReason.NO_DAY),
        ("last-week", ReportReason.SEVEN_DAYS),
    ],
)
async def test_what_is_no_day_is_refused(core: Core, reporting: Reporting, day: str, reason: ReportReason) -> None:
    name = await core.department()
    for read in (
        lambda: reporting.report(name, ANN, day),
        lambda: reporting.simulate(name, ANN, day, "2", []),
        lambda: reporting.events(name, ANN, day, 0, 10),
    ):
        with refused(reason):
            await read()


async def test_ranges_that_cannot_be_are_refused(core: Core, reporting: Reporting, day_log: WatchedDayLog) -> None:
    name = await core.department()
    for days, reason in (
        (RequestedDays("2025-01-01", "2026-02-05"), ReportReason.TOO_MANY_DAYS),
        (RequestedDays("2026-02-05", "2026-02-04"), ReportReason.BEFORE_ITS_START),
        (RequestedDays(None, "2026-02-04"), ReportReason.NO_START),
        (RequestedDays("soon", None), ReportReason.NO_DAY),
        (days_requested(None, "", None, None), ReportReason.NO_DAY),
        (days_requested("", None, None, ReportBy.HOUR), ReportReason.NO_DAY),
    ):
        assert days is not None
        with refused(reason):
            await reporting.department_table(name, ANN, days)
    assert day_log.days == []
    with refused(ReportReason.DAY_AND_RANGE):
        days_requested("today", "2026-02-04", None, None)


async def test_the_longest_range_is_read_day_by_day(core: Core, reporting: Reporting, day_log: WatchedDayLog) -> None:
    name = await core.department()
    view = await reporting.department_table(name, ANN, RequestedDays("2025-01-01", "2026-02-04", ReportBy.WEEK))

    assert len(day_log.days) == 400 == len(set(day_log.days))
    assert (view["rows"][0]["key"], view["rows"][-1]["key"], len(view["rows"])) == ("2025-W01", "2026-W06", 58)


async def test_a_range_is_the_sum_of_its_days(core: Core, reporting: Reporting) -> None:
    name = await core.department()
    for count in (3, 1, 2):
        await core.issue(name, count)
        await core.move(await core.call(name, f"1{name}"), Verb.REQUEUE, position=RequeuePosition.LAST)
        await core.serve(name, f"1{name}")
        await night_passes(core, name)
    await core.issue(name)
    view = await reporting.department_table(name, ANN, RequestedDays(_ago(4), "today", ReportBy.DAY))

    assert [row["issued"] for row in view["rows"]] == [0, 3, 1, 2, 1]
    days = [await reporting.report(name, ANN, _ago(number)) for number in (4, 3, 2, 1, 0)]
    assert [row["served"] for row in view["rows"]] == [day["served"] for day in days] == [0, 1, 1, 1, 0]
    assert view["total"]["expired"] == sum(day["expired"] for day in days)
    assert view["total"]["furtherCalls"] == sum(day["furtherCalls"] for day in days) > 0


def _ago(days: int) -> str:
    return (business_day(datetime.now(UTC), "UTC", 4) - timedelta(days=days)).isoformat()


async def test_who_is_served_after_the_day_has_turned_belongs_to_the_day_of_the_number(
    core: Core, reporting: Reporting
) -> None:
    name = await core.department()
    await core.issue(name)
    called = await core.call(name, f"1{name}")
    for _ in range(5):
        await night_passes(core, name)
    await core.issue(name)
    await core.move(called, Verb.SERVE)

    assert (await reporting.report(name, ANN, _ago(5)))["served"] == 1
    today = await reporting.report(name, ANN, None)
    assert (today["issued"], today["served"]) == (1, 0)


async def test_a_deleted_departments_days_stay_readable(core: Core, reporting: Reporting) -> None:
    name = await core.department()
    await core.issue(name)
    await core.serve(name, f"1{name}")
    await core.setup.delete_department(name, "ann")

    assert (await reporting.report(name, ANN, "today"))["served"] == 1
    assert (await reporting.simulate(name, ANN, "today", "2", []))["customers"] == 1
    assert len(await reporting.events(name, ANN, "today", 0, 100)) >= 3
    table = await reporting.branch_table("main", ANN, RequestedDays("today", None, ReportBy.DEPARTMENT))
    assert [(row["key"], row["served"]) for row in table["rows"]] == [(name, 1)]
    with refused(ProblemCode.UNKNOWN_DEPARTMENT):
        await reporting.report("NEVER", ANN, "today")
    with refused(ProblemCode.UNKNOWN_BRANCH):
        await reporting.branch_table("never", ANN, RequestedDays("today"))


async def test_a_branch_counts_visits_and_its_departments_legs(core: Core, reporting: Reporting) -> None:
    here, there = await core.department(), await core.department()
    await core.issue(here)
    called = await core.call(here, f"1{here}")
    await core.do(TransferToken(here, ANN, called["tokenId"], there, called["claimVersion"]))
    await core.serve(there, f"2{here}")
    table = await reporting.branch_table("main", ANN, RequestedDays("today", None, ReportBy.DEPARTMENT))
    rows = {row["key"]: row for row in table["rows"]}

    total = table["total"]
    assert (total["issued"], total["called"], total["furtherCalls"], total["served"]) == (1, 1, 1, 1)
    assert (total["furtherLegs"], total["transferredOut"]) == (1, 0)
    assert (rows[here]["issued"], rows[here]["transferredOut"], rows[here]["served"]) == (1, 1, 0)
    assert (rows[there]["transferredIn"], rows[there]["called"], rows[there]["served"]) == (1, 1, 1)
    by_operator = await reporting.branch_table("main", ANN, RequestedDays("today", None, ReportBy.OPERATOR))
    assert [(row["key"], row["called"], row["served"]) for row in by_operator["rows"]] == [("ann", 1, 1), (None, 0, 0)]


async def test_a_branch_report_covers_only_departments_of_the_reader_and_names_them(
    core: Core, reporting: Reporting
) -> None:
    mine, other = await core.department(), await core.department()
    for name in (mine, other):
        await core.issue(name)
    staff = replace(ANN, departments=frozenset({mine}))
    table = await reporting.branch_table("main", staff, RequestedDays("today"))

    assert (table["departments"], table["total"]["issued"]) == ([mine], 1)
    with refused(ProblemCode.FORBIDDEN):
        await reporting.branch_table("main", replace(ANN, departments=frozenset({"NOWHERE"})), RequestedDays("today"))


async def test_a_damaged_entry_does_not_end_the_report(core: Core, reporting: Reporting) -> None:
    name = await core.department()
    await core.issue(name, 2)
    await core.run(
        "UPDATE outbox SET payload = '{' WHERE department_id = %s AND seq = (SELECT max(seq) FROM outbox)", name
    )
    assert (await reporting.report(name, ANN, None))["issued"] == 1
