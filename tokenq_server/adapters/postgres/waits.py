"""How long those who wait now have waited, from Postgres: read with the forecasts, never for a single request."""

from collections.abc import Mapping

from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.wait_alarms import WaitFigures

_WAITS = """
SELECT d.department_id, count(*) AS waiting,
       count(*) FILTER (WHERE t.waiting_since < clock_timestamp() - make_interval(mins => d.minutes)) AS late,
       extract(epoch FROM clock_timestamp() - min(t.waiting_since))::float AS longest
FROM unnest(%s::text[], %s::int[]) AS d(department_id, minutes)
JOIN token t ON t.department_id = d.department_id AND t.state = 'WAITING'
GROUP BY d.department_id
"""


async def read_waits(connection: Connection, rules: Mapping[str, Rules]) -> dict[str, tuple[Rules, WaitFigures]]:
    """Return these departments' figures, each with the rules that they are judged by."""
    minutes = [each.service_level_minutes for each in rules.values()]
    rows = await connection.rows(_WAITS, [list(rules), minutes])
    found = {row["department_id"]: WaitFigures(row["waiting"], row["late"], row["longest"]) for row in rows}
    return {name: (its, found.get(name, WaitFigures())) for name, its in rules.items()}
