"""Entries about a department itself and its counters, in the log that its tokens have.

Written in the transaction of the change they tell of, under the lock that also orders the tokens' entries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tokenq.contract.events import Event, EventType, encode
from tokenq_server.adapters.postgres.places import DEPARTMENT
from tokenq_server.adapters.postgres.rows import department_from
from tokenq_server.adapters.postgres.tables import branch, department, dept_state, outbox
from tokenq_server.domain.business_day import business_day
from tokenq_server.services.event_ids import new_event_id


async def lock(connection: AsyncConnection, department_ids: Sequence[str]) -> None:
    """Lock the departments' rows in order of id, as the ledger does it."""
    await connection.execute(
        select(dept_state.c.department_id)
        .where(dept_state.c.department_id.in_(department_ids))
        .order_by(dept_state.c.department_id)
        .with_for_update()
    )


@dataclass(frozen=True)
class Note:
    """What an entry tells: the department it is about, what it is now, and what somebody wrote about it (``note``)."""

    department_id: str
    event_type: EventType
    data: dict[str, Any]
    counter_id: str | None = None
    note: str | None = None


async def append(connection: AsyncConnection, notes: Sequence[Note], actor: str) -> None:
    """Add an entry for each note to its department's log; at most one note a department.

    The departments must exist in this transaction. Four round trips, however many there are.
    """
    wanted = {note.department_id: note for note in notes}
    if not wanted:
        return
    mine = dept_state.c.department_id.in_(wanted)
    query = (
        select(*DEPARTMENT, dept_state.c.day, dept_state.c.last_seq, func.clock_timestamp().label("now"))
        .join(branch, branch.c.branch_id == department.c.branch_id)
        .join(dept_state, dept_state.c.department_id == department.c.department_id)
        .where(mine)
    )
    await lock(connection, list(wanted))
    rows = (await connection.execute(query)).mappings().all()
    await connection.execute(insert(outbox), [_row(wanted[row["department_id"]], row, actor) for row in rows])
    await connection.execute(update(dept_state).where(mine).values(last_seq=dept_state.c.last_seq + 1))


def _row(note: Note, row: Mapping[Any, Any], actor: str) -> dict[str, Any]:
    here = department_from(row)
    event = Event(
        event_type=note.event_type,
        event_id=new_event_id(row["now"]),
        seq=row["last_seq"] + 1,
        timestamp=row["now"],
        branch_id=here.branch_id,
        department_id=note.department_id,
        business_day=str(business_day(row["now"], here.timezone, here.rollover_hour, row["day"])),
        token_id=0,
        token_no=0,
        display_number="",
        counter_id=note.counter_id,
        actor=actor,
        data=note.data,
    )
    return {
        "department_id": note.department_id,
        "seq": event.seq,
        "event_type": str(note.event_type),
        "token_id": 0,
        "payload": encode(event).decode(),
        "joins": None,
        "priority": event.priority,
        "place": 0,
        "at": row["now"],
        "note": note.note,
    }
