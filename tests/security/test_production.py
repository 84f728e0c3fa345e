"""What production must not leave open: logged for one release with its cure, refused with TOKENQ_STRICT (row 76)."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from pydantic import SecretStr

from tests.programs import beside, refusal, running_api
from tests.servers import Servers
from tests.stack import Stack
from tokenq.cli.exits import explain
from tokenq.contract.problems import ExitCode, Refused, refuse
from tokenq.contract.reasons.system import SettingReason
from tokenq_server import doctor
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.bootstrap import check_production, database_exposure, exposures
from tokenq_server.services.ports import LedgerDown
from tokenq_server.settings import ServerSettings

CLOSED = {"events_email": "omit"}


async def found(servers: Servers, **settings: Any) -> set[str]:
    given = {"database_url": servers.database_url, "redis_url": servers.redis_url, **CLOSED, **settings}
    chosen = ServerSettings(**given)
    of_database = await database_exposure(chosen)
    return {str(refusal.problem.reason) for refusal in [*exposures(chosen), *([of_database] if of_database else [])]}


async def test_what_is_closed_is_no_exposure(servers: Servers) -> None:
    assert await found(servers) == set()


@pytest.fixture
def open_database(servers: Servers) -> Iterator[str]:
    """A database that asks this machine for no password."""
    server = servers.postgres.server
    rules = server.folder / "cluster" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("host all all 127.0.0.1/32 trust\n" + before)
    servers.psql("SELECT pg_reload_conf()")
    parts = urlsplit(servers.database_url)
    yield urlunsplit(parts._replace(netloc=f"tokenq@{parts.hostname}:{parts.port}"))
    rules.write_text(before)
    servers.psql("SELECT pg_reload_conf()")


async def test_a_database_without_a_password(servers: Servers, open_database: str) -> None:
    """Also one that is given a password and does not ask for it."""
    reason = SettingReason.DATABASE_WITHOUT_PASSWORD.id
    assert await found(servers, database_url=open_database) == {reason}
    assert await found(servers, database_url=servers.database_url) == {reason}


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("redis://127.0.0.1:6379/0", True),
        ("rediss://user@redis.example.org/0", True),
        ("redis+cluster://a:7001,b:7002", True),
        ("redis://:secret@127.0.0.1:6379/0", False),
        ("redis+cluster://user:secret@a:7001,b:7002", False),
        ("unix:///run/valkey.sock", False),
        ("rediss://redis.example.org/0?ssl_certfile=/c.pem&ssl_keyfile=/k.pem", False),
    ],
)
async def test_a_redis_without_a_password(servers: Servers, url: str, is_open: bool) -> None:
    assert (await found(servers, redis_url=url) == {SettingReason.REDIS_WITHOUT_PASSWORD.id}) is is_open


@pytest.mark.parametrize(
    ("settings", "is_open"),
    [
        ({}, True),
        ({"events_email": "plain"}, False),
        ({"events_email": "omit"}, False),
        ({"kafka_embedded": True}, False),
        ({"kafka_security_protocol": "SSL"}, True),
        ({"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": "u", "kafka_sasl_password": "p"}, False),
    ],
)
async def test_a_broker_without_a_login(servers: Servers, settings: dict[str, Any], is_open: bool) -> None:
    stores = {"database_url": servers.database_url, "redis_url": servers.redis_url}
    reasons = {str(refusal.problem.reason) for refusal in exposures(ServerSettings(**stores, **settings))}
    assert (SettingReason.BROKER_WITHOUT_LOGIN.id in reasons) is is_open


@pytest.mark.parametrize(
    ("settings", "is_open"),
    [
        ({"host": "127.0.0.1"}, False),
        ({"host": "localhost"}, False),
        ({"host": "::1"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "queue.example.org"}, True),
        ({"host": "0.0.0.0", "tls_cert": "/etc/tokenq/c.pem"}, False),
        ({"host": "10.0.0.5", "trusted_proxies": "10.0.0.6"}, False),
        ({"host": "0.0.0.0", "trusted_proxies": "127.0.0.1,::1"}, True),
    ],
)
async def test_plain_http_on_a_network(servers: Servers, settings: dict[str, Any], is_open: bool) -> None:
    assert (await found(servers, **settings) == {SettingReason.PLAIN_HTTP.id}) is is_open


def test_it_is_logged_with_its_cure_and_refused_when_strict(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = beside(servers, servers.new_database()) | {"TOKENQ_MIGRATE": "1"}
    with running_api(settings, tmp_path_factory.mktemp("api")) as api:
        log = api.log.read_text()
        assert "not safe for production" in log
        assert "TOKENQ_EVENTS_EMAIL=omit" in log
    said = refusal("api", settings | {"TOKENQ_STRICT": "1"})
    assert "read customers' e-mail addresses" in said
    assert "TOKENQ_EVENTS_EMAIL" in said
    with running_api(settings | {"TOKENQ_STRICT": "1", "TOKENQ_ENV": "development"}, tmp_path_factory.mktemp("dev")):
        pass


async def test_all_that_is_open_is_refused_at_once_each_with_its_cure(servers: Servers, open_database: str) -> None:
    """Whoever sets a server up must not start it once per hole."""
    settings = ServerSettings(
        database_url=open_database, redis_url="redis://127.0.0.1:1/0", host="0.0.0.0", strict=True
    )
    with pytest.raises(Refused) as refused:
        await check_production(settings)
    problem = refused.value.problem
    reasons = (
        SettingReason.REDIS_WITHOUT_PASSWORD,
        SettingReason.BROKER_WITHOUT_LOGIN,
        SettingReason.PLAIN_HTTP,
        SettingReason.DATABASE_WITHOUT_PASSWORD,
    )
    assert problem.reason == SettingReason.SEVERAL_OPEN.id
    assert problem.code.exit_code == ExitCode.FAILED
    first, *holes = problem.detail.split("\n")
    assert first == "4 things are not safe for production:"
    parts = [refuse(reason, host="0.0.0.0").problem for reason in reasons]
    assert holes == [f"- {part.detail} {part.hint}" for part in parts]


def test_who_starts_the_api_by_hand_is_led_to_a_command(servers: Servers) -> None:
    """Of one hole and of several; the programs' own words name none, since they may run anywhere."""
    with pytest.raises(Refused) as refused:
        raise refuse(SettingReason.PLAIN_HTTP, host="0.0.0.0")
    assert "tokenq" not in refused.value.problem.hint
    assert explain(refused.value).hint.endswith("make its own certificate with 'tokenq up --lan'.")
    settings = beside(servers, servers.database_url) | {"TOKENQ_STRICT": "1", "TOKENQ_HOST": "0.0.0.0"}
    command = [sys.executable, "-m", "tokenq", "server", "start"]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=60)
    assert done.returncode == ExitCode.FAILED
    assert "Mend all of them, check with 'tokenq doctor --server', and start again" in done.stderr


def test_the_api_names_them_one_a_line_and_ends_with_1(servers: Servers) -> None:
    settings = beside(servers, servers.new_database()) | {"TOKENQ_STRICT": "1", "TOKENQ_HOST": "0.0.0.0"}
    said = refusal("api", settings)
    assert "2 things are not safe for production:\n- Anybody who reaches Kafka" in said
    assert "\n- The API listens on 0.0.0.0 without TLS" in said


def test_the_api_of_up_leaves_nothing_open(running: Stack) -> None:
    assert "not safe for production" not in (running.data_dir / "log" / "api.log").read_text()


def test_the_doctor_names_what_is_open(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning, and a failure where the API would not start."""
    dsn = servers.new_database()
    migrate(dsn)
    for name, value in beside(servers, dsn).items():
        monkeypatch.setenv(name, value)
    (found,) = [finding for finding in doctor.check() if finding["name"] == "exposure"]
    assert (found["ok"], found["warning"]) == (True, True)
    assert "e-mail addresses" in str(found["detail"])
    monkeypatch.setenv("TOKENQ_STRICT", "1")
    (found,) = [finding for finding in doctor.check() if finding["name"] == "exposure"]
    assert not found["ok"]


async def test_a_database_that_is_away_is_checked_before_the_first_commit(servers: Servers, open_database: str) -> None:
    """After a power cut, the API may be up before its database."""
    away = ServerSettings(
        database_url="postgresql://tokenq@127.0.0.1:1/none", redis_url=servers.redis_url, strict=True, **CLOSED
    )
    guard = await check_production(away)
    assert guard is not None
    with pytest.raises(LedgerDown):
        await guard()
    with pytest.raises(Refused, match="without a password"):
        await check_production(away.model_copy(update={"database_url": SecretStr(open_database)}))
