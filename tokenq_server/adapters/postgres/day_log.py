"""The log by business day, from Postgres."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tokenq.contract.events import BadEvent, from_wire
from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.department_rows import department_from
from tokenq_server.adapters.postgres.rows import Row
from tokenq_server.adapters.postgres.statements import statement
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.department import Department
from tokenq_server.domain.history import Entry
from tokenq_server.services.log_retention import kept_from
from tokenq_server.services.reporting import BranchDay, DepartmentDay, LogOfDay

# Archived departments, too: their past days stay readable.
_DEPARTMENTS = statement("""
SELECT {department}, s.day
FROM department d
JOIN branch b USING (branch_id)
JOIN dept_state s USING (department_id)
""")
_DEPARTMENT = f"{_DEPARTMENTS} WHERE d.department_id = %s"
_OF_BRANCH = f"{_DEPARTMENTS} WHERE d.branch_id = %s ORDER BY d.department_id"

_BRANCH = "SELECT name, timezone, rollover_hour FROM branch WHERE branch_id = %s"

# In any zone and with any rollover hour, a business day lies within two days of its noon in UTC.
_OF_DAY = """
SELECT seq, payload, at FROM outbox
WHERE department_id = %(department)s AND seq > %(after)s
  AND at BETWEEN %(first)s AND %(last)s
  AND payload::jsonb->>'businessDay' = %(day)s
ORDER BY seq LIMIT %(limit)s
"""

# The day's tokens by their numbers, wherever in the branch these were issued, then all that happened to them, on later
# days, too. Reads only what belongs to the day, by two indexes.
_OF_TOKENS = """
SELECT o.payload, o.at
FROM token t JOIN outbox o USING (token_id)
WHERE t.day = %(day)s
  AND t.issued_in = ANY(SELECT department_id FROM department WHERE branch_id = %(branch)s)
  AND o.department_id = ANY(%(departments)s)
ORDER BY o.department_id, o.seq
"""

_FLOOR_DAY = "SELECT max(log_floor_day) AS day FROM dept_state WHERE department_id = ANY(%s)"


class PostgresDayLog:
    """Reads a day's entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def department(self, department_id: str) -> DepartmentDay | None:
        """Return a department, even an archived one, and its current business day."""
        async with self._database.begin() as connection:
            row = await connection.row(_DEPARTMENT, [department_id])
        return _department_day(row) if row else None

    async def branch(self, branch_id: str) -> BranchDay | None:
        """Return a branch with its departments, archived ones included."""
        async with self._database.begin() as connection:
            row = await connection.row(_BRANCH, [branch_id])
            rows = await connection.rows(_OF_BRANCH, [branch_id])
        if row is None:
            return None
        departments = [_department_day(each) for each in rows]
        today = business_day(datetime.now(UTC), row["timezone"], row["rollover_hour"])
        return BranchDay(row["name"], row["timezone"], row["rollover_hour"], today, departments)

    async def log_of_tokens_issued_on(self, branch_id: str, departments: Sequence[str], day: date) -> LogOfDay:
        """Return the departments' entries about tokens issued on a business day, each department's in order."""
        values = {"branch": branch_id, "departments": list(departments), "day": day}
        async with self._database.begin() as connection:
            rows = await connection.rows(_OF_TOKENS, values)
            first = await _kept_from(connection, departments)
        return LogOfDay(await asyncio.to_thread(_entries, rows), first)

    async def day_payloads(
        self, department_id: str, day: date, after: int, limit: int
    ) -> tuple[list[dict[str, Any]], date | None]:
        """Return a department's wire events of a business day, in order, after a seq; and from when the log is kept."""
        noon = datetime.combine(day, time(12), UTC)
        values = {
            "department": department_id,
            "day": day.isoformat(),
            "first": noon - timedelta(days=2),
            "last": noon + timedelta(days=2),
            "after": after,
            "limit": limit,
        }
        async with self._database.begin() as connection:
            rows = await connection.rows(_OF_DAY, values)
            first = await _kept_from(connection, [department_id])
        return [json.loads(row["payload"]) for row in rows], first


async def _kept_from(connection: Connection, departments: Sequence[str]) -> date | None:
    """Read from which day the departments' logs have everything. To be read after the log: it only grows."""
    (row,) = await connection.rows(_FLOOR_DAY, [list(departments)])
    return kept_from(row["day"] or date.min)


def _department_day(row: Row) -> DepartmentDay:
    department: Department = department_from(row)
    today = business_day(datetime.now(UTC), department.timezone, department.rollover_hour, row["day"])
    return DepartmentDay(department, today)


def _entries(rows: Iterable[Row]) -> list[Entry]:
    """Decode rows; a damaged one counts for nothing here, `tokenq verify` names it."""
    entries = []
    for row in rows:
        with suppress(BadEvent, ValueError):
            entries.append(Entry(from_wire(json.loads(row["payload"])), row["at"]))
    return entries
