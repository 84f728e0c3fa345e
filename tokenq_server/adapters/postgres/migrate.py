"""Bringing the schema up to date, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tokenq_server.adapters.postgres.database import unavailable

HEAD = "0002"
"""The revision this release works with; a test compares it with the newest script."""

_LOCK = 0x6D696772  # "migr"


def migrate(dsn: str) -> str:
    """Bring the schema to this release's revision, one process at a time; answers the revision.

    Raises:
        Refused: Postgres is away.
    """
    engine = create_engine(make_url(dsn).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            if _current(connection) != HEAD:
                config = Config()
                config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
                config.attributes["connection"] = connection
                connection.commit()
                command.upgrade(config, HEAD)
            connection.commit()
    except OperationalError as error:
        raise unavailable() from error
    finally:
        engine.dispose()
    return HEAD


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
