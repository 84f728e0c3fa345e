"""Deleting old entries of the log, by a function of the tables' owner: the API itself may only append."""

from tokenq_server.adapters.postgres.audit import CountedEvent
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.failpoints import reach
from tokenq_server.services.log_retention import old_entries_deleted

_AT_ONCE = 1000
_BATCHES_PER_RUN = 20

# Whose first entry is old enough. Whether it may go is decided under the lock.
_DEPARTMENTS = """
SELECT s.department_id
FROM dept_state s JOIN department d USING (department_id) JOIN branch b USING (branch_id)
JOIN outbox o ON (o.department_id, o.seq) = (s.department_id, s.log_floor + 1)
CROSS JOIN LATERAL (SELECT make_interval(hours => b.rollover_hour) AS night) AS n
WHERE (o.at AT TIME ZONE b.timezone - n.night)::date
  < (clock_timestamp() AT TIME ZONE b.timezone - n.night)::date - %s::int
ORDER BY s.department_id
"""
_DELETE = "SELECT delete_old_entries(%s, %s, %s) AS count"


class PostgresOldEntries:
    """Deletes old entries in batches, each in a transaction under its department's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete(self, days: int) -> bool:
        """Delete some old entries; one event counts those of a run. A department at work is left for later."""
        async with self._database.begin() as connection:
            left = [row["department_id"] for row in await connection.rows(_DEPARTMENTS, [days])]
        batches, busy = 0, False
        with CountedEvent(old_entries_deleted(days)) as event:
            while left and batches < _BATCHES_PER_RUN:
                count = await self._delete_some(left[0], days, event)
                busy |= count is None
                batches += bool(count)
                if not count or count < _AT_ONCE:
                    left.pop(0)
        return busy or bool(left)

    async def _delete_some(self, department_id: str, days: int, event: CountedEvent) -> int | None:
        """Delete the next entries of a department; return how many, ``None`` if it is locked."""
        async with event.begin(self._database) as connection:
            (row,) = await connection.rows(_DELETE, [department_id, days, _AT_ONCE])
            count: int | None = row["count"]
            await event.add(connection, count or 0)
            reach("delete_entries.before_commit")
        return count
