"""Each change of a department is an entry in its log, with the transactions and numbering of its tokens' entries."""

import asyncio
import json
from typing import Any

import pytest

from tests.without_http import Core, assert_all_is_well
from tokenq.contract.problems import Refused
from tokenq_server.domain.hours import hours_from
from tokenq_server.services.setup_views import Branch


async def log_of(core: Core, department: str) -> list[dict[str, Any]]:
    rows = await core.rows("SELECT payload FROM outbox WHERE department_id = %s ORDER BY seq", department)
    return [json.loads(row["payload"]) for row in rows]


async def test_creation_and_each_change_are_logged_with_settings_and_actor(core: Core) -> None:
    name = await core.department(ratio="3:1")
    await core.issue(name)
    await core.setup.change_department(name, {"daily_cap": 40}, "ann")
    await core.setup.change_department(name, {"is_open": False}, "bob")
    created, issued, capped, closed = await log_of(core, name)

    assert [entry["seq"] for entry in (created, issued, capped, closed)] == [1, 2, 3, 4]
    assert (created["eventType"], created["tokenId"], created["displayNumber"]) == ("DEPARTMENT_CHANGED", 0, "")
    assert created["data"]["settings"]["ratio"] == "3:1"
    assert (capped["actor"], capped["data"]["settings"]["dailyCap"]) == ("ann", 40)
    assert (closed["actor"], closed["data"]["settings"]["open"]) == ("bob", False)
    await assert_all_is_well(core, name)


async def test_a_branch_change_is_logged_in_each_department(core: Core) -> None:
    """Its hours and time zone apply to them."""
    here = [await core.department() for _ in range(3)]
    await core.setup.create_branch(Branch("north", "North"), "ann")
    elsewhere = await core.department(branch_id="north")
    hours = hours_from({"weekly": {"mon": ["08:00-12:00"]}, "exceptions": {}})
    await core.setup.put_branch(Branch("main", "Main", "Asia/Kolkata", 4, hours), "ann")

    for name in here:
        last = (await log_of(core, name))[-1]
        assert last["seq"] == 2
        assert last["data"]["settings"]["hours"]["weekly"] == {"mon": ["08:00-12:00"]}
        assert last["data"]["settings"]["timezone"] == "Asia/Kolkata"
    assert len(await log_of(core, elsewhere)) == 1


async def test_a_change_of_nothing_is_not_logged(core: Core) -> None:
    name = await core.department()
    await core.setup.change_department(name, {}, "ann")
    assert len(await log_of(core, name)) == 1


async def test_an_archived_department_is_logged_and_can_be_recreated(core: Core) -> None:
    name = await core.department()
    await core.setup.delete_department(name, "ann")
    await core.setup.create_department(name, {"name": "Again"}, "ann")

    assert [entry["data"].get("archived") for entry in await log_of(core, name)] == [None, True, None]


async def test_changes_of_different_rules_at_once_do_not_undo_each_other(core: Core) -> None:
    """Twenty admins change twenty rules: all hold afterwards, and the log has no gap."""
    name = await core.department()
    changes = {"daily_cap": 7, "undo_minutes": 9, "near_turn": 3, "max_calls": 5, "last_token_minutes": 11}
    await asyncio.gather(
        *(core.setup.change_department(name, {rule: value}, "ann") for rule, value in changes.items()),
        *(core.issue(name) for _ in range(5)),
    )
    view = await core.setup.department(name)

    assert {view["dailyCap"], view["undoMinutes"], view["nearTurn"], view["maxCalls"], view["lastTokenMinutes"]} == {
        *changes.values()
    }
    assert [entry["seq"] for entry in await log_of(core, name)] == list(range(1, 12))
    await assert_all_is_well(core, name)


async def test_only_a_day_that_the_change_itself_would_end_is_asked_about(core: Core) -> None:
    """Tokens of a day that is already over expire with the next command, whatever is changed."""
    west, east = (Branch("main", "Main", f"Pacific/{zone}", 0) for zone in ("Pago_Pago", "Kiritimati"))
    await core.setup.put_branch(west)
    first, other = await core.department(), await core.department()
    await core.issue(first, 2)
    await core.issue(other)
    await core.serve(other, "1")
    with pytest.raises(Refused) as caught:
        await core.setup.put_branch(east)
    assert caught.value.problem.extra == {"ends": {first: {"WAITING": 2}}}
    await core.setup.change_department(first, {"day_end": "keep"})
    await core.setup.put_branch(east)
    await core.setup.change_department(first, {"day_end": "expire"})
    await core.setup.put_branch(west)
    assert (await core.setup.branch("main"))["timezone"] == west.timezone

    await core.run("UPDATE dept_state SET day = day - 2 WHERE department_id = %s", first)
    await core.setup.put_branch(east)
