"""Schema migration by Alembic, while the previous release may still be running."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError
from sqlalchemy.pool import NullPool

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.adapters.postgres.connection import parameters
from tokenq_server.adapters.postgres.driver_errors import IN_THE_WAY, READ_ONLY
from tokenq_server.adapters.postgres.grants import grant
from tokenq_server.adapters.postgres.migrations.locks import SHORT_LOCKS
from tokenq_server.adapters.postgres.schema import HEAD, refuse_other
from tokenq_server.database_access import DatabaseAccess
from tokenq_server.domain.refusals import database_unavailable

logger = logging.getLogger(__name__)

_LOCK = 0x6D696772  # "migr"
_TRIES = 60
_PAUSE = 1.0


def migrate(database: str | DatabaseAccess) -> str:
    """Migrate the schema to this release's revision, one process at a time; return the revision.

    The roles of the programs that exist get their privileges.

    Raises:
        Refused: Postgres is unavailable, a table is locked too long, a newer release made the schema, or the user does
            not own the tables.
    """
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _connection(DatabaseAccess.of(database)),
        poolclass=NullPool,
        hide_parameters=True,  # it contains free text
    )
    try:
        with _migration_lock(engine), engine.connect() as connection:
            current = _current(connection)
            connection.commit()
            if current is not None and current > HEAD:
                refuse_other(current)
            if current != HEAD:
                _upgrade(connection)
            grant(connection)
    except (OperationalError, PendingRollbackError) as error:
        raise database_unavailable() from error
    except DBAPIError as error:
        if isinstance(error.orig, READ_ONLY):
            raise database_unavailable() from error
        if isinstance(error.orig, InsufficientPrivilege):
            raise refuse(StoreReason.NOT_THE_OWNER) from error
        raise
    finally:
        engine.dispose()
    return HEAD


def _connection(access: DatabaseAccess) -> psycopg.Connection:
    connection = psycopg.connect(access.url, autocommit=True, **parameters(access))
    connection.execute(SHORT_LOCKS)
    connection.autocommit = False
    return connection


@contextmanager
def _migration_lock(engine: Engine) -> Iterator[None]:
    """Keep other processes from migrating.

    They poll for the lock: waiting inside a statement would block the concurrent build of an index.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_said = False
        while not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar_one():
            if not is_said:
                logger.warning("another process is migrating the schema; waiting for it to finish")
            is_said = True
            time.sleep(0.05)
        yield


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    for _ in range(_TRIES):
        try:
            command.upgrade(config, HEAD)
            connection.commit()
        except OperationalError as error:  # every step of a script may be repeated
            if not isinstance(error.orig, IN_THE_WAY):
                raise
            connection.rollback()
            time.sleep(_PAUSE)
        else:
            return
    raise refuse(StoreReason.TABLE_HELD)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
