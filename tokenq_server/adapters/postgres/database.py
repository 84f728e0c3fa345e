"""The pool through which everything but the ledger reads and writes, by SQLAlchemy Core."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.adapters.postgres.network import NETWORK
from tokenq_server.adapters.postgres.schema import UNDEFINED, refuse_other, revision, schema_behind
from tokenq_server.domain.refusals import database_unavailable

_TOO_MUCH = "54"
"""The class of what Postgres says of values that are too large or too deep for it, though it is well."""
_NO_RIGHT = ("25006", "42501")
"""What it says where nothing may be written, or not by this user."""


class Database:
    """Opens short transactions; what the driver says is translated here."""

    def __init__(self, dsn: str, size: int = 8) -> None:
        self._engine = create_async_engine(
            make_url(dsn).set(drivername="postgresql+psycopg"),
            pool_size=size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={**NETWORK, "options": "-c statement_timeout=10000 -c timezone=UTC"},
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits on leaving.

        Raises:
            Refused: ``unavailable`` when Postgres is away, ``exists`` or ``in_use`` on a broken rule.
        """
        try:
            async with self._engine.begin() as connection:
                yield connection
        except IntegrityError as error:
            raise _conflict(error) from error
        except (DataError, UnicodeEncodeError) as error:
            raise _unholdable() from error
        except (InterfaceError, PoolTimeout, OSError) as error:
            raise database_unavailable() from error
        except DBAPIError as error:
            if (refusal := _refusal_of(error)) is None:
                raise
            raise refusal from error

    async def ping(self) -> None:
        """Return if Postgres answers. Raises Refused."""
        async with self.begin() as connection:
            await connection.execute(text("SELECT 1"))

    async def refuse_other_schema(self) -> None:
        """Return if the schema is this release's. Raises Refused."""
        async with self.begin() as connection:
            found = await revision(connection)
        refuse_other(found)

    async def unsafe_settings(self) -> list[str]:
        """Settings under which an acknowledged token could be lost."""
        async with self.begin() as connection:
            rows = await connection.execute(
                text(
                    "SELECT name FROM pg_settings WHERE setting = 'off' "
                    "AND name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
                )
            )
            return [str(row.name) for row in rows]

    async def close(self) -> None:
        """Give the connections back."""
        await self._engine.dispose()


def _unholdable() -> Refused:
    return refuse(StoreReason.UNHOLDABLE_VALUES)


def _refusal_of(error: DBAPIError) -> Refused | None:
    """What Postgres' code for an error means to a caller; ``None``: nothing that is foreseen."""
    state = getattr(error.orig, "sqlstate", None) or ""
    if state.startswith(_TOO_MUCH):
        return _unholdable()
    if state in _NO_RIGHT:
        return refuse(StoreReason.READ_ONLY)
    if state in UNDEFINED:
        return schema_behind()
    return database_unavailable() if isinstance(error, OperationalError) or error.connection_invalidated else None


def _conflict(error: IntegrityError) -> Refused:
    state = getattr(error.orig, "sqlstate", "")
    if state == "23505":
        return refuse(StoreReason.NAME_TAKEN)
    if state == "23503":
        return refuse(StoreReason.STILL_REFERRED_TO)
    return refuse(StoreReason.REFUSED_VALUES)
