"""PostgreSQL behind PgBouncer (L15): session mode works, the others are refused at the start and said plainly.

With ``TOKENQ_TEST_PGBOUNCER`` the same on another release.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.pgbouncer import running_pgbouncer
from tests.programs import beside, refusal, running_api, start
from tests.servers import Servers
from tests.waiting import until
from tokenq.client import Client
from tokenq_server import doctor
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.adapters.postgres.pooling import Pooling, pooling
from tokenq_server.services.ports import LedgerRefused

pytestmark = pytest.mark.network

Bounce = Callable[..., str]


@pytest.fixture
def bounce(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bounce]:
    """Puts a PgBouncer in front of a database; returns the database's address behind it."""
    with ExitStack() as running:
        yield lambda dsn, mode, size=30: running.enter_context(
            _before(tmp_path_factory.mktemp("pgbouncer"), dsn, mode, size)
        )


@contextmanager
def _before(folder: Path, dsn: str, mode: str, size: int) -> Iterator[str]:
    parts = urlsplit(dsn)
    user, password = str(parts.username), str(parts.password)
    with running_pgbouncer(folder, parts.port or 0, {user: password}, mode, size) as port:
        yield urlunsplit(parts._replace(netloc=f"{user}:{password}@127.0.0.1:{port}"))


def test_a_day_in_session_mode(servers: Servers, bounce: Bounce, tmp_path: Path) -> None:
    """Migration, API, relay and notify, all through it; nothing is lost, and verify agrees."""
    settings = beside(servers, bounce(servers.new_database(), "session")) | {
        "TOKENQ_MIGRATE": "1",
        "TOKENQ_MAIL_OUTBOX": str(tmp_path / "mail"),
        "TOKENQ_KAFKA_EMBEDDED": "1" if servers.has_embedded_broker else "0",
    }
    with running_api(settings, tmp_path) as api, Client(api.url, api.token) as client:
        followers = [start(name, settings) for name in ("relay", "notify")]
        try:
            client.create_department({"name": "Customer window", "departmentId": "BOUNCE"})
            for number in range(30):
                client.issue("BOUNCE", email=f"person{number}@example.org")
            served = [client.serve_next("BOUNCE", "1")["tokenNo"] for _ in range(30)]
            assert served == list(range(1, 31))
            until(lambda: len(list((tmp_path / "mail").glob("*-served.eml"))) == 30, seconds=60)
            until(lambda: client.ready()["status"] == "ready")
            command = [sys.executable, "-m", "tokenq", "verify"]
            done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            for follower in followers:
                follower.terminate()
                follower.wait(15)


@pytest.mark.parametrize(
    ("program", "mode"),
    [("api", "transaction"), ("relay", "transaction"), ("notify", "transaction"), ("api", "statement")],
)
def test_a_program_refuses_a_mode_that_changes_sessions(
    servers: Servers, bounce: Bounce, program: str, mode: str
) -> None:
    dsn = servers.new_database()
    migrate(dsn)
    said = refusal(program, beside(servers, bounce(dsn, mode)))
    assert f"TOKENQ_DATABASE_URL leads to a pooler in {mode} mode" in said
    assert "another session of the database" in said
    assert "pool_mode to session" in said


@pytest.mark.parametrize("program", ["rebuild", "api"])
def test_the_owner_s_address_is_not_pooled_either(servers: Servers, bounce: Bounce, program: str) -> None:
    """A rewind takes the relay's lock as the owner."""
    dsn = servers.new_database()
    migrate(dsn)
    said = refusal(program, beside(servers, dsn) | {"TOKENQ_OWNER_DATABASE_URL": bounce(dsn, "transaction")})
    assert "TOKENQ_OWNER_DATABASE_URL leads to a pooler in transaction mode" in said


def test_migrating_refuses_transaction_mode(servers: Servers, bounce: Bounce) -> None:
    said = refusal("migrate", beside(servers, bounce(servers.new_database(), "transaction")))
    assert "pool_mode to session" in said


@pytest.mark.parametrize("mode", ["session", "transaction", "statement"])
async def test_the_mode_is_found(servers: Servers, bounce: Bounce, mode: str) -> None:
    dsn = servers.new_database()
    migrate(dsn)
    assert await pooling(dsn) is Pooling.NONE
    assert await pooling(bounce(dsn, mode)) is Pooling(mode)


async def test_in_transaction_mode_the_relay_s_lock_is_everybody_s(servers: Servers, bounce: Bounce) -> None:
    """Why it is refused, whatever becomes of prepared statements: two have the lock, and keep it when they are gone."""
    dsn = servers.new_database()
    migrate(dsn)
    behind = bounce(dsn, "transaction", 1)
    for log in (first := PostgresEventLog(behind, "first"), second := PostgresEventLog(behind, "second")):
        await log.take_over(1.0)
    await first.close()
    await second.close()
    third = PostgresEventLog(dsn, "third")
    with pytest.raises(LedgerRefused):
        await third.take_over(1.0)
    await third.close()


def test_the_doctor_names_it(servers: Servers, bounce: Bounce, monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = servers.new_database()
    migrate(dsn)
    for name, value in beside(servers, dsn).items():
        monkeypatch.setenv(name, value)
    for setting in ("TOKENQ_OWNER_DATABASE_URL", "TOKENQ_DATABASE_URL"):
        for mode, is_ok in {"session": True, "transaction": False, "statement": False}.items():
            monkeypatch.setenv(setting, bounce(dsn, mode))
            findings = {finding["name"]: finding for finding in doctor.check()}
            finding = findings["postgres sessions"]
            assert (finding["ok"], f"in {mode} mode" in finding["detail"]) == (is_ok, True)
            assert is_ok or (setting in finding["detail"] and "pool_mode to session" in finding["hint"])
        monkeypatch.delenv(setting)


async def test_a_pool_without_a_free_session_is_an_outage_with_its_reason(
    servers: Servers, bounce: Bounce, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PgBouncer accepts the client and lets it wait for two minutes."""
    monkeypatch.setattr("tokenq_server.adapters.postgres.connection._PATIENCE", 1.0)
    behind = bounce(servers.new_database(), "session", size=1)
    first, second = Database(behind, size=1), Database(behind, size=1)
    await first.ping()
    with pytest.raises(Exception, match="The database is unavailable"):
        await second.ping()
    assert any("no session within 1 seconds" in str(getattr(record, "why", "")) for record in caplog.records)
    await first.close()
    await second.ping()
    await second.close()
