"""The connection pool for everything but the ledger and the followers of the log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from selectors import EVENT_READ, DefaultSelector

import psycopg

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import RequestReason, SettingReason
from tokenq_server.adapters.postgres.connection import SHORT, Connection
from tokenq_server.adapters.postgres.driver_errors import refusal_of
from tokenq_server.adapters.postgres.pooling import pooling
from tokenq_server.adapters.postgres.schema import refuse_other, revision
from tokenq_server.database_access import DatabaseAccess

_PATIENCE = 5.0
"""Seconds to wait for a connection while all are in use."""

_UNSAFE = """
SELECT name FROM pg_settings
WHERE setting = 'off' AND name IN ('fsync', 'synchronous_commit', 'full_page_writes')
"""


class Database:
    """Runs short transactions on at most ``size`` connections, and translates driver errors.

    ``name`` is what the server calls them, ``session`` the statements that set them up.

    Connections are opened on demand, so that an outage is reported at once and its end is noticed by the next request.
    """

    def __init__(
        self, database: str | DatabaseAccess, size: int = 8, name: str = "tokenq", session: str = SHORT
    ) -> None:
        self._database, self._name, self._session = database, name, session
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._is_closed = False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        """Open a transaction that commits on exit.

        Raises:
            Refused: ``unavailable`` if Postgres is unavailable, ``overloaded`` if all connections stay in use,
                ``exists`` or ``in_use`` if a constraint is violated.
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
            current = await revision(connection)
        refuse_other(current)

    async def refuse_changing_sessions(self) -> None:
        """Return if each connection has a session of its own. Raises Refused."""
        try:
            found = await pooling(self._database)
        except (psycopg.Error, OSError) as error:
            if (refusal := refusal_of(error)) is None:
                raise
            raise refusal from error
        if found.changes_sessions:
            setting = DatabaseAccess.of(self._database).setting
            raise refuse(SettingReason.SESSIONS_CHANGE, name=setting, mode=str(found))

    async def is_protected(self) -> bool:
        """Return whether it knows who we are: by password, certificate or socket. Raises Refused."""
        async with self.begin() as connection:
            session = connection.pgconn
            by_socket = connection.info.host.startswith("/") or not connection.info.host
            return session.used_password or session.used_gssapi or by_socket or bool(_certificate(connection))

    async def unsafe_settings(self) -> list[str]:
        """Return settings under which an acknowledged token could be lost."""
        async with self.begin() as connection:
            return [row["name"] for row in await connection.rows(_UNSAFE)]

    async def close(self) -> None:
        """Close the connections; one that is in use is closed on return."""
        self._is_closed = True
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Connection]:
        try:
            await asyncio.wait_for(self._free.acquire(), _PATIENCE)
        except TimeoutError as error:
            raise refuse(RequestReason.OVERLOADED, {"retryAfter": 1}) from error
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
            if not _has_unsolicited_data(connection):
                return connection
            await connection.close()
        return await Connection.open(self._database, self._name, session=self._session)


def _certificate(connection: Connection) -> str:
    return str(connection.info.get_parameters().get("sslcert", ""))


def _has_unsolicited_data(connection: Connection) -> bool:
    """Whether the server has sent something unasked: it is shutting down, or gone. Costs no round trip."""
    with DefaultSelector() as selector:
        selector.register(connection.fileno(), EVENT_READ)
        return bool(selector.select(0))
