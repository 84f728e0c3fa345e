"""A psycopg connection with rows as dictionaries."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg.sql import Composed

from tokenq_server.database_access import DatabaseAccess

_NETWORK: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
"""So that lost packets block nobody for ever: seconds, and milliseconds for the last one."""

ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
"""At the start of a transaction whose reads must belong together."""

BY_INDEX = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
"""For those who only look up rows that have an index. Of a few rows given as arrays or JSON, the planner expects a
hundred, and would read whole tables for them."""

SHORT = "SET statement_timeout = '10s'; SET TIME ZONE 'UTC'"
"""Settings of a session for short queries."""

_PATIENCE = 10.0
"""Seconds in which a session must be there: a pooler accepts clients even if it has no session left."""

Values = Sequence[Any] | Mapping[str, Any]


def parameters(database: DatabaseAccess) -> dict[str, Any]:
    """Return the parameters of every connection.

    These are time limits, when statements are prepared and, of several hosts, the one that may be written to.
    """
    usual = {**_NETWORK, "prepare_threshold": database.prepare_threshold}
    given = conninfo_to_dict(database.url)
    has_one = "target_session_attrs" in given or "," not in str(given.get("host", ""))
    return usual if has_one else {**usual, "target_session_attrs": "read-write"}


class Connection(psycopg.AsyncConnection[DictRow]):
    """A connection with three ways to run a statement."""

    @classmethod
    async def open(
        cls, database: str | DatabaseAccess, name: str, *, session: str = SHORT, autocommit: bool = False
    ) -> "Connection":
        """Connect under an application name shown in ``pg_stat_activity``.

        ``session`` are statements that set up the session; as startup options, poolers would refuse them.

        Raises:
            psycopg.OperationalError: there is no server, or no session within ten seconds.
        """
        access = DatabaseAccess.of(database)
        opened: Connection | None = None
        try:
            async with asyncio.timeout(_PATIENCE):
                opened = await cls.connect(
                    access.url, row_factory=dict_row, application_name=name, autocommit=True, **parameters(access)
                )
                await opened.execute(session)
                await opened.set_autocommit(autocommit)
        except BaseException as error:
            if opened is not None:
                await opened.close()
            if isinstance(error, TimeoutError):
                raise psycopg.OperationalError(f"no session within {_PATIENCE:.0f} seconds") from None
            raise
        return opened

    @property
    def is_usable(self) -> bool:
        """Whether it is open and outside a transaction."""
        if self.closed or self.broken:
            return False
        return self.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    async def rows(self, statement: str | Composed, values: Values = ()) -> list[DictRow]:
        """Return all rows of a statement."""
        return await (await self.execute(statement, values)).fetchall()

    async def row(self, statement: str | Composed, values: Values = ()) -> DictRow | None:
        """Return the first row, if there is one."""
        return await (await self.execute(statement, values)).fetchone()

    async def change(self, statement: str | Composed, values: Values = ()) -> int:
        """Execute a statement; return how many rows it changed."""
        return (await self.execute(statement, values)).rowcount
