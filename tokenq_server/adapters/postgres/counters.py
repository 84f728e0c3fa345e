"""Counters in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from tokenq.contract.events import EventType
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import SetupReason
from tokenq.contract.words import CounterState
from tokenq_server.adapters.postgres.config_log import Note, append, lock
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.rows import counter_from, token_from
from tokenq_server.adapters.postgres.tables import branch, counter, department, token
from tokenq_server.domain.counters import LEASE, Counter, Operator, unattended_since
from tokenq_server.domain.token import Token
from tokenq_server.services.staffing import Change

_COLUMNS = [column for column in counter.c if column.name != "changed_at"]
_EVENTS = {
    CounterState.OPEN: EventType.COUNTER_OPENED,
    CounterState.PAUSED: EventType.COUNTER_PAUSED,
    CounterState.CLOSED: EventType.COUNTER_CLOSED,
}

# When somebody was last called or served there today.
_USED = """
SELECT counter_id, max(greatest(last_call_at, started_at, served_at)) AS used_at FROM token
WHERE (department_id, day) IN (
    SELECT s.department_id, s.day FROM dept_state s JOIN department d USING (department_id) WHERE d.branch_id = :branch
  ) AND branch_id = :branch AND counter_id IS NOT NULL
GROUP BY counter_id
"""


class PostgresCounters:
    """Keeps counters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counters(self, branch_id: str) -> list[tuple[Counter, Token | None]]:
        """The counters of a branch by id, each with whom it holds."""
        async with self._database.begin() as connection:
            await _check_branch(connection, branch_id)
            return await read_counters(connection, branch_id)

    async def unattended(self, branch_id: str) -> dict[str, datetime]:
        """The open counters at which nobody is, and since when."""
        async with self._database.begin() as connection:
            return await read_unattended(connection, branch_id, await read_counters(connection, branch_id))

    async def departments(self, branch_id: str) -> list[str]:
        """The ids of a branch's departments."""
        async with self._database.begin() as connection:
            await _check_branch(connection, branch_id)
            query = select(department.c.department_id).where(
                department.c.branch_id == branch_id, ~department.c.is_archived
            )
            return list((await connection.execute(query.order_by(department.c.department_id))).scalars())

    async def change(
        self, fresh: Counter, serves: Sequence[str], change: Change, actor: str, *, is_told: bool
    ) -> tuple[Counter, Token | None]:
        """Change a counter; its departments' rows are locked first, as the ledger does it."""
        async with self._database.begin() as connection:
            await lock(connection, serves)
            known = await _locked(connection, fresh)
            held = await _held(connection, fresh)
            now = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
            changed = change(known or fresh, held, now)
            await _write(connection, changed)
            if is_told:
                told = filter(changed.serves, serves)
                event, data = _EVENTS[changed.state], _data(changed)
                notes = [Note(one, event, data, changed.counter_id, changed.reason) for one in told]
                await append(connection, notes, actor)
            return changed, held

    async def renew(self, branch_id: str, counter_id: str, operator: Operator) -> Counter | None:
        """Renew the lease that an operator holds."""
        here = (counter.c.branch_id == branch_id, counter.c.counter_id == counter_id)
        owner = counter.c.operator_identity
        is_mine = func.split_part(owner, "#", 1) == operator.identity
        if operator.console:
            is_mine = owner.in_((operator.identity, operator.claimant))
        claimant = {"operator_identity": operator.claimant} if operator.console else {}
        statement = (
            update(counter)
            .where(*here, is_mine)
            .values(lease_until=func.clock_timestamp() + LEASE, **claimant)
            .returning(*_COLUMNS)
        )
        async with self._database.begin() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
            return counter_from(row) if row else None

    async def delete(self, branch_id: str, counter_id: str) -> bool:
        """Forget a counter that holds nobody."""
        async with self._database.begin() as connection:
            if await _held(connection, Counter(branch_id, counter_id)):
                return False
            gone = delete(counter).where(counter.c.branch_id == branch_id, counter.c.counter_id == counter_id)
            return (await connection.execute(gone)).rowcount > 0


async def read_counters(connection: AsyncConnection, branch_id: str) -> list[tuple[Counter, Token | None]]:
    """The counters of a branch by id, each with whom it holds."""
    known = await connection.execute(select(*_COLUMNS).where(counter.c.branch_id == branch_id))
    seated = await connection.execute(
        select(token).where(token.c.branch_id == branch_id, token.c.state.in_(("CALLED", "SERVING")))
    )
    held = {one.counter_id: one for one in (token_from(dict(row._mapping)) for row in seated)}
    counters = sorted((counter_from(row) for row in known.mappings()), key=lambda one: one.counter_id)
    return [(one, held.get(one.counter_id)) for one in counters]


async def read_unattended(
    connection: AsyncConnection, branch_id: str, counters: Sequence[tuple[Counter, Token | None]]
) -> dict[str, datetime]:
    """Of these counters of a branch the open ones at which nobody is, and since when."""
    changed = select(counter.c.counter_id, counter.c.changed_at).where(counter.c.branch_id == branch_id)
    used = {row.counter_id: row.changed_at for row in await connection.execute(changed)}
    for row in await connection.execute(text(_USED), {"branch": branch_id}):
        if row.used_at is not None and row.counter_id in used:
            used[row.counter_id] = max(row.used_at, used[row.counter_id])
    now = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    found = ((one, unattended_since(one, held, used.get(one.counter_id, now), now)) for one, held in counters)
    return {one.counter_id: since for one, since in found if since is not None}


async def _check_branch(connection: AsyncConnection, branch_id: str) -> None:
    query = select(branch.c.branch_id).where(branch.c.branch_id == branch_id)
    if (await connection.execute(query)).first() is None:
        raise refuse(SetupReason.UNKNOWN_BRANCH, branch=branch_id)


async def _locked(connection: AsyncConnection, one: Counter) -> Counter | None:
    query = select(*_COLUMNS).where(counter.c.branch_id == one.branch_id, counter.c.counter_id == one.counter_id)
    row = (await connection.execute(query.with_for_update())).mappings().one_or_none()
    return counter_from(row) if row else None


async def _held(connection: AsyncConnection, one: Counter) -> Token | None:
    query = select(token).where(
        token.c.branch_id == one.branch_id,
        token.c.counter_id == one.counter_id,
        token.c.state.in_(("CALLED", "SERVING")),
    )
    row = (await connection.execute(query)).one_or_none()
    return token_from(dict(row._mapping)) if row else None


async def _write(connection: AsyncConnection, one: Counter) -> None:
    values: dict[str, Any] = {
        "state": str(one.state),
        "reason": one.reason,
        "operator": one.operator,
        "operator_identity": one.operator_identity,
        "lease_until": one.lease_until,
        "departments": list(one.departments),
        "is_declared": one.is_declared,
        "changed_at": func.clock_timestamp(),
    }
    statement = upsert(counter).values(branch_id=one.branch_id, counter_id=one.counter_id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["branch_id", "counter_id"], set_=values))


def _data(one: Counter) -> dict[str, Any]:
    return {
        "state": str(one.state),
        "operator": one.operator,
        "departments": list(one.departments),
    }
