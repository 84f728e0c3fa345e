"""The logs of PostgreSQL and of the programs name nobody: they would outlive the erasure of a person."""

import logging
import re
import secrets
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.servers import Servers
from tokenq_server.embedded.postgres import PRIVATE_LOG
from tokenq_server.logs import JsonLines, TextLines

MANUAL = Path(__file__).parents[2] / "docs" / "own-stores.md"


def test_what_the_database_refuses_is_logged_without_values(servers: Servers) -> None:
    """Row 65, of the database's log: rows, statements and parameters of every kind of error."""
    name = f"canary.{secrets.token_hex(6)}"
    dsn = servers.new_database()
    errors = [
        ("INSERT INTO person VALUES (%s)", psycopg.errors.UniqueViolation),
        ("INSERT INTO visit VALUES (%s || 'x')", psycopg.errors.ForeignKeyViolation),
        ("INSERT INTO person VALUES (%s || repeat('x', 40))", psycopg.errors.CheckViolation),
        ("UPDATE person SET name = NULL WHERE name = %s", psycopg.errors.NotNullViolation),
        ("SELECT 1 / length(%s || 'x') - 0 / 0", psycopg.errors.DivisionByZero),
        ("SELECT (%s || '{')::json", psycopg.errors.InvalidTextRepresentation),
        ("DO $$ BEGIN PERFORM %s; RAISE 'no'; END $$", psycopg.errors.RaiseException),
    ]
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE person (name text PRIMARY KEY CHECK (length(name) < 40))")
        connection.execute("CREATE TABLE visit (name text REFERENCES person)")
        connection.execute("INSERT INTO person VALUES (%s)", [name])
        for statement, error in errors:
            for cursor in (psycopg.Cursor(connection), psycopg.ClientCursor(connection)):
                if statement.startswith("DO") and not isinstance(cursor, psycopg.ClientCursor):
                    continue  # it takes no parameters
                with pytest.raises(error):
                    cursor.execute(statement, [name])
    servers.drop_database(dsn)
    log = servers.postgres.server.log.read_text()
    assert "duplicate key" in log, "that something failed is still said"
    assert name not in log


def test_a_refused_role_leaves_no_password_in_the_log(servers: Servers) -> None:
    password = secrets.token_urlsafe(12)
    with psycopg.connect(servers.admin_url) as connection, pytest.raises(psycopg.errors.DuplicateObject):
        connection.execute(f"CREATE ROLE tokenq LOGIN PASSWORD '{password}'")  # type: ignore[call-overload]
    assert password not in servers.postgres.server.log.read_text()


def test_the_advice_for_own_servers_is_what_up_does(servers: Servers) -> None:
    """It works as it is written, and for every session in that database."""
    advice = re.findall(r"^(ALTER DATABASE tokenq SET (\w+) = ([\w-]+);)$", MANUAL.read_text(), re.MULTILINE)
    assert {name: value for _, name, value in advice} == dict(PRIVATE_LOG)
    dsn = servers.new_database()
    database = dsn.rpartition("/")[2]
    for statement, _, _ in advice:
        servers.psql(statement.replace("tokenq", database))
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        rows = connection.execute("SELECT name, setting FROM pg_settings WHERE source = 'database'").fetchall()
    assert {row["name"]: row["setting"] for row in rows} == dict(PRIVATE_LOG)
    servers.drop_database(dsn)


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()], ids=["json", "text"])
def test_a_traceback_of_a_database_s_error_has_no_values(servers: Servers, formatter: logging.Formatter) -> None:
    """Row 65, of the programs' own logs; an error that nobody foresaw is still told with its place and its kind."""
    name = f"canary.{secrets.token_hex(6)}\n\nx\n"
    dsn = servers.new_database()
    try:
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE TABLE person (name text PRIMARY KEY)")
            connection.execute("INSERT INTO person VALUES (%s)", [name])
            try:
                connection.execute("INSERT INTO person VALUES (%s)", [name])
            except psycopg.Error as error:
                raise RuntimeError("not foreseen") from error
    except RuntimeError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "failed", None, sys.exc_info())
    servers.drop_database(dsn)
    line = formatter.format(record)
    assert name.strip().partition("\n")[0] not in line
    assert "UniqueViolation" in line
    assert "duplicate key" in line
    assert "RuntimeError: not foreseen" in line
