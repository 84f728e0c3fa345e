"""Log entries about a department itself and its counters, in the same log as its tokens.

They are written in the transaction of the change, under the lock that also orders the tokens' entries.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from tokenq.contract.events import EventType
from tokenq_server.adapters.postgres import statements as sql
from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.department_rows import department_from
from tokenq_server.adapters.postgres.log_rows import department_entry
from tokenq_server.adapters.postgres.rows import Row, document
from tokenq_server.domain.business_day import business_day

_HEADS = sql.statement("""
SELECT {department}, s.day, s.last_seq, clock_timestamp() AS now
FROM dept_state s
JOIN department d USING (department_id)
JOIN branch b USING (branch_id)
WHERE s.department_id = ANY(%s)
""")

_ADVANCE = "UPDATE dept_state SET last_seq = last_seq + 1 WHERE department_id = ANY(%s)"


async def lock(connection: Connection, department_ids: Collection[str]) -> None:
    """Lock the departments' rows in id order, as the ledger does."""
    await connection.execute(sql.LOCK, [list(department_ids)])


@dataclass(frozen=True)
class ConfigEntry:
    """An entry to write: its department, its data, and free text about it (``note``)."""

    department_id: str
    event_type: EventType
    data: dict[str, Any]
    counter_id: str | None = None
    note: str | None = None


async def append(connection: Connection, entries: Sequence[ConfigEntry], actor: str) -> None:
    """Append each entry to its department's log; at most one per department.

    The departments must exist in this transaction. Always takes four round trips.
    """
    by_department = {entry.department_id: entry for entry in entries}
    if not by_department:
        return
    ids = list(by_department)
    await lock(connection, ids)
    heads = await connection.rows(_HEADS, [ids])
    rows = (_row(by_department[head["department_id"]], head, actor) for head in heads)
    await connection.execute(sql.APPEND_TO_LOG, [document(rows)])
    await connection.execute(_ADVANCE, [ids])


def _row(entry: ConfigEntry, head: Row, actor: str) -> dict[str, Any]:
    department, now = department_from(head), head["now"]
    return department_entry(
        department,
        business_day(now, department.timezone, department.rollover_hour, head["day"]),
        head["last_seq"] + 1,
        now,
        entry.event_type,
        actor,
        entry.data,
        counter_id=entry.counter_id,
        note=entry.note,
    )
