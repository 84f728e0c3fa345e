"""Opening hours and the finer settings of departments, by the command line."""

import json
import secrets

import pytest

from tests.cli.conftest import Cli
from tokenq.cli.department_settings import NAMES, OPTIONS, read_setting
from tokenq.contract.notifications import LetterKind
from tokenq.contract.settings import SETTINGS
from tokenq.contract.views import DepartmentView
from tokenq_server.domain.rules import Rules, rules_document


def made(done) -> dict:
    assert done.code == 0, done
    return json.loads(done.out)


def test_every_rule_can_be_set_and_its_default_is_told_truly():
    """A rule that nobody can type, or a default that is not one, would be found out by the first user."""
    defaults = rules_document(Rules())
    assert set(NAMES.values()) == set(defaults) - {"hours"}
    assert {key: read_setting(key, one.default) for key, one in SETTINGS.items()} == {
        key: value for key, value in defaults.items() if key != "hours"
    }


def test_whatever_a_department_has_is_a_setting_or_says_what_sets_it():
    assert {*SETTINGS, *OPTIONS, "departmentId"} == set(DepartmentView.__annotations__)


def test_settings_are_set_shown_and_kept_when_others_change(tokenq: Cli, dept: str):
    first = made(
        tokenq(
            *("dept", "update", dept, "--set", "daily-cap=80", "--set", "letters=issued,called"),
            *("--set", "class-names=urgent:Emergency, normal:Walk-in", "--set", "counters=1,2", "--json"),
        )
    )
    second = made(tokenq("dept", "update", dept, "--set", "undo_minutes=0", "--json"))

    assert (first["dailyCap"], first["letters"], first["counters"]) == (80, ["issued", "called"], ["1", "2"])
    assert second == {**first, "undoMinutes": 0}
    shown = tokenq("dept", "show", dept).out
    assert "normal: Walk-in, urgent: Emergency" in shown
    assert "never" in shown
    back = made(tokenq("dept", "update", dept, "--set", "letters=all", "--set", "class-names=none", "--json"))
    assert (back["letters"], back["classNames"]) == ([*LetterKind], {})


def test_a_new_department_takes_settings_and_hours(tokenq: Cli):
    name = f"D{secrets.token_hex(3).upper()}"
    view = made(
        tokenq(
            *("dept", "create", "Cash", "--id", name, "--set", "number-start=100", "--hours", "mon-fri 8:00-12:00"),
            *("--closed-on", "2026-12-25", "--json"),
        )
    )
    assert view["numberStart"] == 100
    assert view["hours"]["weekly"]["fri"] == ["08:00-12:00"]
    assert view["hours"]["exceptions"] == {"2026-12-25": []}
    assert "mon-fri 08:00-12:00; 2026-12-25 closed" in tokenq("dept", "show", name).out


def test_a_department_s_hours_are_its_own_the_branch_s_or_always(tokenq: Cli, dept: str):
    assert tokenq("dept", "update", dept, "--closed-on", "2026-12-25").code == 2
    tokenq("dept", "update", dept, "--hours", "sat 10:00-14:00")
    view = made(tokenq("dept", "update", dept, "--closed-on", "2026-12-26", "--json"))
    assert view["hours"] == {"weekly": {"sat": ["10:00-14:00"]}, "exceptions": {"2026-12-26": []}}

    assert made(tokenq("dept", "update", dept, "--hours", "branch", "--json"))["hours"] is None
    assert made(tokenq("dept", "update", dept, "--hours", "always", "--json"))["hours"]["weekly"]["sun"] == [
        "00:00-24:00"
    ]


def test_who_comes_when_it_is_closed_is_told_when_it_opens(tokenq: Cli, dept: str):
    tokenq("dept", "update", dept, "--hours", "closed")
    done = tokenq("issue", dept)
    assert done.code == 4
    assert "closed" in done.err
    assert tokenq("issue", dept, "--force").code == 0


def test_a_branch_s_hours_survive_other_changes(tokenq: Cli):
    """An update of the name once wrote the branch anew without them."""
    name = f"b{secrets.token_hex(3)}"
    zone = ("--timezone", "Europe/Berlin")
    made(tokenq("branch", "create", name, "--name", "North", *zone, "--hours", "mon-fri 08:00-16:00", "--json"))
    view = made(tokenq("branch", "update", name, "--name", "South", "--json"))
    assert view["hours"]["weekly"]["mon"] == ["08:00-16:00"]

    tokenq("branch", "update", name, "--closed-on", "2026-12-25")
    assert "mon-fri 08:00-16:00; 2026-12-25 closed" in tokenq("branch", "show", name).out
    assert "mon-fri 08:00-16:00" in tokenq("branch", "list").out
    assert made(tokenq("branch", "update", name, "--hours", "always", "--json"))["hours"] is None


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        (("--set", "dailycap=80"), 2, "'dailycap=80' is not a setting"),
        (("--set", "daily-cap"), 2, "daily-cap needs a value"),
        (("--set", "day-end"), 2, "Write day-end=expire"),
        (("--set", "max-wait-minutes=30"), 2, "Use --max-wait."),
        (("--set", "branch=main"), 2, "Use --branch."),
        (("--set", "open=true"), 2, "Use 'tokenq dept open' or 'tokenq dept close'."),
        (("--set", "counters=1,1"), 1, "names 1 twice"),
        (("--set", "daily-cap=many"), 2, "takes a whole number"),
        (("--set", "letters=issued,post"), 2, "letters takes any of"),
        (("--set", "class-names=vip:Very"), 2, "urgent:Emergency"),
        (("--set", "out-of-order-by=nobody"), 2, "staff or admin"),
        (("--set", "service-level-percent=101"), 1, "at most 100"),
        (("--hours", "mon-fry 08:00-12:00"), 2, "'mon-fry' is neither a weekday"),
        (("--hours", "mon 08:00-12:00, 11:00-13:00"), 1, "overlap"),
        (("--hours", "mon 08:00-25:00"), 1, "is not an interval"),
        (("--hours", "2026-02-30 closed"), 1, "not a date"),
        (("--hours", "branch", "--closed-on", "2026-12-25"), 2, "branch's hours"),
        ((), 2, "Nothing to change"),
    ],
)
def test_what_makes_no_sense_is_told_and_changes_nothing(tokenq: Cli, dept: str, typed, code: int, says: str):
    before = made(tokenq("dept", "show", dept, "--json"))
    done = tokenq("dept", "update", dept, *typed)

    assert (done.code, says in done.err) == (code, True), done
    assert made(tokenq("dept", "show", dept, "--json")) == before


def test_the_settings_are_listed_with_what_they_mean(tokenq: Cli):
    assert "daily-cap" in tokenq("dept", "settings").out
    assert {one["name"] for one in made(tokenq("dept", "settings", "--json"))["items"]} == set(NAMES)


def test_other_hours_leave_single_days_alone_until_they_are_taken_back(tokenq: Cli, dept: str):
    """Christmas must not be open because somebody changed an ordinary Monday."""
    tokenq("dept", "update", dept, "--hours", "mon-fri 08:00-12:00", "--closed-on", "2026-12-25")
    for change in (("--hours", "mon-fri 09:00-12:00"), ("--hours", "always"), ("--closed-on", "2026-12-24")):
        assert "2026-12-25 closed" in tokenq("dept", "update", dept, *change).out
    out = tokenq("dept", "update", dept, "--as-usual-on", "2026-12-25").out
    assert "2026-12-25" not in out
    assert "2026-12-24 closed" in out
    assert tokenq("dept", "update", dept, "--as-usual-on", "2026-12-25").code == 3


def test_a_branchs_closed_days_stay_too(tokenq: Cli):
    branch = f"b{secrets.token_hex(3)}"
    tokenq("branch", "create", branch, "--name", "Hall", "--timezone", "UTC", "--closed-on", "2026-12-25")
    assert "2026-12-25 closed" in tokenq("branch", "update", branch, "--hours", "mon-fri 08:00-12:00").out
    assert "2026-12-25" not in tokenq("branch", "update", branch, "--as-usual-on", "2026-12-25").out
