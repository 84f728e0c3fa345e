"""The schema: what the migrations make is what the code expects."""

from collections.abc import Callable
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from tokenq_server.adapters.postgres import migrate as module
from tokenq_server.adapters.postgres.mail_tables import mail_job
from tokenq_server.adapters.postgres.migrate import HEAD, migrate


def test_migrations_make_the_tables_of_the_code(fresh_database: Callable[..., str]) -> None:
    """A column that only the code or only the database knows is a failure at night."""
    url = fresh_database()
    migrate(url)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), mail_job.metadata)

    assert differences == []


def test_the_release_knows_its_newest_migration() -> None:
    """HEAD decides on a warm start that nothing is to be done; it must not lag behind the scripts."""
    scripts = ScriptDirectory(str(Path(module.__file__).with_name("migrations")))

    assert scripts.get_current_head() == HEAD


def test_migrating_twice_changes_nothing(fresh_database: Callable[..., str]) -> None:
    """Every start migrates; only the first one does something."""
    url = fresh_database()

    assert migrate(url) == migrate(url) == HEAD
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM branch")).scalar_one() == 1
