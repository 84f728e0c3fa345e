"""The pool through which everything but the ledger and the followers of the log reads and writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from selectors import EVENT_READ, DefaultSelector

import psycopg

from tokenq_server.adapters.postgres.connection import SHORT, Connection
from tokenq_server.adapters.postgres.driver_errors import refusal_of
from tokenq_server.adapters.postgres.schema import refuse_other, revision

_PATIENCE = 5.0
"""Seconds that somebody waits for a connection while all are in use."""

_UNSAFE = """
SELECT name FROM pg_settings
WHERE setting = 'off' AND name IN ('fsync', 'synchronous_commit', 'full_page_writes')
"""


class Database:
    """Opens short transactions on at most ``size`` connections; what the driver says is translated here.

    A connection is opened when somebody needs it, so an outage is told at once and its end is noticed by the next one
    who asks.
    """

    def __init__(self, dsn: str, size: int = 8) -> None:
        self._dsn = dsn
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._is_closed = False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        """A transaction that commits on leaving.

        Raises:
            Refused: ``unavailable`` when Postgres is away, ``exists`` or ``in_use`` on a broken rule.
        """
        try:
            async with self._lent() as connection:
                try:
                    yield connection
                    await connection.commit()
                except BaseException:
                    with suppress(psycopg.Error):
                        await connection.rollback()
                    raise
        except (psycopg.Error, UnicodeEncodeError, OSError) as error:
            if (refusal := refusal_of(error)) is None:
                raise
            raise refusal from error

    async def ping(self) -> None:
        """Return if Postgres answers. Raises Refused."""
        async with self.begin() as connection:
            await connection.execute("SELECT 1")

    async def refuse_other_schema(self) -> None:
        """Return if the schema is this release's. Raises Refused."""
        async with self.begin() as connection:
            found = await revision(connection)
        refuse_other(found)

    async def unsafe_settings(self) -> list[str]:
        """Settings under which an acknowledged token could be lost."""
        async with self.begin() as connection:
            return [row["name"] for row in await connection.rows(_UNSAFE)]

    async def close(self) -> None:
        """Give the connections back; one that is lent goes when it returns."""
        self._is_closed = True
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Connection]:
        try:
            await asyncio.wait_for(self._free.acquire(), _PATIENCE)
        except TimeoutError as error:
            raise psycopg.OperationalError("all connections are in use") from error
        try:
            connection = await self._connection()
            try:
                yield connection
            finally:
                if connection.is_usable and not self._is_closed:
                    self._idle.append(connection)
                else:
                    await connection.close()
        finally:
            self._free.release()

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not _has_something_to_say(connection):
                return connection
            await connection.close()
        return await Connection.open(self._dsn, "tokenq", options=SHORT)


def _has_something_to_say(connection: Connection) -> bool:
    """Whether the server speaks though nobody asked it: it is going, or is gone. Costs no round trip."""
    with DefaultSelector() as selector:
        selector.register(connection.fileno(), EVENT_READ)
        return bool(selector.select(0))
