"""The whole configuration in Postgres, changed in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tokenq.contract.enums import Role
from tokenq_server.adapters.postgres.audit import recorded
from tokenq_server.adapters.postgres.config_log import lock
from tokenq_server.adapters.postgres.connection import ONE_SNAPSHOT, Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.day_ends import tokens_that_would_expire
from tokenq_server.adapters.postgres.people import keep_an_admin, lock_accounts
from tokenq_server.adapters.postgres.setup import (
    archive_department,
    delete_branches,
    departments_in,
    lock_floor,
    read_branches,
    read_departments,
    tell,
    write_branch,
    write_department,
)
from tokenq_server.adapters.postgres.writing import upsert
from tokenq_server.domain.principal import SYSTEM
from tokenq_server.domain.refusals import day_would_end
from tokenq_server.services.account_events import users_imported
from tokenq_server.services.audit import Origin
from tokenq_server.services.floor_plan import Ends, FloorPlan, UserSpec, at
from tokenq_server.services.people_views import User

_COUNTERS = "SELECT branch_id, counter_id, departments FROM counter WHERE is_declared"
_FORGET_COUNTER = """
UPDATE counter SET is_declared = false, departments = '{}' WHERE branch_id = %s AND counter_id = %s
"""
_DECLARE_COUNTER = """
INSERT INTO counter (branch_id, counter_id, departments, state, is_declared) VALUES (%s, %s, %s, 'CLOSED', true)
ON CONFLICT (branch_id, counter_id) DO UPDATE SET departments = EXCLUDED.departments, is_declared = true
"""
_USERS = "SELECT username, name, email, role, departments, is_disabled FROM app_user WHERE username IS NOT NULL"
_LOCK_USERS = "SELECT 1 FROM app_user WHERE username = ANY(%s) ORDER BY user_id FOR UPDATE"
_IDS = "SELECT username, user_id FROM app_user WHERE username = ANY(%s)"
_END_SESSIONS = """
DELETE FROM credential WHERE user_id IN (SELECT user_id FROM app_user WHERE username = ANY(%s))
"""


class PostgresFloorPlans:
    """Stores the configuration."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> FloorPlan:
        """Return the whole configuration, consistently."""
        async with self._database.begin() as connection:
            await connection.execute(ONE_SNAPSHOT)
            return await _read(connection)

    async def preview(self, decide: Callable[[FloorPlan], FloorPlan]) -> tuple[FloorPlan, FloorPlan, Ends]:
        """Read and decide; return the states before and after, and who would expire."""
        async with self._database.begin() as connection:
            await connection.execute(ONE_SNAPSHOT)
            before = await _read(connection)
            after = decide(before)
            return before, after, await _tokens_that_would_expire(connection, before, after)

    async def transform(
        self, decide: Callable[[FloorPlan], FloorPlan], origin: Origin, *, may_end_day: bool
    ) -> tuple[FloorPlan, FloorPlan]:
        """Read, decide and write in one transaction; concurrent ones wait for each other."""
        async with recorded(self._database) as (connection, record):
            await lock_floor(connection)
            # Read once to know what to lock, in the global lock order, and again under the locks.
            before = await _read(connection)
            planned = decide(before)
            await lock(connection, _affected_departments(before, planned))
            await _lock_users(connection, _added_or_changed(before.users, planned.users))
            before = await _read(connection)
            after = decide(before)
            if not may_end_day and (ends := await _tokens_that_would_expire(connection, before, after)):
                raise day_would_end(ends)
            await _write(connection, before, after, origin.actor or SYSTEM)
            with at("users"):
                users = await _write_users(connection, before, after)
            for event in users_imported(origin, users):
                record(event)
            return before, after


async def _read(connection: Connection) -> FloorPlan:
    branches = {branch.branch_id: branch for branch in await read_branches(connection)}
    departments = {each.department_id: each for each in await read_departments(connection)}
    declared = await connection.rows(_COUNTERS)
    counters = {(row["branch_id"], row["counter_id"]): tuple(row["departments"]) for row in declared}
    named = {row.pop("username"): row for row in await connection.rows(_USERS)}
    users = {name: UserSpec(**row | {"departments": tuple(row["departments"])}) for name, row in named.items()}
    return FloorPlan(branches, departments, counters, users)


def _affected_departments(before: FloorPlan, after: FloorPlan) -> list[str]:
    """The departments to be changed, or whose branch is."""
    branches = {*_added_or_changed(before.branches, after.branches), *_removed(before.branches, after.branches)}
    moved = [name for name, each in before.departments.items() if each.branch_id in branches]
    gone, new = (
        _removed(before.departments, after.departments),
        _added_or_changed(before.departments, after.departments),
    )
    return [*moved, *gone, *new]


async def _tokens_that_would_expire(
    connection: Connection, before: FloorPlan, after: FloorPlan
) -> dict[str, dict[str, int]]:
    ends: dict[str, dict[str, int]] = {}
    for name in _added_or_changed(before.branches, after.branches):
        departments = [each.department_id for each in before.departments.values() if each.branch_id == name]
        ends |= await tokens_that_would_expire(connection, after.branches[name], departments)
    return ends


async def _write(connection: Connection, before: FloorPlan, after: FloorPlan, actor: str) -> None:
    branches = _added_or_changed(before.branches, after.branches)
    departments = _added_or_changed(before.departments, after.departments)
    for name in branches:
        await write_branch(connection, after.branches[name], is_new=False)
    for name in _removed(before.departments, after.departments):
        await archive_department(connection, name, actor)
    for name in departments:
        with at(f"departments.{name}"):
            await write_department(connection, after.departments[name], is_new=False)
    await _write_counters(connection, before, after)
    if removed := _removed(before.branches, after.branches):
        await delete_branches(connection, removed)
    await tell(connection, {*departments, *await departments_in(connection, branches)}, actor)


async def _write_counters(connection: Connection, before: FloorPlan, after: FloorPlan) -> None:
    for place in _removed(before.counters, after.counters):
        await connection.execute(_FORGET_COUNTER, place)
    for place in _added_or_changed(before.counters, after.counters):
        await connection.execute(_DECLARE_COUNTER, [*place, list(after.counters[place])])


def _added_or_changed(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[Any]:
    return sorted(name for name, value in after.items() if before.get(name) != value)


def _removed(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[Any]:
    return sorted(before.keys() - after.keys())


async def _lock_users(connection: Connection, names: Sequence[str]) -> None:
    if names:
        await connection.execute(_LOCK_USERS, [list(names)])


async def _write_users(connection: Connection, before: FloorPlan, after: FloorPlan) -> list[tuple[User | None, User]]:
    """Write users and return each as it was and is; sessions end if rights change.

    Raises Refused (``in_use``) for the last admin.
    """
    names = _added_or_changed(before.users, after.users)
    if names:
        await _lock_users(connection, names)
        await lock_accounts(connection)
    for name in names:
        user = after.users[name]
        values = {"username": name, **vars(user), "departments": list(user.departments)}
        await connection.execute(upsert("app_user", ["username"], values), values)
    changed = [name for name in names if name in before.users and before.users[name].rights != after.users[name].rights]
    if changed:
        await connection.execute(_END_SESSIONS, [changed])
        await keep_an_admin(connection)
    ids = {row["username"]: row["user_id"] for row in await connection.rows(_IDS, [names])} if names else {}
    return [
        (_user(ids[name], name, before.users[name]) if name in before.users else None, _user(ids[name], name, spec))
        for name, spec in ((name, after.users[name]) for name in names)
    ]


def _user(user_id: int, name: str, spec: UserSpec) -> User:
    role = Role(spec.role)
    return User(user_id, name, spec.name, spec.email, role, spec.departments, is_disabled=spec.is_disabled)
