"""What a rewind writes beside the tokens, in the ledger's transaction."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from tokenq.contract.events import Event, EventType, encode
from tokenq_server.adapters.postgres import statements as sql
from tokenq_server.adapters.postgres.ledger import PostgresTransaction
from tokenq_server.adapters.postgres.rows import document
from tokenq_server.domain.department import Department
from tokenq_server.domain.floor import SYSTEM
from tokenq_server.services.event_ids import new_event_id

_CHUNK = 1_000

_ENTRIES = "SELECT seq, token_id, payload FROM outbox WHERE department_id = %s AND seq > %s AND seq <= %s ORDER BY seq"

_TAKEN = "SELECT issued_in, number FROM token WHERE issued_in = %s AND day = %s"

_IDS = """
SELECT setval('token_id_seq', greatest(%s::bigint, (SELECT coalesce(max(token_id), 0) FROM token), s.last_value))
FROM token_id_seq s
"""

_PUBLISHED = "UPDATE relay_cursor SET seq = greatest(seq, %s) WHERE department_id = %s"

# Whether they went out since the back-up, nobody can tell: a person decides.
_HOLD = """
WITH job AS (
  UPDATE mail_job SET state = 'dead', lease_until = NULL, last_error = %s
  WHERE department_id = ANY(%s) AND state IN ('due', 'sending') RETURNING department_id, seq, kind
)
INSERT INTO mail_dlq (reason, error, department_id, seq, kind)
SELECT 'restored', %s, department_id, seq, kind FROM job
"""
_WHY_HELD = "It may have been sent already after the back-up that the database was restored from."


async def entries(transaction: PostgresTransaction, department_id: str, after: int, to: int) -> list[dict[str, Any]]:
    """The log's entries in ``(after, to]``: seq, token id and payload."""
    return await transaction.run(_ENTRIES, [department_id, after, to])


async def numbers_taken(transaction: PostgresTransaction, department_id: str, day: date) -> set[tuple[str, int]]:
    """The numbers of that day that somebody has, with the department that gave them."""
    rows = await transaction.run(_TAKEN, [department_id, day])
    return {(row["issued_in"], row["number"]) for row in rows}


async def fill(
    transaction: PostgresTransaction,
    department: Department,
    day: date,
    now: datetime,
    told: Mapping[int, Mapping[str, Any]],
) -> None:
    """Put an entry ``LOG_REWOUND`` at each seq of ``told``, whose data say what stood there as far as is known."""
    seqs = sorted(told)
    for start in range(0, len(seqs), _CHUNK):
        rows = [_row(department, day, now, seq, told[seq]) for seq in seqs[start : start + _CHUNK]]
        await transaction.run(sql.INSERT_OUTBOX, [document(rows)])


async def move_on(
    transaction: PostgresTransaction, published: Mapping[str, int], last_token_id: int, affected: Sequence[str]
) -> int:
    """Give no token id twice, publish nothing under a seq that the topic has, hold letters; answers how many."""
    await transaction.run(_IDS, [max(last_token_id, 1)])
    for name, seq in published.items():
        await transaction.run(_PUBLISHED, [seq, name])
    return len(await transaction.run(_HOLD + " RETURNING dlq_id", [_WHY_HELD, list(affected), _WHY_HELD]))


def _row(department: Department, day: date, now: datetime, seq: int, data: Mapping[str, Any]) -> dict[str, Any]:
    event = Event(
        event_type=EventType.LOG_REWOUND,
        event_id=new_event_id(now),
        seq=seq,
        timestamp=now,
        branch_id=department.branch_id,
        department_id=department.department_id,
        business_day=day.isoformat(),
        token_id=0,
        token_no=0,
        display_number="",
        actor=SYSTEM,
        data=dict(data),
    )
    return {
        "department_id": department.department_id,
        "seq": seq,
        "event_type": str(EventType.LOG_REWOUND),
        "token_id": 0,
        "payload": encode(event).decode(),
        "joins": None,
        "priority": event.priority,
        "place": 0,
        "at": now,
    }
