"""The log by business day, from Postgres."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tokenq.contract.events import from_wire
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.department_rows import department_from
from tokenq_server.adapters.postgres.rows import Row
from tokenq_server.adapters.postgres.statements import statement
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.department import Department
from tokenq_server.domain.history import Entry

_DEPARTMENT = statement("""
SELECT {department}, s.day
FROM department d
JOIN branch b USING (branch_id)
JOIN dept_state s USING (department_id)
WHERE d.department_id = %s AND NOT d.is_archived
""")

# In any zone and with any rollover hour, a business day lies within two days of its noon in UTC.
_OF_DAY = """
SELECT seq, payload, at FROM outbox
WHERE department_id = %(department)s AND seq > %(after)s
  AND at BETWEEN %(first)s AND %(last)s
  AND payload::jsonb->>'businessDay' = %(day)s
ORDER BY seq LIMIT %(limit)s
"""


class PostgresDayLog:
    """Reads a day's entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def day_of(self, department_id: str) -> tuple[Department, date] | None:
        """Return a department and its current business day."""
        async with self._database.begin() as connection:
            row = await connection.row(_DEPARTMENT, [department_id])
        if row is None:
            return None
        department = department_from(row)
        return department, business_day(datetime.now(UTC), department.timezone, department.rollover_hour, row["day"])

    async def day_log(self, department_id: str, day: date) -> list[Entry]:
        """Return a department's entries of one business day, in order."""
        return [Entry(from_wire(json.loads(row["payload"])), row["at"]) for row in await self._rows(department_id, day)]

    async def day_payloads(self, department_id: str, day: date, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the same as wire events, after a seq."""
        return [json.loads(row["payload"]) for row in await self._rows(department_id, day, after, limit)]

    async def _rows(self, department_id: str, day: date, after: int = 0, limit: int | None = None) -> list[Row]:
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
            return list(await connection.rows(_OF_DAY, values))
