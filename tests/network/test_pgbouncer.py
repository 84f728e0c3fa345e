"""PostgreSQL behind PgBouncer (L15): session mode works, transaction mode is refused at the start and said plainly."""

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
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.adapters.postgres.pooling import Pooling, pooling

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


@pytest.mark.parametrize("program", ["api", "relay", "notify"])
def test_a_program_refuses_transaction_mode(servers: Servers, bounce: Bounce, program: str) -> None:
    dsn = servers.new_database()
    migrate(dsn)
    said = refusal(program, beside(servers, bounce(dsn, "transaction")))
    assert "another session of the database" in said
    assert "pool_mode to session" in said


def test_migrating_refuses_transaction_mode(servers: Servers, bounce: Bounce) -> None:
    said = refusal("migrate", beside(servers, bounce(servers.new_database(), "transaction")))
    assert "pool_mode to session" in said


@pytest.mark.parametrize("mode", ["session", "transaction", "statement"])
async def test_the_mode_is_found_and_the_doctor_says_it(
    servers: Servers, bounce: Bounce, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = servers.new_database()
    migrate(dsn)
    assert await pooling(dsn) is Pooling.NONE
    behind = bounce(dsn, mode)
    assert await pooling(behind) is (Pooling.SESSION if mode == "session" else Pooling.TRANSACTION)


def test_the_doctor_names_it(servers: Servers, bounce: Bounce, monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = servers.new_database()
    migrate(dsn)
    for mode, is_ok in {"session": True, "transaction": False}.items():
        for name, value in beside(servers, bounce(dsn, mode)).items():
            monkeypatch.setenv(name, value)
        (finding,) = [finding for finding in doctor.check() if finding["name"] == "postgres sessions"]
        assert (finding["ok"], mode in str(finding["detail"])) == (is_ok, True)


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
