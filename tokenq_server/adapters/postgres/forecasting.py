"""The input of forecasts, from Postgres."""

from collections.abc import Mapping, Sequence
from typing import Any

from tokenq.contract.enums import Priority
from tokenq_server.adapters.postgres import statements as sql
from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.counters import read_counters, read_forgotten, read_unattended
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.department_rows import department_from, head_from
from tokenq_server.adapters.postgres.waits import read_waits
from tokenq_server.domain.counters import Counter, is_calling
from tokenq_server.domain.department import Department, DepartmentHead
from tokenq_server.domain.estimate import LONGEST, Line, OpenCounter
from tokenq_server.domain.service_time import learned
from tokenq_server.domain.token import Token
from tokenq_server.services.forecasting import BranchNow

_SAMPLES = 30

_ACTIVITY = """
SELECT d.branch_id, sum(s.last_seq)::bigint AS activity
FROM dept_state s JOIN department d USING (department_id)
WHERE NOT d.is_archived GROUP BY d.branch_id
"""

_DEPARTMENTS = sql.statement("""
SELECT {department}, {head}
FROM department d
JOIN branch b USING (branch_id)
JOIN dept_state s USING (department_id)
WHERE d.branch_id = %s AND NOT d.is_archived
""")

# The first tokens of each class, and for how many seconds each has waited.
_WAITING = sql.statement("""
SELECT d.department_id, c.priority, t.age
FROM unnest(%(departments)s::text[]) AS d(department_id)
CROSS JOIN unnest(ARRAY[{classes}]) AS c(priority)
CROSS JOIN LATERAL (
  SELECT extract(epoch FROM statement_timestamp() - waiting_since)::float AS age, place, token_id FROM token
  WHERE token.department_id = d.department_id AND token.priority = c.priority AND token.state = 'WAITING'
  ORDER BY place, token_id LIMIT %(longest)s
) t
ORDER BY d.department_id, c.priority, t.place, t.token_id
""")

# How long the last services occupied a counter. For a token called and served in one step afterwards, the time since
# the previous call at that counter counts, if the token was waiting by then.
_SERVICES = """
WITH calls AS (
  SELECT department_id, called_at, issued_at,
         extract(epoch FROM coalesce(served_at, last_call_at) - called_at)::float AS took,
         lag(called_at) OVER (PARTITION BY branch_id, counter_id ORDER BY called_at) AS called_before,
         row_number() OVER (PARTITION BY department_id ORDER BY called_at DESC) AS latest
  FROM token
  WHERE (department_id, day) IN (SELECT department_id, day FROM dept_state WHERE department_id = ANY(%(departments)s))
    AND state IN ('SERVED', 'NO_SHOW') AND called_at IS NOT NULL
)
SELECT department_id,
       CASE WHEN took >= 1 THEN took
            WHEN issued_at <= called_before THEN extract(epoch FROM called_at - called_before)::float END AS took
FROM calls WHERE latest <= %(samples)s
"""

_COMING = """
SELECT department_id, priority, count(*) AS count,
       greatest(least(extract(epoch FROM clock_timestamp() - min(issued_at)), 3600), 900)::float AS seconds
FROM token
WHERE (department_id, day) IN (SELECT department_id, day FROM dept_state WHERE department_id = ANY(%(departments)s))
  AND issued_at > clock_timestamp() - interval '1 hour'
GROUP BY department_id, priority
"""


class PostgresForecasting:
    """Reads the input of forecasts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def activity(self) -> Mapping[str, int]:
        """Return a number per branch that grows with every change in it."""
        async with self._database.begin() as connection:
            return {row["branch_id"]: row["activity"] for row in await connection.rows(_ACTIVITY)}

    async def branch_now(self, branch_id: str) -> BranchNow:
        """Return the queues, the open counters, today's observed service times and the present waits."""
        async with self._database.begin() as connection:
            rows = await connection.rows(_DEPARTMENTS, [branch_id])
            branch = [(department_from(row), head_from(row)) for row in rows]
            rules = {department.department_id: department.rules for department, _ in branch}
            return BranchNow(
                lines=await _lines(connection, branch),
                counters=await _counters(connection, branch_id),
                waits=await read_waits(connection, rules),
            )


async def _lines(connection: Connection, branch: Sequence[tuple[Department, DepartmentHead]]) -> list[Line]:
    ids = [department.department_id for department, _ in branch]
    waiting: dict[str, dict[Priority, list[float]]] = {name: {} for name in ids}
    for row in await connection.rows(_WAITING, {"departments": ids, "longest": LONGEST}):
        waiting[row["department_id"]].setdefault(Priority(row["priority"]), []).append(row["age"])
    services: dict[str, list[float]] = {name: [] for name in ids}
    for row in await connection.rows(_SERVICES, {"departments": ids, "samples": _SAMPLES}):
        if row["took"] is not None:
            services[row["department_id"]].append(row["took"])
    coming: dict[str, dict[Priority, float]] = {name: {} for name in ids}
    for row in await connection.rows(_COMING, {"departments": ids}):
        coming[row["department_id"]][Priority(row["priority"])] = row["count"] * 3600 / row["seconds"]
    lines = []
    for department, head in branch:
        name, rules = department.department_id, department.rules
        service = learned(services[name], rules.service_minutes, rules.forgotten_minutes)
        lines.append(Line(name, department.policy, head.turn, service, waiting[name], coming[name]))
    return lines


async def _counters(connection: Connection, branch_id: str) -> list[OpenCounter]:
    """Counters that hold a token, and open ones that are attended or were until shortly.

    One whose token was presumably forgotten counts only while an operator claims it.
    """
    counters = await read_counters(connection, branch_id)
    since = await read_unattended(connection, branch_id, counters)
    (clock,) = await connection.rows(sql.NOW)
    now = clock["now"]
    forgotten = await read_forgotten(connection, counters, now)

    def is_staffed(counter: Counter, held: Token | None) -> bool:
        if held is None:
            return is_calling(counter, since.get(counter.counter_id), now)
        is_claimed = counter.lease_until is not None and counter.lease_until > now
        return held.token_id not in forgotten or is_claimed

    return [_open(counter, held, now) for counter, held in counters if is_staffed(counter, held)]


def _open(counter: Counter, held: Token | None, now: Any) -> OpenCounter:
    if held is None or held.called_at is None:
        return OpenCounter(counter.departments)
    return OpenCounter(counter.departments, held.department_id, (now - held.called_at).total_seconds())
