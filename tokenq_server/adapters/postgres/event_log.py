"""The outbox as a log to follow: by the relay, which publishes it, and by the API, which streams it."""

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg

from tokenq_server.adapters.postgres.connection import Connection, Values
from tokenq_server.adapters.postgres.driver_errors import as_outage, takeover_error
from tokenq_server.adapters.postgres.statements import statement
from tokenq_server.database_access import DatabaseAccess
from tokenq_server.services.ports import LedgerDown
from tokenq_server.services.publishing import Cursor, Entry, Fenced, event_id_of

_RELAY_LOCK = 0x746F6B656E71  # "tokenq"

_LISTEN, _RING = "LISTEN tokenq_log", "SELECT pg_notify('tokenq_log', '')"
"""The channel of notifications on which the relay is told that the log has grown."""

_MOST_AT_ONCE = 20_000
"""Entries published together across departments: a producer's queue is finite."""

_ADVANCED = """
SELECT s.department_id, s.last_seq FROM dept_state s
"""

_SINCE = """
SELECT o.department_id, o.seq, o.payload
FROM unnest(%s::text[], %s::bigint[]) AS c(department_id, seq)
CROSS JOIN LATERAL (
  SELECT department_id, seq, payload FROM outbox
  WHERE outbox.department_id = c.department_id AND outbox.seq > c.seq ORDER BY outbox.seq LIMIT %s
) AS o
ORDER BY o.department_id, o.seq
"""

_BEHIND = """
SELECT c.department_id, c.seq FROM relay_cursor c JOIN dept_state s USING (department_id) WHERE s.last_seq > c.seq
"""

OLDEST_UNPUBLISHED = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(o.at)), 0)::float8 AS seconds
FROM relay_cursor c JOIN dept_state s USING (department_id)
JOIN outbox o ON (o.department_id, o.seq) = (c.department_id, c.seq + 1)
WHERE s.last_seq > c.seq
"""

NOTIFY = "tokenq-notify"
"""What notify calls its connections."""

# Nobody needs notify while no e-mail is queued and no live token may yet get one.
_NOTIFY = statement("""
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()) AS is_running,
  EXISTS (SELECT FROM mail_job WHERE state IN ('due', 'sending'))
  OR EXISTS (SELECT FROM token t JOIN department d USING (department_id)
             WHERE t.state IN ({live}) AND t.email IS NOT NULL
               AND (d.rules->'letters' IS NULL OR d.rules->'letters' <> '[]')) AS is_needed
""")

_SET = """
UPDATE relay_cursor SET seq = n.seq, partition = n.partition, kafka_offset = n.kafka_offset
FROM unnest(%s::text[], %s::bigint[], %s::int[], %s::bigint[]) AS n(department_id, seq, partition, kafka_offset)
WHERE relay_cursor.department_id = n.department_id
"""

# By the index on the time: a log may reach years back.
REFILL_STARTS = """
SELECT s.department_id, coalesce(young.seq - 1, s.last_seq) AS seq
FROM dept_state s LEFT JOIN (
  SELECT department_id, min(seq) AS seq FROM outbox WHERE at > now() - interval '7 days' GROUP BY department_id
) AS young USING (department_id)
"""


class PostgresEventLog:
    """Reads the log on a connection of its own."""

    def __init__(self, database: str | DatabaseAccess, name: str) -> None:
        self._database = database
        self._name = name
        self._connection: Connection | None = None
        self._epoch = -1
        self._opening = asyncio.Lock()

    async def take_over(self, patience: float = 0.0) -> None:
        """Wait ``patience`` seconds (0: for ever) for the relay lock, and fence off its previous holder.

        Raises:
            LedgerRefused: ``LOCKED``; the lock was not released in time.
        """
        connection = await self._open()
        try:
            await connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(int(patience * 1000))])
            await connection.execute("SELECT pg_advisory_lock(%s)", [_RELAY_LOCK])
            await connection.execute("SET statement_timeout = 10000")
            await connection.execute(_LISTEN)
            row = await connection.row("UPDATE relay_epoch SET epoch = epoch + 1 RETURNING epoch")
        except psycopg.Error as error:
            raise takeover_error(error) from error
        self._epoch = row["epoch"] if row else -1

    async def cursors(self) -> dict[str, Cursor]:
        """Return the last published entry per department."""
        rows = await self._rows("SELECT department_id, seq, partition, kafka_offset FROM relay_cursor", [])
        return {row["department_id"]: Cursor(row["seq"], row["partition"], row["kafka_offset"]) for row in rows}

    async def refill_starts(self) -> dict[str, int]:
        """Return the seq per department after which to publish again if the topic is empty."""
        return {row["department_id"]: row["seq"] for row in await self._rows(REFILL_STARTS, [])}

    async def set_cursors(self, cursors: dict[str, Cursor]) -> None:
        """Store cursors, unless a later relay has taken over."""
        connection = await self._open()
        with as_outage():
            async with connection.transaction():
                # The row lock keeps a later relay from bumping the epoch between the check and the update.
                row = await connection.row("SELECT epoch FROM relay_epoch FOR SHARE")
                if row is None or row["epoch"] != self._epoch:
                    raise Fenced
                values = list(cursors.values())
                columns = [[c.seq for c in values], [c.partition for c in values], [c.offset for c in values]]
                await connection.execute(_SET, [list(cursors), *columns])

    async def unpublished(self, limit: int) -> list[Entry]:
        """Return the next entries per department."""
        positions = {row["department_id"]: row["seq"] for row in await self._rows(_BEHIND, [])}
        if not positions:
            return []
        return await self.since(positions, max(1, min(limit, _MOST_AT_ONCE // len(positions))))

    async def growth(self, seconds: float) -> None:
        """Return when the log has grown, as far as somebody rings, or after so many seconds."""
        connection = await self._open()
        with as_outage():
            async for _ in connection.notifies(timeout=seconds, stop_after=1):
                return

    async def ring(self) -> None:
        """Tell the relay that the log has grown. In a transaction of its own: it would hold up commits of others."""
        await self._rows(_RING, [])

    async def unpublished_for(self) -> float:
        """Return for how many seconds the oldest unpublished entry has waited; 0 if there is none."""
        (row,) = await self._rows(OLDEST_UNPUBLISHED, [])
        return float(row["seconds"])

    async def notify_status(self) -> tuple[bool, bool]:
        """Return whether a notify is connected, and whether anybody is waiting for what it sends."""
        (row,) = await self._rows(_NOTIFY, [NOTIFY])
        return row["is_running"], row["is_needed"]

    async def heads(self) -> dict[str, int]:
        """Return the last seq of every department's log."""
        return {row["department_id"]: row["last_seq"] for row in await self._rows(_ADVANCED, [])}

    async def event_ids(self, positions: Mapping[str, int]) -> dict[str, str]:
        """Return the event id of one entry per department."""
        entries = await self.since({name: seq - 1 for name, seq in positions.items()}, 1) if positions else []
        return {
            entry.department_id: event_id_of(entry.payload)
            for entry in entries
            if entry.seq == positions[entry.department_id]
        }

    async def since(self, positions: Mapping[str, int], limit: int) -> list[Entry]:
        """Return the entries after each department's position, at most ``limit`` per department."""
        rows = await self._rows(_SINCE, [list(positions), list(positions.values()), limit])
        return [Entry(row["department_id"], row["seq"], row["payload"]) for row in rows]

    async def close(self) -> None:
        """Close the connection, which releases the relay lock."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _rows(self, statement: str, values: Values) -> list[dict[str, Any]]:
        """Read rows. A connection that died while idle is replaced once, except a relay's."""
        try:
            return await self._read(statement, values)
        except LedgerDown:
            is_dead = self._connection is not None and (self._connection.closed or self._connection.broken)
            if not is_dead or self._epoch >= 0:
                raise
        return await self._read(statement, values)

    async def _read(self, statement: str, values: Values) -> list[dict[str, Any]]:
        connection = await self._open()
        with as_outage():
            return await connection.rows(statement, values)

    async def _open(self) -> Connection:
        async with self._opening:
            if self._connection is None or self._connection.closed or self._connection.broken:
                if self._connection is not None and self._epoch >= 0:
                    # The lock was lost with the connection; what was read under it must not be trusted.
                    raise LedgerDown
                with as_outage():
                    self._connection = await Connection.open(self._database, self._name, autocommit=True)
            return self._connection
