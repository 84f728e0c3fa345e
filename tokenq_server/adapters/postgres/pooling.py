"""Whether a pooler stands between us and PostgreSQL, and whether it lends a session for longer than a transaction.

Locks and timeouts belong to a session. A pooler in transaction mode lends another session to each transaction, even if
it moves prepared statements along: two relays would hold the same lock, and one that is long gone would keep it.
"""

from enum import StrEnum

from psycopg.errors import ProtocolViolation

from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.database_access import DatabaseAccess

_ROUNDS = 3
_BACKEND = "SELECT pg_backend_pid() AS pid"


class Pooling(StrEnum):
    """Who serves a connection."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"
    STATEMENT = "statement"

    @property
    def changes_sessions(self) -> bool:
        """Whether a connection has another session after a transaction."""
        return self in (Pooling.TRANSACTION, Pooling.STATEMENT)


async def pooling(database: str | DatabaseAccess) -> Pooling:
    """Return how connections are pooled. Raises psycopg.Error.

    A pooler gives each client a process id of its own. If it changes sessions, two clients that take turns are soon
    served by the same process, or one client by two.
    """
    async with await Connection.open(database, "tokenq-start", autocommit=True) as first:
        server = await _backend(first)
        if server == first.info.backend_pid:
            return Pooling.NONE
        async with await Connection.open(database, "tokenq-start", autocommit=True) as second:
            for _ in range(_ROUNDS):
                if await _backend(second) == server or await _backend(first) != server:
                    return await _mode_of(first)
    return Pooling.SESSION


async def _mode_of(connection: Connection) -> Pooling:
    """Tell the modes that change sessions apart: one of them refuses transactions, and closes the connection.

    Raises psycopg.Error: an outage.
    """
    try:
        async with connection.transaction():
            return Pooling.TRANSACTION
    except ProtocolViolation:
        await connection.close()
        return Pooling.STATEMENT


async def _backend(connection: Connection) -> int:
    row = await connection.row(_BACKEND)
    return int(row["pid"]) if row else 0
