"""Counters in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tokenq.contract.enums import CounterState
from tokenq.contract.events import EventType
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import SetupReason
from tokenq_server.adapters.postgres import statements as sql
from tokenq_server.adapters.postgres.audit import recorded
from tokenq_server.adapters.postgres.config_log import ConfigEntry, append, lock
from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.department_rows import rules_of
from tokenq_server.adapters.postgres.rows import counter_from
from tokenq_server.adapters.postgres.token_rows import token_from
from tokenq_server.adapters.postgres.writing import upsert
from tokenq_server.domain.counters import (
    LEASE,
    Counter,
    Operator,
    is_calling,
    is_forgotten,
    may_serve,
    unattended_since,
)
from tokenq_server.domain.token import Token
from tokenq_server.services.counter_store import Audited, Change, Unserved

_EVENTS = {
    CounterState.OPEN: EventType.COUNTER_OPENED,
    CounterState.PAUSED: EventType.COUNTER_PAUSED,
    CounterState.CLOSED: EventType.COUNTER_CLOSED,
}

_KEY = ("branch_id", "counter_id")

_BRANCH = "SELECT 1 FROM branch WHERE branch_id = %s"
_DEPARTMENTS = "SELECT department_id FROM department WHERE branch_id = %s AND NOT is_archived ORDER BY department_id"

_RULES = "SELECT department_id, rules::text AS rules FROM department WHERE department_id = ANY(%s)"

# The departments of a branch in which customers wait.
_WAITING = """
SELECT * FROM (
  SELECT d.department_id, d.rules::text AS rules, s.waiting_urgent + s.waiting_priority + s.waiting_normal AS waiting
  FROM department d JOIN dept_state s USING (department_id) WHERE d.branch_id = %s AND NOT d.is_archived
) AS department WHERE waiting > 0 ORDER BY department_id
"""
_NUMBERS_SHOWN = 10
_FIRST_NUMBERS = """
SELECT display FROM token WHERE department_id = %s AND state = 'WAITING' ORDER BY place, token_id LIMIT %s
"""

_FOR_UPDATE = sql.statement("SELECT {counter} FROM counter WHERE branch_id = %s AND counter_id = %s FOR UPDATE")
_DELETE = "DELETE FROM counter WHERE branch_id = %s AND counter_id = %s"

_RENEW = sql.statement("""
UPDATE counter SET lease_until = clock_timestamp() + %(lease)s,
  operator_identity = coalesce(%(claimant)s, operator_identity)
WHERE branch_id = %(branch)s AND counter_id = %(counter)s
  AND CASE WHEN %(claimant)s::text IS NULL THEN split_part(operator_identity, '#', 1) = %(identity)s
           ELSE operator_identity IN (%(identity)s, %(claimant)s) END
RETURNING {counter}
""")

_SEATED = sql.statement("SELECT {token} FROM token WHERE branch_id = %s AND state IN ('CALLED', 'SERVING')")
_HELD = _SEATED + " AND counter_id = %s"

# When each counter was last changed, or last used today if that is later.
_IN_USE = """
SELECT counter_id, greatest(changed_at, used_at) AS since, clock_timestamp() AS now
FROM counter LEFT JOIN (
  SELECT counter_id, max(greatest(last_call_at, started_at, served_at)) AS used_at FROM token
  WHERE (department_id, day) IN (
      SELECT s.department_id, s.day FROM dept_state s JOIN department d USING (department_id)
      WHERE d.branch_id = %(branch)s
    ) AND branch_id = %(branch)s AND counter_id IS NOT NULL
  GROUP BY counter_id
) AS used USING (counter_id)
WHERE branch_id = %(branch)s
"""


class PostgresCounters:
    """Keeps counters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counters(self, branch_id: str) -> list[tuple[Counter, Token | None]]:
        """Return a branch's counters by id, each with the token it holds."""
        async with self._database.begin() as connection:
            await _check_branch(connection, branch_id)
            return await read_counters(connection, branch_id)

    async def unattended(self, branch_id: str) -> dict[str, datetime]:
        """Return the unattended open counters, and since when."""
        async with self._database.begin() as connection:
            return await read_unattended(connection, branch_id, await read_counters(connection, branch_id))

    async def forgotten(self, branch_id: str) -> frozenset[int]:
        """Return the ids of the tokens at counters that were presumably forgotten there."""
        async with self._database.begin() as connection:
            (clock,) = await connection.rows(sql.NOW)
            return await read_forgotten(connection, await read_counters(connection, branch_id), clock["now"])

    async def unserved(self, counter: Counter) -> list[Unserved]:
        """Return the departments of a counter in which customers wait and that no other open counter serves."""
        async with self._database.begin() as connection:
            counters = await read_counters(connection, counter.branch_id)
            since = await read_unattended(connection, counter.branch_id, counters)
            (clock,) = await connection.rows(sql.NOW)
            others = [
                other
                for other, _ in counters
                if other.counter_id != counter.counter_id
                and is_calling(other, since.get(other.counter_id), clock["now"])
            ]
            return [
                Unserved(name, row["waiting"], await _first_numbers(connection, name))
                for row in await connection.rows(_WAITING, [counter.branch_id])
                if may_serve(counter, name := row["department_id"], rules := rules_of(row["rules"]))
                and not any(may_serve(other, name, rules) for other in others)
            ]

    async def departments(self, branch_id: str) -> list[str]:
        """Return the ids of a branch's departments."""
        async with self._database.begin() as connection:
            await _check_branch(connection, branch_id)
            return [row["department_id"] for row in await connection.rows(_DEPARTMENTS, [branch_id])]

    async def change(
        self,
        fresh: Counter,
        serves: Sequence[str],
        change: Change,
        actor: str,
        *,
        is_logged: bool,
        audited: Audited | None = None,
    ) -> tuple[Counter, Token | None]:
        """Change a counter; its departments' rows are locked first, as the ledger does."""
        async with recorded(self._database) as (connection, record):
            await lock(connection, serves)
            existing = await _lock_counter(connection, fresh)
            held = await _token_at(connection, fresh)
            (clock,) = await connection.rows(sql.NOW)
            changed = change(existing or fresh, held, clock["now"])
            await _write(connection, changed, clock["now"])
            if is_logged:
                event, data = _EVENTS[changed.state], _data(changed)
                entries = [
                    ConfigEntry(name, event, data, changed.counter_id, changed.reason)
                    for name in filter(changed.serves, serves)
                ]
                await append(connection, entries, actor)
            if audited and (security_event := audited(existing or fresh, clock["now"])):
                record(security_event)
            return changed, held

    async def renew(self, branch_id: str, counter_id: str, operator: Operator) -> Counter | None:
        """Renew an operator's lease."""
        values = {
            "branch": branch_id,
            "counter": counter_id,
            "lease": LEASE,
            "identity": operator.identity,
            "claimant": operator.claimant if operator.console else None,
        }
        async with self._database.begin() as connection:
            row = await connection.row(_RENEW, values)
            return counter_from(row) if row else None

    async def delete(self, branch_id: str, counter_id: str) -> bool:
        """Delete a counter that holds no token."""
        async with self._database.begin() as connection:
            if await _token_at(connection, Counter(branch_id, counter_id)):
                return False
            return await connection.change(_DELETE, [branch_id, counter_id]) > 0


async def read_counters(connection: Connection, branch_id: str) -> list[tuple[Counter, Token | None]]:
    """Return a branch's counters by id, each with the token it holds."""
    counters = [counter_from(row) for row in await connection.rows(sql.COUNTERS_OF_BRANCH, [branch_id])]
    seated = [token_from(row) for row in await connection.rows(_SEATED, [branch_id])]
    held = {token.counter_id: token for token in seated}
    return [
        (counter, held.get(counter.counter_id)) for counter in sorted(counters, key=lambda counter: counter.counter_id)
    ]


async def read_unattended(
    connection: Connection, branch_id: str, counters: Sequence[tuple[Counter, Token | None]]
) -> dict[str, datetime]:
    """Return the unattended open counters among these, and since when."""
    in_use = {row["counter_id"]: row for row in await connection.rows(_IN_USE, {"branch": branch_id})}
    since = {}
    for counter, held in counters:
        if row := in_use.get(counter.counter_id):
            since[counter.counter_id] = unattended_since(counter, held, row["since"], row["now"])
    return {counter_id: since for counter_id, since in since.items() if since is not None}


async def read_forgotten(
    connection: Connection, counters: Sequence[tuple[Counter, Token | None]], now: datetime
) -> frozenset[int]:
    """Return the ids of the tokens at these counters that were presumably forgotten, by their departments' settings."""
    held = [token for _, token in counters if token is not None]
    if not held:
        return frozenset()
    rows = await connection.rows(_RULES, [sorted({token.department_id for token in held})])
    minutes = {row["department_id"]: rules_of(row["rules"]).forgotten_minutes for row in rows}
    return frozenset(token.token_id for token in held if is_forgotten(token, minutes[token.department_id], now))


async def _first_numbers(connection: Connection, department_id: str) -> tuple[str, ...]:
    rows = await connection.rows(_FIRST_NUMBERS, [department_id, _NUMBERS_SHOWN])
    return tuple(row["display"] for row in rows)


async def _check_branch(connection: Connection, branch_id: str) -> None:
    if await connection.row(_BRANCH, [branch_id]) is None:
        raise refuse(SetupReason.UNKNOWN_BRANCH, branch=branch_id)


async def _lock_counter(connection: Connection, counter: Counter) -> Counter | None:
    row = await connection.row(_FOR_UPDATE, [counter.branch_id, counter.counter_id])
    return counter_from(row) if row else None


async def _token_at(connection: Connection, counter: Counter) -> Token | None:
    row = await connection.row(_HELD, [counter.branch_id, counter.counter_id])
    return token_from(row) if row else None


async def _write(connection: Connection, counter: Counter, now: datetime) -> None:
    values = {**vars(counter), "departments": list(counter.departments), "changed_at": now}
    await connection.execute(upsert("counter", _KEY, values), values)


def _data(counter: Counter) -> dict[str, Any]:
    return {
        "state": str(counter.state),
        "operator": counter.operator,
        "departments": list(counter.departments),
    }
