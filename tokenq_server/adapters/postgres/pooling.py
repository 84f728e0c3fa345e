"""Whether a pooler stands between us and PostgreSQL, and whether it lends a session for longer than a transaction.

Locks, timeouts and the read-only mode belong to a session. A pooler in transaction mode lends another session to each
transaction: the relay would wait for a lock that it holds itself.
"""

from enum import StrEnum

from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.database_access import DatabaseAccess

_ROUNDS = 3
_BACKEND = "SELECT pg_backend_pid() AS pid"


class Pooling(StrEnum):
    """Who serves a connection."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


async def pooling(database: str | DatabaseAccess) -> Pooling:
    """Return how connections are pooled. Raises psycopg.Error.

    A pooler gives each client a process id of its own. In transaction mode, two clients that take turns are soon served
    by the same process, or one client by two.
    """
    async with await Connection.open(database, "tokenq-start", autocommit=True) as first:
        server = await _backend(first)
        if server == first.info.backend_pid:
            return Pooling.NONE
        async with await Connection.open(database, "tokenq-start", autocommit=True) as second:
            for _ in range(_ROUNDS):
                if await _backend(second) == server or await _backend(first) != server:
                    return Pooling.TRANSACTION
    return Pooling.SESSION


async def _backend(connection: Connection) -> int:
    row = await connection.row(_BACKEND)
    return int(row["pid"]) if row else 0
