"""A connection to Postgres, as everything here uses it: psycopg, rows as dictionaries."""

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
"""Parameters for every connection to Postgres: a network that swallows packets must not hold anybody for ever.

Seconds, and milliseconds for the last one.
"""

SHORT = "-c statement_timeout=10000 -c timezone=UTC"
"""The session of who asks short questions."""

Values = Sequence[Any] | Mapping[str, Any]


class Connection(psycopg.AsyncConnection[DictRow]):
    """A connection, and the three ways in which it is asked."""

    @classmethod
    async def open(cls, dsn: str, name: str, *, options: str = "", autocommit: bool = False) -> "Connection":
        """Connect under a name that ``pg_stat_activity`` shows."""
        more = {**NETWORK, "options": options} if options else NETWORK
        return await cls.connect(dsn, row_factory=dict_row, application_name=name, autocommit=autocommit, **more)

    @property
    def is_usable(self) -> bool:
        """Whether it is open and between two transactions."""
        if self.closed or self.broken:
            return False
        return self.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    async def rows(self, statement: str | Composed, values: Values = ()) -> list[DictRow]:
        """All rows that a statement answers."""
        return await (await self.execute(statement, values)).fetchall()

    async def row(self, statement: str | Composed, values: Values = ()) -> DictRow | None:
        """The first row, if there is one."""
        return await (await self.execute(statement, values)).fetchone()

    async def change(self, statement: str | Composed, values: Values = ()) -> int:
        """Carry a statement out; answers how many rows it changed."""
        return (await self.execute(statement, values)).rowcount
