"""The audit in Postgres."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Self

from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.rows import Row
from tokenq_server.services.audit import AuditEvent, AuditQuery, Occurrences, Origin, StoredEvent, log_event

_FORGOTTEN_AT_ONCE = 5000

_APPEND = """
INSERT INTO audit (at, kind, actor, actor_id, source, target, result, code, detail, request_id, count)
VALUES (coalesce(%(at)s, clock_timestamp()), %(kind)s, %(actor)s, %(actor_id)s, %(source)s, %(target)s, %(result)s,
  %(code)s, %(detail)s, %(request_id)s, %(count)s)
RETURNING audit_id
"""
_REPEATED = """
UPDATE audit SET count = count + %(count)s WHERE audit_id = (
  SELECT audit_id FROM audit
  WHERE at > clock_timestamp() - interval '1 minute' AND kind = %(kind)s AND target = %(target)s
  ORDER BY audit_id DESC LIMIT 1
)
RETURNING count
"""
_COUNT = "UPDATE audit SET count = count + %s WHERE audit_id = %s"
_EVENTS = """
SELECT audit_id, at, kind, actor, actor_id, source, target, result, code, detail, request_id, count FROM audit
WHERE {conditions}
ORDER BY audit_id DESC LIMIT %(limit)s
"""
_CONDITIONS = {
    "first": "at >= %(first)s",
    "end": "at < %(end)s",
    "kind": "kind = %(kind)s",
    "result": "result = %(result)s",
    "actor": "%(actor)s IN (actor, actor_id)",
    "before": "audit_id < %(before)s",
}
_FORGET = "SELECT delete_old_audit(%s, %s) AS count"

Record = Callable[[AuditEvent], None]
"""Adds an event to the current transaction."""


async def append(connection: Connection, event: AuditEvent, at: datetime | None = None, count: int = 1) -> int:
    """Write an event in the current transaction; return its id. It happened now, or ``at``."""
    origin = event.origin
    values = {
        "at": at,
        "kind": str(event.kind),
        "actor": origin.actor,
        "actor_id": origin.actor_id,
        "source": origin.source,
        "target": event.target,
        "result": str(event.result),
        "code": event.code and str(event.code),
        "detail": event.detail,
        "request_id": origin.request_id,
        "count": count,
    }
    (row,) = await connection.rows(_APPEND, values)
    return int(row["audit_id"])


async def append_or_count(connection: Connection, event: AuditEvent, count: int) -> int:
    """Write an event, or count it with the one of its kind and target of the last minute; return its count by now."""
    values = {"kind": str(event.kind), "target": event.target, "count": count}
    if repeated := await connection.row(_REPEATED, values):
        return int(repeated["count"])
    await append(connection, event, count=count)
    return count


class CountedEvent:
    """One event that counts what all the transactions of a run do, and is logged at its end, even if one of them fails.

    As a context manager it is a run.
    """

    def __init__(self, event: AuditEvent) -> None:
        self._event = event
        self._audit_id: int | None = None
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._count:
            log_event(self._event, self._count)

    @asynccontextmanager
    async def begin(self, database: Database) -> AsyncIterator[Connection]:
        """Open a transaction of the run; what it added counts once it is committed. Raises Refused."""
        before = self._audit_id, self._count
        try:
            async with database.begin() as connection:
                yield connection
        except BaseException:
            self._audit_id, self._count = before
            raise

    async def add(self, connection: Connection, count: int) -> None:
        """Count what this transaction does."""
        if not count:
            return
        if self._audit_id is None:
            self._audit_id = await append(connection, self._event, count=count)
        else:
            await connection.execute(_COUNT, [count, self._audit_id])
        self._count += count


@asynccontextmanager
async def recorded(database: Database) -> AsyncIterator[tuple[Connection, Record]]:
    """Open a transaction and a function that records events in it; once it is committed, they are logged, too.

    Raises:
        Refused: as :meth:`Database.begin`. Then neither the change nor its events are stored.
    """
    events: list[AuditEvent] = []
    async with database.begin() as connection:
        yield connection, events.append
        for event in events:
            await append(connection, event)
    for event in events:
        log_event(event)


class PostgresAudit:
    """Stores refusals and reads the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, refusals: Sequence[Occurrences]) -> list[int]:
        """Store refusals, and count their repeats, in one transaction."""
        ids = []
        async with self._database.begin() as connection:
            for each in refusals:
                if each.audit_id is None:
                    ids.append(await append(connection, each.event, each.at, each.count))
                else:
                    await connection.execute(_COUNT, [each.count, each.audit_id])
                    ids.append(each.audit_id)
        return ids

    async def events(self, query: AuditQuery) -> list[StoredEvent]:
        """Return events, newest first."""
        async with self._database.begin() as connection:
            return [_stored(row) for row in await connection.rows(*select_events(query))]

    async def forget(self, days: int) -> bool:
        """Delete the oldest of the events that are older than this, in small portions."""
        async with self._database.begin() as connection:
            (row,) = await connection.rows(_FORGET, [days, _FORGOTTEN_AT_ONCE])
            return bool(row["count"] == _FORGOTTEN_AT_ONCE)


def select_events(query: AuditQuery) -> tuple[str, dict[str, Any]]:
    """Return the statement and its values. It has only the given conditions, so that it can use their indexes."""
    values = {**vars(query), "kind": query.kind and str(query.kind), "result": query.result and str(query.result)}
    given = [condition for name, condition in _CONDITIONS.items() if values[name] is not None]
    return _EVENTS.format(conditions=" AND ".join(given) or "true"), values


def _stored(row: Row) -> StoredEvent:
    origin = Origin(row["actor"], row["actor_id"], row["source"], row["request_id"])
    return StoredEvent(origin=origin, **{name: value for name, value in row.items() if name not in vars(origin)})
