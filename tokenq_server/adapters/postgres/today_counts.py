"""How many tokens of a department's day are in which state: what a queue shows at its edge."""

import time
from collections.abc import Callable
from datetime import date

from tokenq.contract.enums import TokenState
from tokenq_server.adapters.postgres.connection import Connection

_SHARE = 20
"""Counting takes at most the twentieth part of the time: what took 50 ms is counted again after a second."""
_MANY = 2000
"""Fewer tokens are counted at every look: it takes two milliseconds, and the figures are exact."""
_MOST_KEPT = 1000

# Of today are the numbers of today, and older ones that ended today.
_COUNTS = """
SELECT state, count(*) AS count FROM (
  SELECT state FROM token WHERE department_id = %(department)s AND day = %(day)s
  UNION ALL
  SELECT state FROM token WHERE department_id = %(department)s AND ended_on = %(day)s AND ended_on > day
) AS of_today
GROUP BY state
"""

Counts = dict[TokenState, int]


class TodayCounts:
    """Counts tokens by state, in a department with very many of them not at every look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, date], tuple[float, Counts]] = {}

    async def of(self, connection: Connection, department_id: str, day: date) -> Counts:
        """Return the counts of a department's business day."""
        began = self._clock()
        until, counts = self._known.get((department_id, day), (began, {}))
        if began < until:
            return counts
        rows = await connection.rows(_COUNTS, {"department": department_id, "day": day})
        counts = {TokenState(row["state"]): row["count"] for row in rows}
        took = self._clock() - began
        if len(self._known) >= _MOST_KEPT:
            self._known.clear()
        if sum(counts.values()) >= _MANY:
            self._known[department_id, day] = self._clock() + _SHARE * took, counts
        return counts
