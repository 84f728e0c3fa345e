"""Whether a change of a branch's time zone or rollover hour would end a business day, and for which tokens."""

from collections.abc import Sequence

from psycopg.sql import Literal

from tokenq.contract.enums import DayEnd
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.statements import statement
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.refusals import day_would_end
from tokenq_server.services.setup_views import Branch

_WHO_GOES = [str(state) for state in VERBS[Verb.EXPIRE].sources]

_BRANCH = "SELECT timezone, rollover_hour, clock_timestamp() AS now FROM branch WHERE branch_id = %s"

_WHO = statement(
    """
SELECT t.department_id, t.state, count(*) AS number
FROM token t JOIN dept_state s USING (department_id) JOIN department d USING (department_id)
WHERE t.department_id = ANY(%s) AND t.state = ANY(%s) AND s.day >= %s AND s.day < %s
  AND d.rules->>'dayEnd' IS DISTINCT FROM {keep}
GROUP BY t.department_id, t.state
ORDER BY t.department_id, t.state DESC
""",
    keep=Literal(str(DayEnd.KEEP)),
)


async def check_days_go_on(connection: Connection, branch: Branch, departments: Sequence[str]) -> None:
    """Refuse a branch change that would expire live tokens; the departments' rows are locked.

    Raises:
        Refused: ``in_use``, with the number of affected tokens per department.
    """
    if ends := await tokens_that_would_expire(connection, branch, departments):
        raise day_would_end(ends)


async def tokens_that_would_expire(
    connection: Connection, branch: Branch, departments: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Return how many tokens a branch change would expire, per department and state.

    A day that is over by the current settings ends anyway: only days that the change itself ends count.
    """
    row = await connection.row(_BRANCH, [branch.branch_id])
    if row is None:
        return {}
    today = business_day(row["now"], row["timezone"], row["rollover_hour"])
    then = business_day(row["now"], branch.timezone, branch.rollover_hour)
    if then <= today:
        return {}
    ends: dict[str, dict[str, int]] = {}
    for row in await connection.rows(_WHO, [list(departments), _WHO_GOES, today, then]):
        ends.setdefault(row["department_id"], {})[row["state"]] = row["number"]
    return ends
