"""Branches and departments in Postgres."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, cast, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from tokenq.contract.events import EventType
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq.contract.words import LIVE
from tokenq_server.adapters.postgres.config_log import Note, append, lock
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.day_ends import check_days_go_on
from tokenq_server.adapters.postgres.places import DEPARTMENT
from tokenq_server.adapters.postgres.rows import department_from
from tokenq_server.adapters.postgres.tables import branch, department, dept_state, idempotency, relay_cursor, token
from tokenq_server.domain.department import Department
from tokenq_server.domain.hours import hours_document, hours_from
from tokenq_server.domain.rules import rules_document, to_camel
from tokenq_server.services.setup_views import Branch, department_view

_COLUMNS = {"ratio": ("ratio_priority", "ratio_normal")}
_LIVE = [str(state) for state in LIVE]


class PostgresSetup:
    """Keeps what admins set up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def branches(self) -> list[Branch]:
        """All branches by id."""
        async with self._database.begin() as connection:
            return await read_branches(connection)

    async def branch(self, branch_id: str) -> Branch | None:
        """One branch."""
        async with self._database.begin() as connection:
            rows = await connection.execute(select(branch).where(branch.c.branch_id == branch_id))
            row = rows.mappings().one_or_none()
            return _branch(row) if row else None

    async def put_branch(self, one: Branch, actor: str, *, is_new: bool, may_end_day: bool = False) -> None:
        """Write a branch and tell its departments' logs."""
        async with self._database.begin() as connection:
            departments = await departments_in(connection, [one.branch_id])
            await lock(connection, departments)
            if not may_end_day:
                await check_days_go_on(connection, one, departments)
            await write_branch(connection, one, is_new=is_new)
            await tell(connection, departments, actor)

    async def delete_branch(self, branch_id: str) -> bool:
        """Remove a branch."""
        async with self._database.begin() as connection:
            gone = await connection.execute(
                delete(branch).where(branch.c.branch_id == branch_id).returning(branch.c.branch_id)
            )
            return gone.first() is not None

    async def departments(self) -> list[Department]:
        """All departments by id."""
        async with self._database.begin() as connection:
            return await read_departments(connection)

    async def department(self, department_id: str) -> Department | None:
        """One department."""
        async with self._database.begin() as connection:
            rows = await connection.execute(_departments().where(department.c.department_id == department_id))
            row = rows.mappings().one_or_none()
            return department_from(row) if row else None

    async def put_department(self, one: Department, actor: str, *, is_new: bool) -> None:
        """Write a department and, for a new one, the row that orders it; tell its log."""
        async with self._database.begin() as connection:
            await write_department(connection, one, is_new=is_new)
            await tell(connection, [one.department_id], actor)

    async def change_department(self, one: Department, names: Collection[str], actor: str) -> Department:
        """Write only these settings: two admins who change different ones do not undo each other."""
        columns = {column for name in names for column in _COLUMNS.get(name, (name,))}
        values: dict[str, Any] = {column: value for column, value in _settings(one).items() if column in columns}
        rules = {to_camel(name) for name in names}
        said = {name: value for name, value in rules_document(one.rules).items() if name in rules}
        if said:
            values["rules"] = department.c.rules.op("||")(cast(said, JSONB))
        mine = department.c.department_id == one.department_id
        async with self._database.begin() as connection:
            if "branch_id" in values:
                await _stay_in_branch(connection, one)
            if values:
                await lock(connection, [one.department_id])
                await connection.execute(update(department).where(mine).values(**values))
                await tell(connection, [one.department_id], actor)
            row = (await connection.execute(_departments().where(mine))).mappings().one()
            return department_from(row)

    async def archive_department(self, department_id: str, actor: str) -> bool:
        """Hide a department; False if it still has live tokens."""
        async with self._database.begin() as connection:
            if await _has_live_tokens(connection, department_id):
                return False
            await _archive(connection, department_id, actor)
            return True

    async def forget_old_keys(self) -> None:
        """Forget idempotency keys older than two days."""
        old = idempotency.c.created_at < func.clock_timestamp() - timedelta(days=2)
        async with self._database.begin() as connection:
            await connection.execute(delete(idempotency).where(old))


async def read_branches(connection: AsyncConnection) -> list[Branch]:
    """All branches by id."""
    rows = await connection.execute(select(branch).order_by(branch.c.branch_id))
    return [_branch(row) for row in rows.mappings()]


async def read_departments(connection: AsyncConnection) -> list[Department]:
    """All departments by id."""
    rows = await connection.execute(_departments().order_by(department.c.department_id))
    return [department_from(row) for row in rows.mappings()]


async def archive_department(connection: AsyncConnection, department_id: str, actor: str) -> None:
    """Hide a department. Raises Refused (``in_use``) while somebody is in it."""
    if await _has_live_tokens(connection, department_id):
        raise refuse(DepartmentReason.STILL_BUSY, department=department_id)
    await _archive(connection, department_id, actor)


async def _archive(connection: AsyncConnection, department_id: str, actor: str) -> None:
    mine = department.c.department_id == department_id
    await connection.execute(update(department).where(mine).values(is_archived=True))
    await append(connection, [Note(department_id, EventType.DEPARTMENT_CHANGED, {"archived": True})], actor)


async def write_branch(connection: AsyncConnection, one: Branch, *, is_new: bool) -> None:
    """Write a branch; the logs of its departments, whose time and hours it sets, are to be told."""
    values = {
        "name": one.name,
        "timezone": one.timezone,
        "rollover_hour": one.rollover_hour,
        "hours": hours_document(one.hours) if one.hours else None,
    }
    statement = upsert(branch).values(branch_id=one.branch_id, **values)
    if not is_new:
        statement = statement.on_conflict_do_update(index_elements=["branch_id"], set_=values)
    await connection.execute(statement)


async def departments_in(connection: AsyncConnection, branch_ids: Collection[str]) -> list[str]:
    """The ids of the departments of branches."""
    mine = select(department.c.department_id).where(department.c.branch_id.in_(branch_ids), ~department.c.is_archived)
    return list((await connection.execute(mine)).scalars())


async def write_department(connection: AsyncConnection, one: Department, *, is_new: bool) -> None:
    """Write a department and, for a new one, the row that orders it; its log is to be told."""
    values = _settings(one) | {"is_archived": False}
    await lock(connection, [one.department_id])
    if is_new and not await _unarchived(connection, one.department_id, values):
        await connection.execute(insert(department).values(department_id=one.department_id, **values))
    elif not is_new:
        await _stay_in_branch(connection, one)
        statement = upsert(department).values(department_id=one.department_id, **values)
        await connection.execute(statement.on_conflict_do_update(index_elements=["department_id"], set_=values))
    for table in (dept_state, relay_cursor):
        await connection.execute(upsert(table).values(department_id=one.department_id).on_conflict_do_nothing())


async def tell(connection: AsyncConnection, department_ids: Collection[str], actor: str) -> None:
    """Put what holds now into the departments' logs, whole: a replay needs the rules of that day."""
    if department_ids:
        rows = await connection.execute(_departments().where(department.c.department_id.in_(department_ids)))
        await append(connection, [_note(department_from(row)) for row in rows.mappings()], actor)


def _note(here: Department) -> Note:
    settings = {**department_view(here), "timezone": here.timezone}
    if settings["hours"] is None and here.branch_hours:
        settings["hours"] = hours_document(here.branch_hours)
    return Note(here.department_id, EventType.DEPARTMENT_CHANGED, {"settings": settings})


async def _has_live_tokens(connection: AsyncConnection, department_id: str) -> bool:
    """Whether somebody is in the department. Holds the ledger's lock, so nobody can come in meanwhile."""
    mine = dept_state.c.department_id == department_id
    await connection.execute(select(dept_state.c.department_id).where(mine).with_for_update())
    live = select(literal(1)).where(token.c.department_id == department_id, token.c.state.in_(_LIVE)).limit(1)
    return (await connection.execute(live)).first() is not None


async def _stay_in_branch(connection: AsyncConnection, one: Department) -> None:
    """Counters belong to a branch: a department moves to another one only while nobody is in it."""
    query = select(department.c.branch_id).where(department.c.department_id == one.department_id)
    branch_id = (await connection.execute(query)).scalar_one_or_none()
    if branch_id in (None, one.branch_id) or not await _has_live_tokens(connection, one.department_id):
        return
    raise refuse(DepartmentReason.STILL_BUSY_TO_MOVE, department=one.department_id, branch=branch_id)


def _settings(one: Department) -> dict[str, Any]:
    return {
        "name": one.name,
        "branch_id": one.branch_id,
        "is_open": one.is_open,
        "prefix": one.prefix,
        "number_format": one.number_format,
        "ratio_priority": one.policy.ratio.priority,
        "ratio_normal": one.policy.ratio.normal,
        "max_wait_minutes": int(one.policy.max_wait.total_seconds() // 60),
        "rules": rules_document(one.rules),
    }


async def _unarchived(connection: AsyncConnection, department_id: str, values: dict[str, Any]) -> bool:
    revived = await connection.execute(
        update(department)
        .where(department.c.department_id == department_id, department.c.is_archived)
        .values(**values)
        .returning(department.c.department_id)
    )
    return revived.first() is not None


def _branch(row: Any) -> Branch:
    return Branch(**dict(row) | {"hours": hours_from(row["hours"]) if row["hours"] else None})


def _departments() -> Select[Any]:
    return (
        select(*DEPARTMENT).join(branch, branch.c.branch_id == department.c.branch_id).where(~department.c.is_archived)
    )
