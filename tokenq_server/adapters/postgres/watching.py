"""What somebody who watches the system is shown, from Postgres."""

from tokenq.contract.enums import Priority
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.event_log import OLDEST_UNPUBLISHED
from tokenq_server.adapters.postgres.notification_statements import DEAD_LETTERS
from tokenq_server.services.watching import DepartmentFigures, StoreFigures

_DEPARTMENTS = """
SELECT s.department_id, s.waiting_urgent, s.waiting_priority, s.waiting_normal,
  s.last_seq - coalesce(c.seq, 0) AS unpublished
FROM dept_state s LEFT JOIN relay_cursor c USING (department_id)
"""

# One that is being sent is overdue when its lease has ended: whoever had it is gone.
_LETTERS = """
SELECT count(*) AS due,
  count(*) FILTER (WHERE coalesce(lease_until, due_at) < clock_timestamp() - interval '1 minute') AS overdue
FROM mail_job WHERE state IN ('due', 'sending')
"""


class PostgresWatching:
    """Reads the figures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self) -> StoreFigures:
        """Return the figures of now. Raises Refused."""
        async with self._database.begin() as connection:
            departments = await connection.rows(_DEPARTMENTS)
            (relay,) = await connection.rows(OLDEST_UNPUBLISHED)
            (letters,) = await connection.rows(_LETTERS)
            (dead,) = await connection.rows(DEAD_LETTERS)
        return StoreFigures(
            [
                DepartmentFigures(
                    row["department_id"],
                    {each: row[f"waiting_{str(each).lower()}"] for each in Priority},
                    row["unpublished"],
                )
                for row in departments
            ],
            relay["seconds"],
            letters["due"],
            letters["overdue"],
            dead["open"],
            dead["not_kept"],
        )
