"""From the previous release to this one, with a day's data in the database and sessions at work."""

import asyncio
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.chaos.checker import check
from tests.servers import Servers
from tests.waiting import until
from tests.without_http import open_core
from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.adapters.postgres import migrate as module
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.adapters.postgres.schema import HEAD
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.embedded.programs import program
from tokenq_server.services.verification.verifier import Verifier

_THE_RELEASE_BEFORE = Path(__file__).with_name("release_0001.sql")


@pytest.fixture
def old(fresh_database: Callable[..., str]) -> str:
    """A database as left by the previous release at the end of a day."""
    url = fresh_database()
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.begin() as connection:
        config = scripts(connection)
        command.upgrade(config, "0001")
    with psycopg.connect(url, autocommit=True) as filling:
        filling.execute(_THE_RELEASE_BEFORE.read_bytes())
    return url


def scripts(connection: Connection) -> Config:
    """Alembic's configuration for that connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def rows(url: str, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
    """Query or change the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


async def test_a_day_of_the_previous_release_continues(old: str, servers: Servers) -> None:
    """Waiting tokens are called, those at counters are served, and every rule holds across both releases."""
    before = rows(old, "SELECT token_id, state, display FROM token ORDER BY token_id")
    letters = rows(old, "SELECT department_id, seq, kind, state FROM mail_job ORDER BY 1, 2, 3")
    await asyncio.to_thread(migrate, old)

    assert rows(old, "SELECT token_id, state, display FROM token ORDER BY token_id") == before
    assert rows(old, "SELECT department_id, seq, kind, state FROM mail_job ORDER BY 1, 2, 3") == letters
    assert rows(old, "SELECT count(*) FROM token WHERE issued_in <> department_id") == [(0,)]
    async with open_core(old, servers.redis_url.replace("/0", "/12")) as core:
        for name in ("CW", "HR"):
            await core.issue(name, 2)
            await core.serve(name, f"new {name}")
    report = await asyncio.to_thread(check, None, old)
    assert report.red == {}, report
    assert rows(old, "SELECT count(*) FROM outbox WHERE event_type = 'TOKEN_SERVED'") == [(23,)]


_OLD_INSERT = """
INSERT INTO token (token_id, department_id, branch_id, day, number, display, state, priority, place, original_place,
                   issued_at, waiting_since, called_at)
SELECT n, 'CW', 'main', '2020-01-01', n, 'CW-1', 'NO_SHOW', 'normal', n, n, now(), now(), now()
FROM generate_series(%s::int, %s::int) n
"""


def test_the_previous_release_writes_while_it_is_migrated(old: str) -> None:
    """Its statements work before, during and after; nothing they wrote is incomplete."""
    rows(old, _OLD_INSERT, 10_000, 40_000)
    is_over = threading.Event()
    failures: list[Exception] = []
    written: list[int] = []

    def write() -> None:
        number = 50_000
        while not is_over.is_set():
            number += 1
            try:
                rows(old, _OLD_INSERT, number, number)
                rows(old, "UPDATE token SET place = place + 1 WHERE token_id = %s", number - 20_000)
                written.append(number)
            except psycopg.Error as error:
                failures.append(error)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        until(lambda: written)
        migrate(old)
        after = len(written)
        until(lambda: len(written) > after)
    finally:
        is_over.set()
        writer.join()

    assert failures == []
    assert rows(old, "SELECT count(*) FROM token WHERE issued_in IS NULL") == [(0,)]
    assert rows(old, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


async def test_verify_says_what_to_do_about_an_older_schema(old: str, fresh_database: Callable[..., str]) -> None:
    """Missing columns or tables give a sentence and a code."""
    for url, said in ((old, "schema is 0001"), (fresh_database(), "lacks tables")):
        with pytest.raises(Refused, match=said) as refused:
            await Verifier(PostgresSnapshots(url), None, None).run()
        assert refused.value.problem.code is ProblemCode.SCHEMA_BEHIND


def test_a_long_transaction_blocks_no_one(old: str) -> None:
    """The migration retries; meanwhile others can use the table, since it does not queue before them."""
    engine = create_engine(make_url(old).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as holder, ThreadPoolExecutor() as pool:
        holder.execute(text("SELECT count(*) FROM token"))  # and leaves the transaction open
        done = pool.submit(migrate, old)
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'token'::regclass"
        until(lambda: rows(old, waiting))
        until(lambda: rows(old, "SELECT count(*) FROM token") and not rows(old, waiting))
        assert not done.done()
        holder.rollback()

        assert done.result() == HEAD


def test_a_failed_index_build_keeps_the_lock_timeout(old: str) -> None:
    """The next attempt must not wait for a table forever and block everyone else."""
    url = make_url(old).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool, connect_args={"options": "-c lock_timeout=2s"})
    with engine.connect() as connection, psycopg.connect(old) as holder, ThreadPoolExecutor() as pool:
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT 1")  # an index build waits for such a snapshot to end
        done = pool.submit(command.upgrade, scripts(connection), HEAD)
        until(lambda: rows(old, _CANCEL_BUILDING))
        with pytest.raises(OperationalError):
            done.result()
        connection.rollback()

        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "2s"


_CANCEL_BUILDING = """
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'CREATE % INDEX CONCURRENTLY%' AND state = 'active'
"""


def test_a_locked_token_is_retried_with_pauses(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round scans all tokens, so there must be a pause between them."""
    engine = create_engine(make_url(old).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    rounds: list[str] = []
    with engine.connect() as connection, psycopg.connect(old) as holder:

        def hold(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
            if "WITH piece" in statement:
                if not rounds:
                    holder.execute("SELECT 1 FROM token ORDER BY token_id LIMIT 1 FOR UPDATE")
                rounds.append(statement)
                assert len(rounds) < 50, "it does not pause"

        event.listen(engine, "before_cursor_execute", hold)
        monkeypatch.setattr(time, "sleep", lambda seconds: holder.rollback())
        command.upgrade(scripts(connection), HEAD)

    assert rows(old, "SELECT count(*) FROM token WHERE issued_in IS NULL") == [(0,)]


def test_a_department_created_by_the_previous_release_sends_its_two_e_mails(old: str) -> None:
    """However late it is created: that release knows no others."""
    migrate(old)
    rows(old, _OLD_DEPARTMENT)

    assert rows(old, "SELECT DISTINCT rules FROM department") == [({"letters": ["issued", "served"]},)]


_OLD_DEPARTMENT = """
INSERT INTO department (department_id, name, branch_id, prefix, number_format)
VALUES ('LATE', 'Late', 'main', 'L', '{number}')
"""


_OLD_LETTER = """
INSERT INTO mail_job (department_id, seq, kind, token_id, recipient, event)
VALUES ('CW', 10000, 'issued', 1, 'ada@example.com', '{}') ON CONFLICT DO NOTHING
"""
_OLD_DEAD_LETTER = """
INSERT INTO mail_dlq (reason, error, department_id, seq, kind) VALUES ('not sent', '550', 'CW', 10000, 'issued')
"""


def test_what_the_previous_release_queues_is_e_mail(old: str) -> None:
    """Once, however often its record comes; next to it is the same notification in another channel."""
    migrate(old)
    for statement in (_OLD_LETTER, _OLD_LETTER, _OLD_DEAD_LETTER):
        rows(old, statement)
    rows(old, 'INSERT INTO mail_job SELECT (jsonb_populate_record(j, \'{"channel": "webhook"}\')).* FROM mail_job j')

    assert rows(old, "SELECT channel FROM mail_job WHERE seq = 10000 ORDER BY 1") == [("email",), ("webhook",)]
    assert rows(old, "SELECT channel FROM mail_dlq WHERE seq = 10000") == [("email",)]
    assert rows(old, "SELECT count(*) FROM pg_constraint WHERE NOT convalidated") == [(0,)]


def test_a_notify_of_the_previous_release_is_never_the_victim_of_a_deadlock(old: str) -> None:
    """It holds one table and waits for the other, which the migration has: the migration gives up."""
    engine = create_engine(make_url(old).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        command.upgrade(scripts(connection), "0003")
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'mail_job'::regclass"
    connected = psycopg.connect
    with connected(old) as notify, connected(old) as reader, connected(old) as holder, ThreadPoolExecutor() as pool:
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT 1")  # the index build waits for such a snapshot to end
        migrated = pool.submit(migrate, old)
        until(lambda: rows(old, "SELECT to_regclass('mail_job_with_channel')") != [(None,)])
        notify.execute("UPDATE mail_dlq SET state = 'retried'")
        reader.execute("LOCK TABLE mail_job IN ACCESS SHARE MODE")
        holder.commit()
        until(lambda: rows(old, waiting) == [(1,)])
        updated = pool.submit(notify.execute, "UPDATE mail_job SET attempts = 0")
        until(lambda: updated.done() or rows(old, waiting) == [(2,)])
        reader.commit()
        updated.result()
        notify.commit()

        assert migrated.result() == HEAD


def test_a_letter_can_be_overtaken_and_in_no_unknown_state(old: str) -> None:
    """Also if the step is repeated; nothing that the previous release left is touched."""
    letters = rows(old, "SELECT department_id, seq, kind, state FROM mail_job ORDER BY 1, 2, 3")
    migrate(old)
    rows(old, "UPDATE alembic_version SET version_num = '0004'")
    migrate(old)

    assert rows(old, "SELECT department_id, seq, kind, state FROM mail_job ORDER BY 1, 2, 3") == letters
    assert rows(old, "SELECT count(*) FROM pg_constraint WHERE NOT convalidated") == [(0,)]
    rows(old, "UPDATE mail_job SET state = 'overtaken' WHERE state = 'due'")
    with pytest.raises(psycopg.errors.CheckViolation):
        rows(old, "UPDATE mail_job SET state = 'lost'")


def test_there_is_no_downgrade(old: str) -> None:
    """A downgrade is refused in one sentence, and trying loses nothing."""
    migrate(old)
    engine = create_engine(make_url(old).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection, pytest.raises(RuntimeError, match="restore the back-up"):
        command.downgrade(scripts(connection), "0001")

    assert rows(old, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert rows(old, "SELECT count(*) FROM token") == [(46,)]


@pytest.mark.parametrize("name", ["api", "relay", "notify", "rebuild"])
@pytest.mark.parametrize("found", ["none", "0001", "9999"])
def test_a_program_does_not_start_on_another_schema(
    name: str, found: str, fresh_database: Callable[..., str], schema: str, servers: Servers, tmp_path: Path
) -> None:
    """One sentence, a hint and exit code 1; no traceback and no endless loop."""
    url = fresh_database() if found == "none" else fresh_database(schema)
    if found != "none":
        rows(url, "UPDATE alembic_version SET version_num = %s", found)
    settings = {
        "TOKENQ_ENV": "development",
        "TOKENQ_DATABASE_URL": url,
        "TOKENQ_REDIS_URL": servers.redis_url,
        "TOKENQ_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
        "TOKENQ_MAIL_OUTBOX": str(tmp_path / "mail"),
        "TOKENQ_PORT": "0",
    }
    started = program("tokenq_server", [name], tmp_path / "log", settings, [])
    done = subprocess.run(
        started.argv, env=started.environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert ("newer release" if found == "9999" else "migrate the database") in done.stderr


def test_migrating_refuses_the_tables_of_a_newer_release(fresh_database: Callable[..., str], schema: str) -> None:
    """It has no script for it, and must not guess."""
    url = fresh_database(schema)
    rows(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused) as caught:
        migrate(url)

    assert caught.value.problem.code is ProblemCode.SCHEMA_AHEAD
