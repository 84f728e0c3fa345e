"""Whether another time zone or another hour of a branch would end a business day, and for whom."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.adapters.postgres.tables import branch, dept_state, token
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.refusals import day_would_end
from tokenq_server.services.setup_views import Branch

_WHO_GOES = [str(state) for state in VERBS[Verb.EXPIRE].sources]


async def check_days_go_on(connection: AsyncConnection, wanted: Branch, departments: Sequence[str]) -> None:
    """Refuse a change of a branch by which people would lose their place; the departments' rows are locked.

    A day that is over by the branch as it is now ends anyway: only what the change itself ends counts.

    Raises:
        Refused: ``in_use``; it tells how many would go in which department.
    """
    query = select(branch.c.timezone, branch.c.rollover_hour, func.clock_timestamp().label("now"))
    known = (await connection.execute(query.where(branch.c.branch_id == wanted.branch_id))).one_or_none()
    if known is None:
        return
    today = business_day(known.now, known.timezone, known.rollover_hour)
    then = business_day(known.now, wanted.timezone, wanted.rollover_hour)
    if then <= today:
        return
    who = (
        select(token.c.department_id, token.c.state, func.count().label("number"))
        .join(dept_state, dept_state.c.department_id == token.c.department_id)
        .where(token.c.department_id.in_(departments), token.c.state.in_(_WHO_GOES))
        .where(dept_state.c.day >= today, dept_state.c.day < then)
        .group_by(token.c.department_id, token.c.state)
        .order_by(token.c.department_id, token.c.state.desc())
    )
    ends: dict[str, dict[str, int]] = {}
    for row in await connection.execute(who):
        ends.setdefault(row.department_id, {})[row.state] = row.number
    if ends:
        raise day_would_end(ends)
