"""The log by business days, from Postgres."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, cast, select
from sqlalchemy.dialects.postgresql import JSONB

from tokenq.contract.events import from_wire
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.places import DEPARTMENT
from tokenq_server.adapters.postgres.rows import department_from
from tokenq_server.adapters.postgres.tables import branch, department, dept_state, outbox
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.department import Department
from tokenq_server.domain.history import Entry


class PostgresDayLog:
    """Reads a day's entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def day_of(self, department_id: str) -> tuple[Department, date] | None:
        """A department and the business day it is at."""
        query = (
            select(*DEPARTMENT, dept_state.c.day)
            .join(branch, branch.c.branch_id == department.c.branch_id)
            .join(dept_state, dept_state.c.department_id == department.c.department_id)
            .where(department.c.department_id == department_id, ~department.c.is_archived)
        )
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        here = department_from(row)
        return here, business_day(datetime.now(UTC), here.timezone, here.rollover_hour, row["day"])

    async def day_log(self, department_id: str, day: date) -> list[Entry]:
        """A department's entries of one business day, in order."""
        async with self._database.begin() as connection:
            rows = (await connection.execute(_of_day(department_id, day))).all()
        return [Entry(from_wire(json.loads(row.payload)), row.at) for row in rows]

    async def day_payloads(self, department_id: str, day: date, after: int, limit: int) -> list[dict[str, Any]]:
        """The same as on the wire, after a seq."""
        query = _of_day(department_id, day).where(outbox.c.seq > after).limit(limit)
        async with self._database.begin() as connection:
            return [json.loads(row.payload) for row in await connection.execute(query)]


def _of_day(department_id: str, day: date) -> Select[Any]:
    noon = datetime.combine(day, time(12), UTC)
    return (
        select(outbox.c.seq, outbox.c.payload, outbox.c.at)
        .where(
            outbox.c.department_id == department_id,
            # Whatever the zone and the rollover, a business day lies within two days of its noon in UTC.
            outbox.c.at.between(noon - timedelta(days=2), noon + timedelta(days=2)),
            cast(outbox.c.payload, JSONB)["businessDay"].astext == day.isoformat(),
        )
        .order_by(outbox.c.seq)
    )
