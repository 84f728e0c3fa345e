"""A psycopg connection with rows as dictionaries."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.sql import Composed

NETWORK: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
"""Parameters of every connection to Postgres, so that lost packets block nobody for ever.

Seconds, and milliseconds for the last one.
"""

ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
"""At the start of a transaction whose reads must belong together."""

SHORT = "-c statement_timeout=10000 -c timezone=UTC"
"""Session options for short queries."""

Values = Sequence[Any] | Mapping[str, Any]


class Connection(psycopg.AsyncConnection[DictRow]):
    """A connection with three ways to run a statement."""

    @classmethod
    async def open(cls, dsn: str, name: str, *, options: str = "", autocommit: bool = False) -> "Connection":
        """Connect under an application name shown in ``pg_stat_activity``."""
        parameters = {**NETWORK, "options": options} if options else NETWORK
        return await cls.connect(dsn, row_factory=dict_row, application_name=name, autocommit=autocommit, **parameters)

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
