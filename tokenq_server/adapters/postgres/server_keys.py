"""Secrets that all API processes share, made by the first one that needs them."""

from collections.abc import Callable

from tokenq_server.adapters.postgres.database import Database

_READ = "SELECT value FROM server_key WHERE name = %s"
_ADD = "INSERT INTO server_key (name, value) VALUES (%s, %s) ON CONFLICT DO NOTHING"


class PostgresServerKeys:
    """Stores secrets by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def key(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return a secret; the first time, one that ``make`` returns. Raises Refused if the database is unavailable."""
        async with self._database.begin() as connection:
            row = await connection.row(_READ, [name])
            if row is None:
                await connection.execute(_ADD, [name, make()])
                row = await connection.row(_READ, [name])
            return bytes(row["value"]) if row else b""
