"""The ledger for recovery: what a rewind writes besides the tokens, in the same transaction."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

from tokenq.contract.events import EventType
from tokenq_server.adapters.postgres import statements as sql
from tokenq_server.adapters.postgres.ledger import PostgresLedger, PostgresTransaction
from tokenq_server.adapters.postgres.log_rows import department_entry
from tokenq_server.adapters.postgres.rows import document
from tokenq_server.domain.department import Department
from tokenq_server.domain.principal import SYSTEM
from tokenq_server.recovery.ports import LogEntry
from tokenq_server.services.publishing import event_id_of

_CHUNK = 1_000

_ENTRIES = "SELECT seq, token_id, payload FROM outbox WHERE department_id = %s AND seq > %s AND seq <= %s ORDER BY seq"

_TAKEN = "SELECT issued_in, number FROM token WHERE issued_in = %s AND day = %s"

_IDS = """
SELECT setval('token_id_seq', greatest(%s::bigint, (SELECT coalesce(max(token_id), 0) FROM token), s.last_value))
FROM token_id_seq s
"""

_PUBLISHED = "UPDATE relay_cursor SET seq = greatest(seq, %s) WHERE department_id = %s"

# They may have been sent after the backup: a person decides.
_HOLD = """
WITH job AS (
  UPDATE mail_job SET state = 'dead', lease_until = NULL, last_error = %s
  WHERE department_id = ANY(%s) AND state IN ('due', 'sending') RETURNING department_id, seq, kind, channel
)
INSERT INTO mail_dlq (reason, error, department_id, seq, kind, channel)
SELECT 'restored', %s, department_id, seq, kind, channel FROM job
"""
_WHY_HELD = "It may already have been sent, after the backup from which the database was restored."


class PostgresRecoveryLedger:
    """Opens the ledger's transactions for a recovery."""

    def __init__(self, ledger: PostgresLedger) -> None:
        self._ledger = ledger

    @asynccontextmanager
    async def open(self) -> AsyncIterator["PostgresRecoveryTransaction"]:
        """Begin a transaction; leaving it without a commit rolls back."""
        async with self._ledger.open() as transaction:
            yield PostgresRecoveryTransaction(transaction)

    async def close(self) -> None:
        """Close the connection."""
        await self._ledger.close()


class PostgresRecoveryTransaction:
    """A transaction of the ledger with the statements of a rewind."""

    def __init__(self, transaction: PostgresTransaction) -> None:
        self._transaction = transaction
        self.lock = transaction.lock
        self.load = transaction.load
        self.waiting = transaction.waiting
        self.leftovers = transaction.leftovers
        self.commit = transaction.commit

    async def entries(self, department_id: str, after: int, to: int) -> list[LogEntry]:
        """Return the log's entries in ``(after, to]``."""
        rows = await self._transaction.run(_ENTRIES, [department_id, after, to])
        return [LogEntry(row["seq"], row["token_id"], event_id_of(row["payload"])) for row in rows]

    async def numbers_taken(self, department_id: str, day: date) -> set[tuple[str, int]]:
        """Return the numbers used on that day, with the department that issued them."""
        rows = await self._transaction.run(_TAKEN, [department_id, day])
        return {(row["issued_in"], row["number"]) for row in rows}

    async def append_rewound(
        self, department: Department, day: date, now: datetime, data: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Append a ``LOG_REWOUND`` entry at each seq of ``data``, which describes what was there as far as known."""
        seqs = sorted(data)
        for start in range(0, len(seqs), _CHUNK):
            entries = (
                department_entry(department, day, seq, now, EventType.LOG_REWOUND, SYSTEM, data[seq])
                for seq in seqs[start : start + _CHUNK]
            )
            await self._transaction.run(sql.APPEND_TO_LOG, [document(entries)])

    async def move_on(self, published: Mapping[str, int], last_token_id: int, affected: Sequence[str]) -> int:
        """Move token ids and relay cursors forward, and hold notifications; return how many were held."""
        await self._transaction.run(_IDS, [max(last_token_id, 1)])
        for name, seq in published.items():
            await self._transaction.run(_PUBLISHED, [seq, name])
        held = await self._transaction.run(_HOLD + " RETURNING dlq_id", [_WHY_HELD, list(affected), _WHY_HELD])
        return len(held)
