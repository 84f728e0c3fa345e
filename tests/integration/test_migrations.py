"""The schema: the migrations produce what the code expects and what the golden file shows."""

import os
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from tokenq_server.adapters.postgres import migrate as module
from tokenq_server.adapters.postgres.log_rows import LOG_COLUMNS
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.adapters.postgres.schema import HEAD
from tokenq_server.domain.token import TOKEN_FIELDS

GOLDEN = Path(__file__).parent / "goldens" / "schema.txt"


def test_migrations_make_the_tables_of_the_code(fresh_database: Callable[..., str], schema: str) -> None:
    """A column that only the code or only the database has fails in production."""
    with psycopg.connect(fresh_database(schema)) as connection:
        columns = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
        known = {table: {name for (name,) in connection.execute(columns, [table])} for table in ("token", "outbox")}

    assert known == {"token": set(TOKEN_FIELDS), "outbox": {*LOG_COLUMNS, "is_erased"}}, "only erasing writes that one"


def test_the_schema_is_the_one_that_is_written_down(fresh_database: Callable[..., str], schema: str) -> None:
    """``goldens/schema.txt`` shows the tables; TOKENQ_NEW_GOLDENS=1 rewrites it."""
    with psycopg.connect(fresh_database(schema)) as connection:
        lines = connection.execute(_SCHEMA).fetchall()
    found = "".join(
        f"{table}\n{''.join(f'  {line}' + chr(10) for _, line in rows)}\n"
        for table, rows in groupby(lines, key=lambda line: line[0])
    )
    if os.environ.get("TOKENQ_NEW_GOLDENS"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(found)

    assert found == GOLDEN.read_text()


# Columns in their order, then constraints, indexes and triggers by name.
_SCHEMA = """
WITH relation AS (
  SELECT oid, relname::text AS name, coalesce(array_to_string(reloptions, ', '), '') AS options FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
), line AS (
  SELECT r.name, 1 AS kind, lpad(a.attnum::text, 4) AS rank,
    a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
    || CASE WHEN a.attidentity <> '' THEN ' GENERATED' ELSE '' END
    || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') AS line
  FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
  UNION ALL
  SELECT r.name, 2, conname, conname || ': ' || pg_get_constraintdef(c.oid)
  FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype <> 'n'
  UNION ALL
  SELECT r.name, 3, i.relname, pg_get_indexdef(i.oid)
  FROM relation r JOIN pg_index x ON x.indrelid = r.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid AND c.contype <> 'f')
  UNION ALL
  SELECT r.name, 4, tgname, pg_get_triggerdef(t.oid) FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid
  WHERE NOT t.tgisinternal
  UNION ALL
  SELECT r.name, 5, '', 'WITH ' || options FROM relation r WHERE options <> ''
)
SELECT name, line FROM line ORDER BY name COLLATE "C", kind, rank COLLATE "C"
"""


def test_the_release_knows_its_newest_migration() -> None:
    """A warm start relies on HEAD to skip migrating; it must not lag behind the scripts."""
    scripts = ScriptDirectory(str(Path(module.__file__).with_name("migrations")))

    assert scripts.get_current_head() == HEAD


def test_migrating_twice_changes_nothing(fresh_database: Callable[..., str]) -> None:
    """Every start migrates; only the first one does something."""
    url = fresh_database()

    assert migrate(url) == migrate(url) == HEAD
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM branch")).scalar_one() == 1


def test_a_database_of_the_previous_release_keeps_its_tokens(fresh_database: Callable[..., str]) -> None:
    """Waiting tokens keep their place and number in an upgrade."""
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
