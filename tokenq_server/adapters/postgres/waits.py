"""How long those who wait now have waited, from Postgres."""

from collections.abc import Mapping

from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.department_rows import rules_of
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.wait_alarms import WaitFigures

_RULES = "SELECT department_id, rules::text AS rules FROM department WHERE NOT is_archived"

_WAITS = """
SELECT d.department_id, count(*) AS waiting,
       count(*) FILTER (WHERE t.waiting_since < clock_timestamp() - make_interval(mins => d.minutes)) AS late,
       extract(epoch FROM clock_timestamp() - min(t.waiting_since))::float AS longest
FROM unnest(%s::text[], %s::int[]) AS d(department_id, minutes)
JOIN token t ON t.department_id = d.department_id AND t.state = 'WAITING'
GROUP BY d.department_id
"""


async def read_waits(connection: Connection, rules: Mapping[str, Rules]) -> dict[str, WaitFigures]:
    """Return the figures of these departments."""
    minutes = [each.service_level_minutes for each in rules.values()]
    rows = await connection.rows(_WAITS, [list(rules), minutes])
    found = {row["department_id"]: WaitFigures(row["waiting"], row["late"], row["longest"]) for row in rows}
    return {name: found.get(name, WaitFigures()) for name in rules}


async def read_all_rules(connection: Connection) -> dict[str, Rules]:
    """Return the rules of all departments."""
    return {row["department_id"]: rules_of(row["rules"]) for row in await connection.rows(_RULES)}
