"""The whole configuration in Postgres, changed in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from tokenq_server.adapters.postgres.config_log import lock
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.people import keep_an_admin
from tokenq_server.adapters.postgres.setup import (
    archive_department,
    departments_in,
    read_branches,
    read_departments,
    tell,
    write_branch,
    write_department,
)
from tokenq_server.adapters.postgres.tables import app_user, branch, counter, credential, department
from tokenq_server.services.floor_plan import FloorPlan, UserSpec, at
from tokenq_server.services.setup import MAIN_BRANCH

_LOCK = 0x666C6F6F72  # "floor"


class PostgresFloorPlans:
    """Keeps the configuration."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> FloorPlan:
        """All of it, at one moment."""
        async with self._database.begin() as connection:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            return await _read(connection)

    async def transform(self, decide: Callable[[FloorPlan], FloorPlan], actor: str) -> tuple[FloorPlan, FloorPlan]:
        """Read, decide and write in one transaction; two at once wait for each other."""
        async with self._database.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            # Read once to know whom to lock, in the one order that all have, and again under the locks.
            before = await _read(connection)
            await lock(connection, _concerned(before, decide(before)))
            before = await _read(connection)
            after = decide(before)
            await _write(connection, before, after, actor)
            return before, after


async def _read(connection: AsyncConnection) -> FloorPlan:
    branches = {one.branch_id: one for one in await read_branches(connection)}
    departments = {one.department_id: one for one in await read_departments(connection)}
    declared = await connection.execute(select(counter).where(counter.c.is_declared))
    counters = {(row.branch_id, row.counter_id): tuple(row.departments) for row in declared}
    named = await connection.execute(select(app_user).where(app_user.c.username.is_not(None)))
    users = {
        row.username: UserSpec(row.name, row.email, row.role, tuple(row.departments), row.is_disabled) for row in named
    }
    return FloorPlan(branches, departments, counters, users)


def _concerned(before: FloorPlan, after: FloorPlan) -> list[str]:
    """The departments that are to change, or whose branch is."""
    branches = {*_changed(before.branches, after.branches), *_gone(before.branches, after.branches)}
    moved = [name for name, one in before.departments.items() if one.branch_id in branches]
    gone, new = _gone(before.departments, after.departments), _changed(before.departments, after.departments)
    return [*moved, *gone, *new]


async def _write(connection: AsyncConnection, before: FloorPlan, after: FloorPlan, actor: str) -> None:
    branches = _changed(before.branches, after.branches)
    departments = _changed(before.departments, after.departments)
    for one in branches:
        await write_branch(connection, after.branches[one], is_new=False)
    for one in _gone(before.departments, after.departments):
        await archive_department(connection, one, actor)
    for one in departments:
        with at(f"departments.{one}"):
            await write_department(connection, after.departments[one], is_new=False)
    await _write_counters(connection, before, after)
    with at("users"):
        await _write_users(connection, before, after)
    await _close_branches(connection, _gone(before.branches, after.branches))
    await tell(connection, {*departments, *await departments_in(connection, branches)}, actor)


async def _write_counters(connection: AsyncConnection, before: FloorPlan, after: FloorPlan) -> None:
    for branch_id, counter_id in _gone(before.counters, after.counters):
        mine = (counter.c.branch_id == branch_id, counter.c.counter_id == counter_id)
        await connection.execute(update(counter).where(*mine).values(is_declared=False, departments=[]))
    for place in _changed(before.counters, after.counters):
        await _declare(connection, place, after.counters[place])


async def _close_branches(connection: AsyncConnection, branch_ids: Sequence[str]) -> None:
    """Remove branches; what was archived in them is kept in the main one."""
    if branch_ids:
        archived = update(department).where(department.c.branch_id.in_(branch_ids), department.c.is_archived)
        await connection.execute(archived.values(branch_id=MAIN_BRANCH))
        await connection.execute(delete(branch).where(branch.c.branch_id.in_(branch_ids)))


def _changed(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[Any]:
    return sorted(name for name, value in after.items() if before.get(name) != value)


def _gone(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[Any]:
    return sorted(before.keys() - after.keys())


async def _declare(connection: AsyncConnection, place: tuple[str, str], departments: tuple[str, ...]) -> None:
    values: dict[str, Any] = {"departments": list(departments), "is_declared": True}
    statement = upsert(counter).values(branch_id=place[0], counter_id=place[1], state="CLOSED", **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["branch_id", "counter_id"], set_=values))


async def _write_users(connection: AsyncConnection, before: FloorPlan, after: FloorPlan) -> None:
    """Write users; the sessions end of those whose rights change. Raises Refused (``in_use``) for the last admin."""
    names = _changed(before.users, after.users)
    for name in names:
        values = _user_values(after.users[name])
        statement = upsert(app_user).values(username=name, **values)
        await connection.execute(statement.on_conflict_do_update(index_elements=["username"], set_=values))
    changed = [name for name in names if name in before.users and before.users[name].rights != after.users[name].rights]
    if changed:
        theirs = select(app_user.c.user_id).where(app_user.c.username.in_(changed))
        await connection.execute(delete(credential).where(credential.c.user_id.in_(theirs)))
        await keep_an_admin(connection)


def _user_values(one: UserSpec) -> dict[str, Any]:
    return {
        "name": one.name,
        "email": one.email,
        "role": one.role,
        "departments": list(one.departments),
        "is_disabled": one.is_disabled,
    }
