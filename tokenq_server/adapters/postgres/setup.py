"""Branches and departments in Postgres."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from tokenq.contract.enums import LIVE
from tokenq.contract.events import EventType
from tokenq.contract.names import MAIN_BRANCH
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq_server.adapters.postgres import statements as sql
from tokenq_server.adapters.postgres.config_log import ConfigEntry, append, lock
from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.day_ends import check_days_go_on
from tokenq_server.adapters.postgres.department_rows import department_from
from tokenq_server.adapters.postgres.rows import counter_from
from tokenq_server.adapters.postgres.writing import insert, update, upsert
from tokenq_server.domain.counters import Counter
from tokenq_server.domain.department import Department
from tokenq_server.domain.hours import hours_document, hours_from
from tokenq_server.domain.rules import rules_document, to_camel
from tokenq_server.services.setup_views import Branch, branch_texts, branch_with_texts, department_view

_COLUMNS = {"ratio": ("ratio_priority", "ratio_normal")}
_LIVE = [str(state) for state in LIVE]
_FLOOR = 0x666C6F6F72  # "floor"

_BRANCHES = "SELECT branch_id, name, timezone, rollover_hour, hours, settings FROM branch ORDER BY branch_id"
_BRANCH = "SELECT branch_id, name, timezone, rollover_hour, hours, settings FROM branch WHERE branch_id = %s"
_KEEP_ARCHIVED = "UPDATE department SET branch_id = %s WHERE branch_id = ANY(%s) AND is_archived"
_DELETE_BRANCHES = "DELETE FROM branch WHERE branch_id = ANY(%s)"
_DEPARTMENTS_IN = "SELECT department_id FROM department WHERE branch_id = ANY(%s) AND NOT is_archived"
_DEPARTMENTS = sql.statement("""
SELECT {department} FROM department d JOIN branch b USING (branch_id)
WHERE NOT d.is_archived AND (%(ids)s::text[] IS NULL OR d.department_id = ANY(%(ids)s))
ORDER BY d.department_id
""")
_PAST_AND_PRESENT = "SELECT department_id FROM department WHERE department_id = ANY(%s)"
_BRANCH_OF = "SELECT branch_id FROM department WHERE department_id = %s"
_MERGE_RULES = "UPDATE department SET rules = rules || %s WHERE department_id = %s"
_ARCHIVE = "UPDATE department SET is_archived = true WHERE department_id = %s"
_IS_ARCHIVED = "department_id = %(department_id)s AND is_archived"
_HEAD = "INSERT INTO dept_state (department_id) VALUES (%s) ON CONFLICT DO NOTHING"
_CURSOR = "INSERT INTO relay_cursor (department_id) VALUES (%s) ON CONFLICT DO NOTHING"
_SOMEBODY = "SELECT 1 FROM token WHERE department_id = %s AND state = ANY(%s) LIMIT 1"
_FORGET = "DELETE FROM idempotency WHERE created_at < clock_timestamp() - interval '2 days'"


class PostgresSetup:
    """Stores branches and departments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def branches(self) -> list[Branch]:
        """Return all branches by id."""
        async with self._database.begin() as connection:
            return await read_branches(connection)

    async def branch(self, branch_id: str) -> Branch | None:
        """One branch."""
        async with self._database.begin() as connection:
            return await read_branch(connection, branch_id)

    async def put_branch(self, branch: Branch, actor: str, *, is_new: bool, may_end_day: bool = False) -> None:
        """Write a branch and log the change in its departments."""
        async with self._database.begin() as connection:
            departments = await departments_in(connection, [branch.branch_id])
            await lock(connection, departments)
            if not may_end_day:
                await check_days_go_on(connection, branch, departments)
            await write_branch(connection, branch, is_new=is_new)
            await tell(connection, departments, actor)

    async def delete_branch(self, branch_id: str) -> bool:
        """Delete a branch; its archived departments move to the main one."""
        async with self._database.begin() as connection:
            return await delete_branches(connection, [branch_id]) > 0

    async def counters(self, branch_id: str) -> list[Counter]:
        """Return a branch's counters."""
        async with self._database.begin() as connection:
            return [counter_from(row) for row in await connection.rows(sql.COUNTERS_OF_BRANCH, [branch_id])]

    async def departments(self) -> list[Department]:
        """Return all departments by id."""
        async with self._database.begin() as connection:
            return await read_departments(connection)

    async def past_and_present(self, department_ids: Collection[str]) -> Collection[str]:
        """Return those that are ids of departments, also of deleted ones."""
        async with self._database.begin() as connection:
            rows = await connection.rows(_PAST_AND_PRESENT, [list(department_ids)])
            return {row["department_id"] for row in rows}

    async def department(self, department_id: str) -> Department | None:
        """One department."""
        async with self._database.begin() as connection:
            return next(iter(await read_departments(connection, [department_id])), None)

    async def put_department(
        self, department: Department, actor: str, fits: Callable[[Sequence[Department]], None], *, is_new: bool
    ) -> None:
        """Write a department and, for a new one, its head row; log the change."""
        async with self._database.begin() as connection:
            await _check_fits(connection, fits)
            await write_department(connection, department, is_new=is_new)
            await tell(connection, [department.department_id], actor)

    async def change_department(
        self,
        department: Department,
        names: Collection[str],
        actor: str,
        fits: Callable[[Sequence[Department]], None],
    ) -> Department:
        """Write only these settings, so that admins who change different ones do not overwrite each other."""
        columns = {column for name in names for column in _COLUMNS.get(name, (name,))}
        values = {column: value for column, value in _settings(department).items() if column in columns}
        keys = {to_camel(name) for name in names}
        rules = {name: value for name, value in rules_document(department.rules).items() if name in keys}
        async with self._database.begin() as connection:
            await _check_fits(connection, fits)
            if "branch_id" in values:
                await _stay_in_branch(connection, department)
            if values or rules:
                await lock(connection, [department.department_id])
                await _change(connection, department.department_id, values, rules)
                await tell(connection, [department.department_id], actor)
            (changed,) = await read_departments(connection, [department.department_id])
            return changed

    async def archive_department(self, department_id: str, actor: str) -> bool:
        """Archive a department; return False if it still has live tokens."""
        async with self._database.begin() as connection:
            if await _has_live_tokens(connection, department_id):
                return False
            await _archive(connection, department_id, actor)
            return True

    async def forget_old_keys(self) -> None:
        """Delete idempotency keys older than two days."""
        async with self._database.begin() as connection:
            await connection.execute(_FORGET)


async def lock_floor(connection: Connection) -> None:
    """Let no other transaction change the configuration as a whole meanwhile: prefixes are compared with all others."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_FLOOR])


async def _check_fits(connection: Connection, fits: Callable[[Sequence[Department]], None]) -> None:
    await lock_floor(connection)
    fits(await read_departments(connection))


async def delete_branches(connection: Connection, branch_ids: Sequence[str]) -> int:
    """Delete branches and return how many; their archived departments move to the main one."""
    await connection.execute(_KEEP_ARCHIVED, [MAIN_BRANCH, list(branch_ids)])
    return await connection.change(_DELETE_BRANCHES, [list(branch_ids)])


async def read_branch(connection: Connection, branch_id: str) -> Branch | None:
    """One branch."""
    row = await connection.row(_BRANCH, [branch_id])
    return _branch(row) if row else None


async def read_branches(connection: Connection) -> list[Branch]:
    """Return all branches by id."""
    return [_branch(row) for row in await connection.rows(_BRANCHES)]


async def read_departments(connection: Connection, ids: Collection[str] | None = None) -> list[Department]:
    """Return these departments, or all, by id; archived ones are omitted."""
    rows = await connection.rows(_DEPARTMENTS, {"ids": None if ids is None else list(ids)})
    return [department_from(row) for row in rows]


async def archive_department(connection: Connection, department_id: str, actor: str) -> None:
    """Archive a department. Raises Refused (``in_use``) while it has live tokens."""
    if await _has_live_tokens(connection, department_id):
        raise refuse(DepartmentReason.STILL_BUSY, department=department_id)
    await _archive(connection, department_id, actor)


async def _archive(connection: Connection, department_id: str, actor: str) -> None:
    await connection.execute(_ARCHIVE, [department_id])
    await append(connection, [ConfigEntry(department_id, EventType.DEPARTMENT_CHANGED, {"archived": True})], actor)


async def _change(connection: Connection, department_id: str, values: dict[str, Any], rules: dict[str, Any]) -> None:
    if values:
        statement = update("department", values, "department_id = %(department_id)s")
        await connection.execute(statement, {**values, "department_id": department_id})
    if rules:
        await connection.execute(_MERGE_RULES, [Jsonb(rules), department_id])


async def write_branch(connection: Connection, branch: Branch, *, is_new: bool) -> None:
    """Write a branch; the caller must log the change in its departments."""
    values = {
        "branch_id": branch.branch_id,
        "name": branch.name,
        "timezone": branch.timezone,
        "rollover_hour": branch.rollover_hour,
        "hours": Jsonb(hours_document(branch.hours)) if branch.hours else None,
        "settings": Jsonb(branch_texts(branch)),
    }
    statement = insert("branch", values) if is_new else upsert("branch", ["branch_id"], values)
    await connection.execute(statement, values)


async def departments_in(connection: Connection, branch_ids: Collection[str]) -> list[str]:
    """Return the ids of the departments of these branches."""
    return [row["department_id"] for row in await connection.rows(_DEPARTMENTS_IN, [list(branch_ids)])]


async def write_department(connection: Connection, department: Department, *, is_new: bool) -> None:
    """Write a department and, for a new one, its head row; the caller must log the change."""
    values = {"department_id": department.department_id, **_settings(department), "is_archived": False}
    values["rules"] = Jsonb(rules_document(department.rules))
    await lock(connection, [department.department_id])
    if is_new and not await connection.change(update("department", values, _IS_ARCHIVED), values):
        await connection.execute(insert("department", values), values)
    elif not is_new:
        await _stay_in_branch(connection, department)
        await connection.execute(upsert("department", ["department_id"], values), values)
    for statement in (_HEAD, _CURSOR):
        await connection.execute(statement, [department.department_id])


async def tell(connection: Connection, department_ids: Collection[str], actor: str) -> None:
    """Log the departments' complete settings: a replay needs the rules of that day."""
    if department_ids:
        branches = {branch.branch_id: branch for branch in await read_branches(connection)}
        departments = await read_departments(connection, department_ids)
        entries = [_entry(department, branches[department.branch_id]) for department in departments]
        await append(connection, entries, actor)


def _entry(department: Department, branch: Branch) -> ConfigEntry:
    settings = {**department_view(department), "timezone": department.timezone, **branch_texts(branch)}
    settings["branchName"] = branch.name
    if settings["hours"] is None and department.branch_hours:
        settings["hours"] = hours_document(department.branch_hours)
    return ConfigEntry(department.department_id, EventType.DEPARTMENT_CHANGED, {"settings": settings})


async def _has_live_tokens(connection: Connection, department_id: str) -> bool:
    """Whether the department has live tokens. Holds the ledger's lock, so none can be added meanwhile."""
    await lock(connection, [department_id])
    return await connection.row(_SOMEBODY, [department_id, _LIVE]) is not None


async def _stay_in_branch(connection: Connection, department: Department) -> None:
    """Counters belong to a branch: a department with live tokens cannot move to another one."""
    row = await connection.row(_BRANCH_OF, [department.department_id])
    branch_id = row["branch_id"] if row else None
    if branch_id in (None, department.branch_id) or not await _has_live_tokens(connection, department.department_id):
        return
    raise refuse(DepartmentReason.STILL_BUSY_TO_MOVE, department=department.department_id, branch=branch_id)


def _settings(department: Department) -> dict[str, Any]:
    return {
        "name": department.name,
        "branch_id": department.branch_id,
        "is_open": department.is_open,
        "prefix": department.prefix,
        "number_format": department.number_format,
        "ratio_priority": department.policy.ratio.priority,
        "ratio_normal": department.policy.ratio.normal,
        "max_wait_minutes": int(department.policy.max_wait.total_seconds() // 60),
    }


def _branch(row: dict[str, Any]) -> Branch:
    settings = row.pop("settings")
    return branch_with_texts(Branch(**row | {"hours": hours_from(row["hours"]) if row["hours"] else None}), settings)
