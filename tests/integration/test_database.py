"""The connection pool: what it survives, what it isolates, and what driver errors become."""

import asyncio
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest

from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.adapters.postgres import database as module
from tokenq_server.adapters.postgres.connection import Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.pooling import _mode_of
from tokenq_server.adapters.postgres.probe import probe_owner
from tokenq_server.database_access import DatabaseAccess


@pytest.fixture
async def database(fresh_database: Callable[..., str], schema: str) -> AsyncIterator[Database]:
    opened = Database(fresh_database(schema), size=2)
    yield opened
    await opened.close()


async def test_connections_that_died_while_idle_are_replaced(database: Database) -> None:
    """A restart of the server causes no errors afterwards."""
    async with database.begin() as first, database.begin() as second:
        pids = {connection.info.backend_pid for connection in (first, second)}
    async with await psycopg.AsyncConnection.connect(
        DatabaseAccess.of(database._database).url, autocommit=True
    ) as other:
        for pid in pids:
            await other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    async with database.begin() as fresh:
        assert fresh.info.backend_pid not in pids
        assert await fresh.row("SELECT 1 AS one") == {"one": 1}


async def test_a_session_that_ends_while_its_pooling_is_looked_for_is_an_outage(database: Database) -> None:
    """Else a restart of the server would be taken for a pooler in statement mode, which is refused for good."""
    opening = await Connection.open(database._database, "test", autocommit=True)
    async with database.begin() as other, opening as connection:
        await other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            await _mode_of(connection)


async def test_an_unfinished_transaction_leaves_nothing(database: Database) -> None:
    """After an error, or a cancellation in the middle of a statement."""

    async def give_up() -> None:
        async with database.begin() as connection:
            await connection.execute("UPDATE branch SET name = 'gone'")
            await connection.execute("SELECT pg_sleep(60)")

    async def fail() -> None:
        async with database.begin() as connection:
            await connection.execute("UPDATE branch SET name = 'gone'")
            raise ZeroDivisionError

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(give_up(), 0.3)
    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.begin() as first, database.begin() as second:
        for connection in (first, second):
            assert await connection.rows("SELECT name FROM branch WHERE name = 'gone'") == []


async def test_a_pool_without_free_connections_says_when_to_retry(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    async with database.begin(), database.begin():
        with pytest.raises(Refused, check=lambda error: error.problem.code is ProblemCode.OVERLOADED):
            await database.ping()
    await database.ping()


_REFUSED: list[tuple[str, tuple[str, ...], ProblemCode]] = [
    ("INSERT INTO branch (branch_id, name, timezone) VALUES ('main', 'x', 'UTC')", (), ProblemCode.EXISTS),
    ("UPDATE department SET branch_id = 'nowhere'", (), ProblemCode.IN_USE),
    ("UPDATE branch SET rollover_hour = 24", (), ProblemCode.INVALID),
    ("UPDATE branch SET name = %s", ("a\0b",), ProblemCode.INVALID),
    ("UPDATE branch SET name = %s", ("\ud800",), ProblemCode.INVALID),
    ("SELECT %s::json", ("[" * 100_000,), ProblemCode.INVALID),
    ("SELECT * FROM branches", (), ProblemCode.SCHEMA_BEHIND),
    ("SELECT colour FROM branch", (), ProblemCode.SCHEMA_BEHIND),
    ("SET TRANSACTION READ ONLY; DELETE FROM branch", (), ProblemCode.UNAVAILABLE),
    ("SELECT pg_terminate_backend(pg_backend_pid())", (), ProblemCode.UNAVAILABLE),
    ("SET LOCAL statement_timeout = 1; SELECT pg_sleep(5)", (), ProblemCode.UNAVAILABLE),
]


async def test_an_error_of_the_driver_is_a_refusal(database: Database) -> None:
    async with database.begin() as connection:
        await connection.execute(
            "INSERT INTO department (department_id, name, branch_id, prefix, number_format) "
            "VALUES ('CW', 'Cash', 'main', 'CW', '{number}')"
        )
    codes = {}
    for statement, values, _ in _REFUSED:
        with pytest.raises(Refused) as refusal:
            await carry_out(database, statement, values)
        codes[statement, values] = refusal.value.problem.code

    assert codes == {(statement, values): code for statement, values, code in _REFUSED}


async def test_what_the_database_denies_is_logged_in_its_words(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The refusal names no table, since strangers may read it; whoever forgot a privilege must learn which."""
    with pytest.raises(Refused, check=lambda error: error.problem.code is ProblemCode.UNAVAILABLE):
        await carry_out(database, "SELECT * FROM pg_authid", ())
    assert [vars(record)["why"] for record in caplog.records] == ["permission denied for table pg_authid"]


async def carry_out(database: Database, statement: str, values: tuple[str, ...]) -> None:
    async with database.begin() as connection:
        await connection.execute(statement, values or None)


async def test_an_unavailable_server_is_reported_at_once() -> None:
    nobody = Database("postgresql://tokenq@127.0.0.1:1/tokenq", size=1)
    with pytest.raises(Refused, check=lambda error: error.problem.code is ProblemCode.UNAVAILABLE):
        await nobody.ping()


async def test_the_doctor_asks_as_the_tables_owner_too(fresh_database: Callable[..., str], schema: str) -> None:
    """An address that fails at the next migration is found before it."""
    url, setting = fresh_database(schema), "TOKENQ_OWNER_DATABASE_URL"
    assert [(found.name, found.ok) for found in await probe_owner(DatabaseAccess(url))] == [("postgres owner", True)]
    for wrong, seen in {
        f"{url}x": "does not exist",
        "postgresql://tokenq@127.0.0.1:1/tokenq": "does not answer",
    }.items():
        (finding,) = await probe_owner(DatabaseAccess(wrong, setting=setting))
        assert (finding.name, finding.ok) == ("postgres owner", False)
        assert seen in finding.detail
        assert setting in finding.hint
