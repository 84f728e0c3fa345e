"""The schema: what the migrations make is what the code expects."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from tokenq_server.adapters.postgres import migrate as module
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.adapters.postgres.notification_tables import mail_job
from tokenq_server.adapters.postgres.schema import HEAD


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


def test_a_database_of_the_release_before_keeps_its_tokens(fresh_database: Callable[..., str]) -> None:
    """An upgrade meets people in line: they stay where they are, under their numbers."""
    url = fresh_database()
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).with_name("migrations")))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text(_ONE_IN_LINE))
    migrate(url)
    with engine.connect() as connection:
        row = connection.execute(text("SELECT state, issued_in, near_turn, undo FROM token")).one()
        rules = connection.execute(text("SELECT rules FROM department")).scalar_one()

    assert tuple(row) == ("WAITING", "CW", 0, None)
    assert rules == {"letters": ["issued", "served"]}


_ONE_IN_LINE = """
INSERT INTO department (department_id, name, branch_id, prefix, number_format)
  VALUES ('CW', 'Cash window', 'main', 'CW', '{prefix}-{number:03d}');
INSERT INTO dept_state (department_id, day, last_no, last_seq, waiting_normal) VALUES ('CW', '2026-11-22', 1, 1, 1);
INSERT INTO token (token_id, department_id, branch_id, day, number, display, state, priority, place, original_place,
                   issued_at, waiting_since)
  VALUES (1, 'CW', 'main', '2026-11-22', 1, 'CW-001', 'WAITING', 'normal', 1, 1, now(), now());
"""
