"""What operators rely on: doctor, rebuild, readiness, and an orderly stop."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from tests.mail import mail_server
from tests.programs import Api, beside, refusal, running_api
from tests.servers import Servers
from tests.waiting import until
from tests.without_http import Core
from tokenq.contract.enums import Role
from tokenq_server import doctor
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.adapters.postgres.schema import HEAD
from tokenq_server.api.app import create_app
from tokenq_server.bootstrap import open_recovery
from tokenq_server.destinations import MailServer
from tokenq_server.recovery.rebuild import rebuild_lines
from tokenq_server.services.people import hash_of
from tokenq_server.settings import ServerSettings, load


@pytest.fixture
def settings(servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Set the server's environment for a database."""

    def choose(dsn: str) -> None:
        monkeypatch.setenv("TOKENQ_DATABASE_URL", dsn)
        monkeypatch.setenv("TOKENQ_REDIS_URL", servers.redis_url)
        monkeypatch.setenv("TOKENQ_KAFKA_BOOTSTRAP", servers.kafka_bootstrap)
        monkeypatch.setenv("TOKENQ_DATA_DIR", str(tmp_path))

    return choose


def found(name: str) -> dict[str, object]:
    """One finding of the doctor."""
    return next(finding for finding in doctor.check() if finding["name"] == name)


def test_the_doctor_reports_nothing_when_all_is_well(schema: str, settings: Callable[[str], None]) -> None:
    """No false alarm at three in the morning."""
    settings(schema)

    assert [finding for finding in doctor.check() if not finding["ok"]] == []


def test_the_doctor_names_what_is_wrong_and_how_to_fix_it(
    fresh_database: Callable[..., str], settings: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each failure has a hint that names the setting or the command."""
    settings(fresh_database())
    assert "migrate the database" in str(found("postgres schema")["hint"])
    monkeypatch.setenv("TOKENQ_REDIS_URL", "redis://127.0.0.1:1/0")
    assert "TOKENQ_REDIS_URL" in str(found("redis")["hint"])
    monkeypatch.setenv("TOKENQ_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    assert "TOKENQ_DATABASE_URL" in str(found("postgres")["hint"])
    monkeypatch.setenv("TOKENQ_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    assert "TOKENQ_KAFKA_BOOTSTRAP" in str(found("kafka")["hint"])
    monkeypatch.setenv("TOKENQ_SMTP_URL", "mail.example.com")
    assert "smtp://" in str(found("mail")["hint"])
    monkeypatch.setenv("TOKENQ_PORT", "many")
    assert "TOKENQ_PORT" in str(found("server settings")["detail"])


def test_the_doctor_says_why_the_database_cannot_be_reached(
    schema: str, settings: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong password has another fix than a server that is down."""
    settings(schema)
    parts = urlsplit(schema)
    at = f"{parts.hostname}:{parts.port}"
    for url, said in {
        f"postgresql://{parts.username}:wrong@{at}{parts.path}": "password authentication failed",
        f"postgresql://{parts.username}:{parts.password}@{at}/nowhere": 'database "nowhere" does not exist',
        "postgresql://tokenq@no-such-host.invalid/tokenq": "no such host: no-such-host.invalid",
        "postgresql://tokenq@127.0.0.1:1/tokenq": "Connection refused",
    }.items():
        monkeypatch.setenv("TOKENQ_DATABASE_URL", url)
        finding = found("postgres")
        assert not finding["ok"]
        assert said in str(finding["detail"])
        assert "TOKENQ_DATABASE_URL" in str(finding["hint"])


async def test_an_invalid_redis_address_hides_no_other_finding(
    core: Core, settings: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is compared with Redis too, which must not stop the doctor if Redis cannot be asked."""
    await core.department()
    settings(core.dsn)
    monkeypatch.setenv("TOKENQ_REDIS_URL", "nonsense://here")
    is_well = {str(finding["name"]): finding["ok"] for finding in await asyncio.to_thread(doctor.check)}

    assert (is_well["redis"], is_well["postgres"], is_well["kafka"], is_well["mail"]) == (False, True, True, True)


async def test_rebuild_refills_redis(core: Core, servers: Servers, settings: Callable[[str], None]) -> None:
    """One command, on a live system."""
    name = await core.department()
    await core.issue(name, 5)
    await core.call(name, "1")
    redis: Redis = Redis.from_url(servers.redis_url)
    (key,) = [key async for key in redis.scan_iter(f"tq:{{{name}}}:*:q")]
    before = await redis.zrange(key, 0, -1, withscores=True)
    await redis.zadd(key, {"garbage": 1})
    settings(core.dsn)

    async with open_recovery(load()) as stores:
        assert await rebuild_lines(stores) == {name: 4}
    assert await redis.zrange(key, 0, -1, withscores=True) == before
    assert (await core.call(name, "2"))["tokenNo"] == 2
    await redis.aclose()


async def test_one_shot_commands_say_what_they_did(core: Core, servers: Servers) -> None:
    """In plain words, without log lines; for scripts as JSON."""
    names = sorted([await core.department() for _ in range(3)])
    for name, number in zip(names, (3, 1, 0), strict=True):
        if number:
            await core.issue(name, number)
    environment = os.environ | beside(servers, core.dsn)

    def said(*typed: str) -> str:
        command = [sys.executable, "-m", "tokenq", "server", *typed]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    first, second, third = names
    assert said("rebuild") == f"{first}: 3 waiting; {second}: 1 waiting; {third}: 0 waiting.\n"
    assert json.loads(said("rebuild", "--json")) == {
        "program": "rebuild",
        "done": True,
        "departments": [{"departmentId": name, "waiting": n} for name, n in zip(names, (3, 1, 0), strict=True)],
    }
    assert said("migrate") == f"The database is up to date: revision {HEAD}.\n"
    assert json.loads(said("migrate", "--json")) == {"program": "migrate", "done": True, "revision": HEAD}


@pytest.fixture
def api(servers: Servers, fresh_database: Callable[..., str], tmp_path: Path) -> Iterator[Api]:
    """An API process for this test, on tables that it creates; ``tmp_path / "dsn"`` names its database."""
    (tmp_path / "dsn").write_text(fresh_database())
    settings = beside(servers, (tmp_path / "dsn").read_text()) | {"TOKENQ_MIGRATE": "1"}
    with running_api(settings, tmp_path) as running:
        yield running


async def test_a_shutdown_answers_accepted_requests(api: Api, tmp_path: Path) -> None:
    """SIGTERM under load and with an open stream: every accepted request gets a response, and it stops at once."""
    headers = {"Authorization": f"Bearer {api.token}"}
    async with httpx.AsyncClient(base_url=api.url, headers=headers, timeout=20) as client:
        await client.put("/api/v1/departments/CW", json={"name": "Cash window"})

        async def watch() -> int:
            async with client.stream("GET", "/events") as stream:
                return sum([1 async for line in stream.aiter_lines() if line.startswith("data: ")])

        async def issue() -> int | None:
            try:
                return int((await client.post("/api/v1/departments/CW/tokens", json={})).json()["tokenNo"])
            except httpx.TransportError:
                return None

        watching = asyncio.create_task(watch())
        first = await asyncio.gather(*(issue() for _ in range(20)))
        work = [asyncio.create_task(issue()) for _ in range(200)]
        await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        api.process.send_signal(signal.SIGTERM)
        answers = [number for number in [*first, *await asyncio.gather(*work)] if number is not None]
        async with asyncio.timeout(10):
            seen = await watching
        await asyncio.to_thread(api.process.wait, 10)

    with psycopg.connect((tmp_path / "dsn").read_text()) as connection:
        issued = [row[0] for row in connection.execute("SELECT number FROM token ORDER BY number")]
    # A connection not yet accepted is cut; but what was executed got a response.
    assert sorted(answers) == issued
    assert seen > 0


@asynccontextmanager
async def started_without_database(
    servers: Servers, dsn: str, key: Path
) -> AsyncIterator[tuple[FastAPI, Callable[[], object]]]:
    """An API whose database is away, and what brings it back."""
    name = dsn.rpartition("/")[2]
    servers.psql(f"ALTER DATABASE {name} RENAME TO {name}_gone")
    app = create_app(
        ServerSettings(
            env="development", database_url=SecretStr(dsn), redis_url=SecretStr(servers.redis_url), admin_token_file=key
        )
    )
    async with app.router.lifespan_context(app):
        yield app, lambda: servers.psql(f"ALTER DATABASE {name}_gone RENAME TO {name}")


async def test_an_api_that_starts_before_its_database_has_an_admin_later(
    servers: Servers, fresh_database: Callable[..., str], schema: str, tmp_path: Path
) -> None:
    """It starts, reports that it is not ready, and writes the key when the database is back."""
    dsn, key = fresh_database(schema), tmp_path / "admin.token"
    async with started_without_database(servers, dsn, key) as (app, bring_back):
        assert not key.exists()
        bring_back()
        await asyncio.to_thread(until, key.exists)
        caller = await app.state.services.people.who(hash_of(key.read_text().strip()))

    assert caller.role is Role.ADMIN


async def test_an_api_that_starts_before_its_tables_has_an_admin_later(
    servers: Servers, fresh_database: Callable[..., str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As in containers that all start at once: the database is there before its migration has run."""
    dsn, key = fresh_database(), tmp_path / "admin.token"
    async with started_without_database(servers, dsn, key) as (_, bring_back):
        bring_back()
        await asyncio.to_thread(until, lambda: "the admin key waits for the database" in caplog.text)
        await asyncio.to_thread(migrate, dsn)
        await asyncio.to_thread(until, key.exists)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("url", ["mail.example.org", "foo://x", "smtp://", "smtp://mail:many", "smtp://[::1"])
def test_a_wrong_mail_server_ends_notify_before_it_waits_for_anything(url: str) -> None:
    nowhere = {"TOKENQ_DATABASE_URL": "postgresql://127.0.0.1:1/none", "TOKENQ_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    assert "TOKENQ_SMTP_URL" in refusal("notify", {"TOKENQ_SMTP_URL": url, **nowhere})


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", MailServer("mail.example.org", 25, False, False, "", "")),
        ("smtp+starttls://u:p%40ss@mail.example.org", MailServer("mail.example.org", 587, True, False, "u", "p@ss")),
        ("smtps://mail.example.org:4650", MailServer("mail.example.org", 4650, False, True, "", "")),
    ],
)
def test_a_mail_server_is_named_by_its_url(url: str, server: MailServer) -> None:
    assert mail_server(url) == server


def test_a_wrong_setting_is_one_sentence_and_no_traceback() -> None:
    """The first thing an administrator sees."""
    assert "TOKENQ_PORT" in refusal("api", {"TOKENQ_PORT": "many"})
