"""Reports by the command line, on the real server."""

import csv
import io
import json
import secrets
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.cli.conftest import Cli, Done
from tests.http_fake import fake_server, says
from tokenq.cli.commands.replay import _in_business_day
from tokenq_server.domain.business_day import business_day


def items(done: Done) -> list[dict]:
    assert done.code == 0, done
    return json.loads(done.out)["items"]


def in_branch(tokenq: Cli, zone: str) -> tuple[str, str]:
    branch, dept = f"b{secrets.token_hex(3)}", f"R{secrets.token_hex(3).upper()}"
    assert tokenq("branch", "create", branch, "--name", "Away", "--timezone", zone).code == 0
    assert tokenq("dept", "create", "Away desk", "--id", dept, "--branch", branch).code == 0
    return branch, dept


@pytest.mark.parametrize("own_zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_yesterday_is_the_branchs_and_not_this_machines(tokenq: Cli, own_zone: str):
    """On a machine in another zone it was the figures of today."""
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        _, dept = in_branch(tokenq, zone)
        before = business_day(datetime.now(UTC), zone, 4)
        (view,) = items(tokenq("report", dept, "--day", "yesterday", "--json", TZ=own_zone))
        simulated = tokenq("simulate", dept, "--counters", "1", "--day", "yesterday", "--json", TZ=own_zone)
        after = business_day(datetime.now(UTC), zone, 4)
        assert date.fromisoformat(view["businessDay"]) + timedelta(days=1) in (before, after)
        assert json.loads(simulated.out)["businessDay"] == view["businessDay"]


def test_a_range_by_counter_has_the_same_numbers_as_json_csv_and_on_the_screen(tokenq: Cli):
    branch, dept = in_branch(tokenq, "UTC")
    for _ in range(3):
        tokenq("issue", dept)
    tokenq("serve", dept, "-c", f"1{dept}"), tokenq("call", dept, "-c", f"2{dept}")
    tokenq("no-show", f"{dept}-002")
    typed = ("report", "--branch", branch, "--from", "yesterday", "--by", "counter")
    (view,) = items(tokenq(*typed, "--json"))
    assert (view["total"]["issued"], view["total"]["called"], view["total"]["noShowPercent"]) == (3, 2, 50.0)
    assert [(row["key"], row["called"], row["served"], row["noShow"]) for row in view["rows"]] == [
        (f"1{dept}"[:16], 1, 1, 0),
        (f"2{dept}"[:16], 1, 0, 1),
        (None, 0, 0, 0),
    ]
    rows = list(csv.DictReader(io.StringIO(tokenq(*typed, "--csv").out)))
    assert [row["key"] for row in rows if row["slice"] == "counter"] == [f"1{dept}", f"2{dept}", ""]
    assert [row["called"] for row in rows if row["slice"] in ("total", "counter")] == ["2", "1", "1", "0"]
    screen = tokenq(*typed).out
    assert f"Departments: {dept}" in screen
    assert "No-shows            1 (50.0 %)" in screen
    assert "no counter" in screen


def test_a_deleted_departments_days_can_be_reported(tokenq: Cli):
    branch, dept = in_branch(tokenq, "UTC")
    tokenq("issue", dept), tokenq("serve", dept, "-c", dept)
    assert tokenq("dept", "delete", dept, "--yes").code == 0
    (view,) = items(tokenq("report", dept, "--json"))
    assert view["served"] == 1
    (table,) = items(tokenq("report", "--branch", branch, "--by", "department", "--json"))
    assert [(row["key"], row["served"]) for row in table["rows"]] == [(dept, 1)]


def test_all_departments_add_up_to_their_branch_even_if_one_is_deleted(tokenq: Cli):
    branch, dept = in_branch(tokenq, "UTC")
    tokenq("issue", dept), tokenq("serve", dept, "-c", dept)
    assert tokenq("dept", "delete", dept, "--yes").code == 0
    served = {view["departmentId"]: view["served"] for view in items(tokenq("report", "--json"))}
    (table,) = items(tokenq("report", "--branch", branch, "--json"))
    assert served[dept] == table["total"]["served"] == 1
    assert [row["department"] for row in csv.DictReader(io.StringIO(tokenq("report", "--csv").out))].count(dept) > 0


def test_the_night_of_a_business_day_can_be_replayed():
    """00:46 is after the evening, on the next date: it was taken for the night before."""
    day = _in_business_day("23:10", "Europe/Berlin", "2026-11-26", 4)
    night = _in_business_day("00:46", "Europe/Berlin", "2026-11-26", 4)
    begin = _in_business_day("04:00", "Europe/Berlin", "2026-11-26", 4)
    assert [moment.isoformat() for moment in (begin, day, night)] == [
        "2026-11-26T04:00:00+01:00",
        "2026-11-26T23:10:00+01:00",
        "2026-11-27T00:46:00+01:00",
    ]


def test_without_a_name_it_reports_what_the_user_may_see(tokenq: Cli):
    (branch, dept), (elsewhere, _) = in_branch(tokenq, "UTC"), in_branch(tokenq, "UTC")
    key = json.loads(tokenq("key", "create", "r", "--role", "staff", "--dept", dept, "--json").out)["key"]
    assert [view["departmentId"] for view in items(tokenq("report", "--json", TOKENQ_TOKEN=key))] == [dept]
    tables = items(tokenq("report", "--day", "last-week", "--json", TOKENQ_TOKEN=key))
    assert [view["branchId"] for view in tables] == [branch]
    assert len({tables[0]["firstDay"], tables[0]["lastDay"]}) == 2
    assert tokenq("report", "--branch", elsewhere, TOKENQ_TOKEN=key).code == 5


def test_too_many_days_are_refused_in_one_sentence(tokenq: Cli, dept: str):
    done = tokenq("report", dept, "--from", "2020-01-01")
    assert (done.code, done.out) == (1, "")
    assert "A report covers at most 400 days, not " in done.err
    assert tokenq("report", dept, "--from", "2026-02-02", "--to", "2026-02-01").code == 1


def test_an_older_servers_day_is_shown_and_its_lack_of_ranges_said(cli: Cli):
    """It ignores the range and answers with a day."""
    times = {"count": 1, "mean": 61.6, "p50": 61.6, "p90": 61.6, "max": 61.6}
    counts = ("issued", "called", "served", "noShow", "cancelled", "expired", "transferredIn", "transferredOut")
    day = {
        **dict.fromkeys(counts, 1),
        "departmentId": "CW",
        "name": "Desk",
        "businessDay": "2026-11-23",
        "timezone": "UTC",
        "noShowPercent": 1.5,
        "waiting": times,
        "walking": times,
        "service": times,
        "classes": {"normal": times},
        "serviceLevel": {"minutes": 15, "percent": 50.0, "target": 80},
        "estimates": {"count": 0, "meanError": None, "within": None},
        "hours": [{"hour": "09", "issued": 1, "called": 1, "served": 1, "meanWait": 61.6}],
        "counters": [{"counterId": "1", "served": 1, "noShow": 1, "service": times}],
    }
    with fake_server(says(200, day)) as fake:
        shown = cli("report", "CW", TOKENQ_URL=fake.url)
        assert cli("report", "CW", "--csv", TOKENQ_URL=fake.url).code == 0
        ranged = cli("report", "CW", "--from", "yesterday", TOKENQ_URL=fake.url)
    assert shown.code == 0
    assert "mean 1:02" in shown.out
    assert (ranged.code == 0, ranged.out) == (False, "")
    assert "single days only" in ranged.err
