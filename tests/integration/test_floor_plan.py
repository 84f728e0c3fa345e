"""The whole configuration as one document: compared, applied whole or not at all, and exported."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import MappingProxyType
from typing import Any

import pytest

from tests.unit.sessions import refused
from tests.without_http import Core
from tokenq.contract.problems import ProblemCode
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.floor_plan import PostgresFloorPlans
from tokenq_server.api.floor_schema import FloorBody, requested_plan
from tokenq_server.services.audit import Origin
from tokenq_server.services.floor_plan import FloorPlans

Document = dict[str, Any]
Floor = Callable[..., Any]

OFFICE = "mon-fri 08:00-12:00, 13:00-17:00; 2026-12-25 closed"
ADMIN = MappingProxyType({"name": "Boss", "role": "admin"})


@pytest.fixture
async def core(core: Core) -> Core:
    await core.run("INSERT INTO app_user (username, name, role) VALUES ('boss', 'Boss', 'admin')")
    return core


class Applied:
    """The use case on a real database, with documents from the wire."""

    def __init__(self, database: Database) -> None:
        self._plans = FloorPlans(PostgresFloorPlans(database))

    async def __call__(self, document: Document, *, prune: bool = False, dry: bool = False) -> list[Document]:
        """Apply a document; return the changes."""
        body = FloorBody.model_validate(document)
        if dry:
            changes, _ = await self._plans.preview(requested_plan(body), prune=prune)
            return changes
        return await self._plans.apply(requested_plan(body), Origin("ann"), prune=prune)

    async def export(self) -> Document:
        """Return the export."""
        return await self._plans.export()


@pytest.fixture
async def apply(core: Core) -> AsyncIterator[Applied]:
    database = Database(core.dsn, size=2)
    yield Applied(database)
    await database.close()


def town_hall(count: int = 40) -> Document:
    """A large floor: departments with their own settings, counters, users."""
    departments = {
        f"{'DEFG'[number // 10]}{number % 10}": {
            "name": f"Department {number}",
            "branchId": "main" if number % 2 else "north",
            "ratio": "3:1",
            "hours": OFFICE,
            "dailyCap": 100 + number,
            "letters": ["issued", "called"],
            "classNames": {"urgent": "Emergency"},
        }
        for number in range(count)
    }
    return {
        "branches": {
            "main": {"name": "Town hall", "timezone": "Europe/Berlin", "hours": OFFICE},
            "north": {"name": "North", "timezone": "America/St_Johns", "rolloverHour": 2},
        },
        "departments": departments,
        "counters": {
            "main": {str(number): {"departments": ["D1", "D3"]} for number in range(10)},
            "north": {"a.b c": {}},
        },
        "users": {
            "boss": {**ADMIN},
            **{
                f"clerk{number}": {"name": f"Clerk {number}", "role": "staff", "departments": ["D1"]}
                for number in range(9)
            },
        },
    }


async def everything(core: Core) -> list[Any]:
    """The configuration in the database, to check that nothing changed."""
    return [
        await core.rows(f"SELECT * FROM {table} ORDER BY 1, 2")
        for table in ("branch", "department", "counter", "app_user", "outbox", "credential")
    ]


async def test_forty_departments_on_an_empty_system(core: Core, apply: Applied) -> None:
    """The document creates them all; then there is nothing left to do, and the export is the same."""
    floor = town_hall()
    changes = await apply(floor)
    assert await apply(floor, dry=True) == []

    assert {(change["kind"], change["action"]) for change in changes} == {
        ("branches", "create"),
        ("branches", "update"),
        ("departments", "create"),
        ("counters", "create"),
        ("users", "create"),
    }
    assert len(await core.setup.departments()) == 40
    assert await apply(await apply.export(), prune=True) == []
    counts = await core.rows("SELECT department_id, count(*) AS times FROM outbox GROUP BY department_id")
    assert [row["times"] for row in counts] == [1] * 40


async def test_a_dry_run_shows_changes_and_changes_nothing(core: Core, apply: Applied) -> None:
    await apply(town_hall(4))
    before = await everything(core)
    floor = town_hall(4)
    floor["departments"]["D1"] |= {"ratio": "1:1", "dailyCap": 5}
    floor["departments"]["NEW"] = {"name": "New"}
    floor["users"]["clerk1"]["disabled"] = True
    changes = await apply(floor, dry=True)

    assert await everything(core) == before
    assert changes == [
        {"kind": "departments", "id": "D1", "action": "update", "field": "ratio", "before": "3:1", "after": "1:1"},
        {"kind": "departments", "id": "D1", "action": "update", "field": "dailyCap", "before": 101, "after": 5},
        {"kind": "departments", "id": "NEW", "action": "create", "after": {"name": "New"}},
        {"kind": "users", "id": "clerk1", "action": "update", "field": "disabled", "before": False, "after": True},
    ]
    assert await apply(floor) == changes
    assert await apply(floor) == []


async def test_omitted_settings_get_defaults_except_open_and_unnamed_items_stay(core: Core, apply: Applied) -> None:
    await apply(town_hall(4))
    await core.setup.change_department("D1", {"is_open": False})
    await apply({"departments": {"D1": {"name": "Plain", "branchId": "main"}}})
    view = await core.setup.department("D1")

    assert (view["ratio"], view["dailyCap"], view["hours"], view["open"]) == ("2:1", 0, None, False)
    assert (await core.setup.department("D2"))["dailyCap"] == 102


async def test_a_change_is_one_entry_in_the_log_of_each_department_it_concerns(core: Core, apply: Applied) -> None:
    """Even if a branch changes together with its departments."""
    await apply(town_hall(4))
    floor = town_hall(4)
    floor["branches"]["main"]["timezone"] = "Asia/Kolkata"
    floor["departments"]["D1"]["dailyCap"] = 1
    await apply(floor)
    entries = await core.rows(
        "SELECT department_id, count(*) AS times, max(payload) AS last FROM outbox GROUP BY 1 ORDER BY 1"
    )

    assert {row["department_id"]: row["times"] for row in entries} == {"D0": 1, "D1": 2, "D2": 1, "D3": 2}
    (last,) = await core.rows("SELECT payload::jsonb AS entry FROM outbox WHERE department_id = 'D1' AND seq = 2")
    settings = last["entry"]["data"]["settings"]
    assert (last["entry"]["actor"], settings["dailyCap"], settings["timezone"]) == ("ann", 1, "Asia/Kolkata")


BAD: list[tuple[str, Callable[[Document], Any], ProblemCode, str]] = [
    (
        "ratio",
        lambda floor: floor["departments"]["D1"].update(ratio="9:x"),
        ProblemCode.INVALID,
        "departments.D1.ratio",
    ),
    (
        "prefix",
        lambda floor: floor["departments"]["D1"].update(prefix="cw"),
        ProblemCode.INVALID,
        "departments.D1.prefix",
    ),
    (
        "format",
        lambda floor: floor["departments"]["D1"].update(numberFormat="{x}"),
        ProblemCode.INVALID,
        "departments.D1.numberFormat",
    ),
    (
        "same prefix",
        lambda floor: floor["departments"]["D1"].update(prefix="D3"),
        ProblemCode.EXISTS,
        "departments.D1.prefix",
    ),
    (
        "hours",
        lambda floor: floor["departments"]["D1"].update(hours="mon 08:00-10:00, 09:00-11:00"),
        ProblemCode.INVALID,
        "departments.D1.hours.weekly.mon",
    ),
    (
        "branch hours",
        lambda floor: floor["branches"]["main"].update(hours="2026-02-30 closed"),
        ProblemCode.INVALID,
        "branches.main.hours.exceptions.2026-02-30",
    ),
    (
        "zone",
        lambda floor: floor["branches"]["main"].update(timezone="Mars/Olympus"),
        ProblemCode.INVALID,
        "branches.main.timezone",
    ),
    (
        "branch",
        lambda floor: floor["departments"]["D1"].update(branchId="moon"),
        ProblemCode.UNKNOWN_BRANCH,
        "departments.D1.branchId",
    ),
    (
        "profile",
        lambda floor: floor["counters"]["main"]["1"].update(departments=["D2"]),
        ProblemCode.UNKNOWN_DEPARTMENT,
        "counters.main.1",
    ),
    (
        "counter's branch",
        lambda floor: floor["counters"].update(moon={"1": {}}),
        ProblemCode.UNKNOWN_BRANCH,
        "counters.moon",
    ),
    (
        "clerk",
        lambda floor: floor["users"]["clerk1"].update(departments=["NOWHERE"]),
        ProblemCode.UNKNOWN_DEPARTMENT,
        "users.clerk1.departments",
    ),
    ("last admin", lambda floor: floor["users"]["boss"].update(role="staff"), ProblemCode.IN_USE, "users"),
]


@pytest.mark.parametrize(("spoil", "code", "path"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
async def test_an_invalid_document_is_refused_with_the_location_and_changes_nothing(
    core: Core, apply: Applied, spoil: Callable[[Document], Any], code: ProblemCode, path: str
) -> None:
    """Although everything else in it would be new."""
    floor = town_hall(4)
    spoil(floor)
    before = await everything(core)
    with refused(code) as refusal:
        await apply(floor)

    assert str(refusal.value.problem.extra["path"]).startswith(path)
    assert await everything(core) == before


async def test_pruning_removes_what_is_not_named_but_main_and_users(core: Core, apply: Applied) -> None:
    await apply(town_hall(4))
    small = {"departments": {"D1": {"name": "One"}}, "users": {"boss": {**ADMIN}}}
    changes = await apply(small, prune=True, dry=True)
    assert {(change["kind"], change["id"]) for change in changes if change["action"] == "delete"} == {
        *(("counters", f"main.{number}") for number in range(10)),
        ("counters", "north.a.b c"),
        *(("departments", name) for name in ("D0", "D2", "D3")),
        ("branches", "north"),
    }
    await apply(small, prune=True)

    assert await apply(small, prune=True) == []
    assert [department["departmentId"] for department in await core.setup.departments()] == ["D1"]
    assert [branch["branchId"] for branch in await core.setup.branches()] == ["main"]
    assert len((await apply.export())["users"]) == 10
    await apply(town_hall(4))
    assert (await core.setup.department("D0"))["branchId"] == "north"


async def test_a_department_with_people_in_it_is_not_pruned(core: Core, apply: Applied) -> None:
    """Refused as a whole: nothing else in the document is applied."""
    floor = town_hall(4)
    del floor["departments"]["D3"]["hours"], floor["branches"]["main"]["hours"]
    await apply(floor)
    await core.issue("D3")
    before = await everything(core)
    with refused(ProblemCode.IN_USE, "D3"):
        await apply({"departments": {"D1": {"name": "Another name"}}, "users": {"boss": {**ADMIN}}}, prune=True)

    assert await everything(core) == before


async def test_a_user_of_a_deleted_department_does_not_break_the_export(core: Core, apply: Applied) -> None:
    """Nor does that user get all departments, like users without any."""
    await apply(town_hall(4))
    await core.setup.delete_department("D1")
    exported = await apply.export()

    assert exported["users"]["clerk1"]["departments"] == ["D1"]
    assert exported["counters"]["main"]["1"]["departments"] == ["D1", "D3"]
    assert await apply(exported, dry=True) == []


async def test_two_concurrent_applies_do_not_mix(core: Core, apply: Applied) -> None:
    """The second one wins, completely."""
    floors = [
        town_hall(4) | {"departments": {"D1": {"name": name, "ratio": ratio}}}
        for name, ratio in (("One", "1:1"), ("Two", "2:2"))
    ]
    for floor in floors:
        floor["counters"], floor["users"] = {}, {"boss": {**ADMIN}}
    await asyncio.gather(*(apply(floor) for floor in floors * 4))
    view = await core.setup.department("D1")

    assert (view["name"], view["ratio"]) in {("One", "1:1"), ("Two", "2:2")}


async def test_a_document_adds_no_user_whose_name_the_log_uses_for_customers(core: Core, apply: Applied) -> None:
    """One who has the name from an earlier release keeps it: an export can be applied again."""
    users = {"boss": dict(ADMIN), "customer": {"name": "Ann", "role": "staff"}}
    with refused(ProblemCode.INVALID, "reserved") as refusal:
        await apply({"users": users})
    assert refusal.value.problem.extra["path"] == "users.customer"
    await core.run("INSERT INTO app_user (username, name, role) VALUES ('customer', 'Ann', 'staff')")
    assert await apply({"users": users}) == []
