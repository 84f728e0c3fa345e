"""Settings of departments and branches over HTTP: what is accepted and refused, and what PUT and PATCH keep."""

from typing import Any

import pytest

from tests.stack import Stack
from tests.without_http import department_id
from tokenq_server.domain.rules import Rules, rules_document

SETTINGS: dict[str, Any] = {
    "numberStart": 100,
    "dailyCap": 80,
    "minCalls": 2,
    "noShowGraceSeconds": 60,
    "recallCooldownSeconds": 15,
    "maxCalls": 4,
    "undoMinutes": 0,
    "nearTurn": 3,
    "letters": ["issued", "near"],
    "serviceMinutes": 7,
    "forgottenMinutes": 45,
    "longestWaitMinutes": 50,
    "admission": "capacity",
    "selfService": "on",
    "serviceLevelMinutes": 20,
    "serviceLevelPercent": 90,
    "counters": ["1", "2 b"],
    "outOfOrderBy": "admin",
    "dayEnd": "keep",
    "lastTokenMinutes": 30,
    "classNames": {"urgent": "Emergency"},
    "hours": {"weekly": {"mon": ["08:00-12:00"]}, "exceptions": {"2026-12-25": []}},
}


@pytest.fixture
def path(running: Stack) -> str:
    name = department_id()
    running.ask("PUT", f"/api/v1/departments/{name}", {"name": "Cash window"})
    return f"/api/v1/departments/{name}"


def test_every_setting_is_stored_and_a_put_without_it_resets_it(running: Stack, path: str) -> None:
    """PUT is declarative: what is omitted gets its default."""
    status, view = running.ask("PUT", path, {"name": "Cash", **SETTINGS})
    assert status == 200
    assert {key: view[key] for key in SETTINGS} == SETTINGS
    assert running.ask("GET", path)[1] == view
    again = running.ask("PUT", path, {"name": "Cash"})[1]

    assert {key: again[key] for key in SETTINGS} == rules_document(Rules())


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_patch_changes_only_the_given_fields(running: Stack, path: str, setting: str) -> None:
    before = running.ask("GET", path)[1]
    status, view = running.ask("PATCH", path, {setting: SETTINGS[setting]})

    assert (status, view) == (200, {**before, setting: SETTINGS[setting]})


def test_hours_may_be_text_and_null_restores_the_branch_s(running: Stack, path: str) -> None:
    view = running.ask("PATCH", path, {"hours": "mon-tue 8:00-12:00; 2026-12-25 closed"})[1]
    assert view["hours"] == {
        "weekly": {"mon": ["08:00-12:00"], "tue": ["08:00-12:00"]},
        "exceptions": {"2026-12-25": []},
    }
    assert running.ask("PATCH", path, {"hours": None})[1]["hours"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"numberStart": 0},
        {"dailyCap": -1},
        {"dailyCap": "80"},
        {"dailyCap": 1.5},
        {"minCalls": 0},
        {"noShowGraceSeconds": 3601},
        {"undoMinutes": 61},
        {"nearTurn": 51},
        {"letters": ["issued", "post"]},
        {"letters": "issued"},
        {"serviceMinutes": 0},
        {"serviceLevelPercent": 101},
        {"counters": [""]},
        {"counters": ["\u001b[2J"]},
        {"outOfOrderBy": "customer"},
        {"dayEnd": "maybe"},
        {"admission": "never"},
        {"forgottenMinutes": 1441},
        {"classNames": {"vip": "Very"}},
        {"classNames": {"urgent": "a\nb"}},
        {"classNames": {"urgent": "x" * 81}},
        {"hours": "mon"},
        {"hours": "x" * 20_000},
        {"hours": []},
        {"hours": {"weekly": {"mon": ["8-12"]}}},
        {"hours": {"weekly": {"mon": ["08:00-12:00", "11:00-13:00"]}}},
        {"hours": {"weekly": {"Monday": []}}},
        {"hours": {"exceptions": {"25.12.2026": []}}},
        {"hours": {"daily": {}}},
    ],
    ids=lambda body: str(body)[:50],
)
def test_an_invalid_setting_is_refused_and_changes_nothing(running: Stack, path: str, body: dict[str, Any]) -> None:
    before = running.ask("GET", path)[1], running.ask("GET", f"{path}/queue")[1]["seq"]
    status, problem = running.ask("PATCH", path, body)

    assert (status, problem["code"]) == (422, "invalid")
    assert problem["hint"]
    assert (running.ask("GET", path)[1], running.ask("GET", f"{path}/queue")[1]["seq"]) == before


def test_a_floor_over_http_equals_the_export(running: Stack, path: str) -> None:
    """PUT of what GET returned changes nothing. An invalid document is refused with its location."""
    running.ask("PUT", path, {"name": "Cash", **SETTINGS})
    floor = running.ask("GET", "/api/v1/floor")[1]
    name = path.rpartition("/")[2]
    assert floor["departments"][name]["dailyCap"] == 80
    assert running.ask("PUT", "/api/v1/floor?prune=true", floor) == (200, {"changes": [], "applied": True})

    floor["departments"][name]["ratio"] = "1-1"
    status, problem = running.ask("PUT", "/api/v1/floor?dryRun=true", floor)
    assert (status, problem["path"]) == (422, f"departments.{name}.ratio")


def test_a_branch_whose_day_would_end_is_refused_without_end_day(running: Stack) -> None:
    """The refusal names the departments; a new branch and a whole floor have no such field."""
    name = department_id()
    here = f"/api/v1/branches/{name.lower()}"
    west, east = ({"name": "Site", "timezone": zone} for zone in ("Pacific/Pago_Pago", "Pacific/Kiritimati"))
    assert running.ask("PUT", here, west)[0] == 200
    running.ask("POST", "/api/v1/departments", {"departmentId": name, "name": "Cash", "branchId": name.lower()})
    running.ask("POST", f"/api/v1/departments/{name}/tokens", {})
    status, problem = running.ask("PUT", here, east)

    assert (status, problem["code"], problem["ends"]) == (409, "in_use", {name: {"WAITING": 1}})
    assert problem["hint"]
    assert running.ask("PUT", here, {**east, "endDay": False})[0] == 409
    assert running.ask("POST", "/api/v1/branches", {**east, "branchId": "x", "endDay": True})[0] == 422
    assert running.ask("PUT", "/api/v1/floor", {"branches": {name.lower(): {**east, "endDay": True}}})[0] == 422
    assert running.ask("GET", here)[1]["timezone"] == "Pacific/Pago_Pago"
    assert running.ask("PUT", here, {**east, "endDay": True})[0] == 200
