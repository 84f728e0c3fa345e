"""``tokenq verify``: what it prints, and how it exits."""

import json
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from tests.cli.conftest import Cli, Done
from tests.servers import Servers
from tests.without_http import Core
from tokenq_server.domain.invariants.catalog import RULES
from tokenq_server.settings import ServerSettings


@pytest.fixture
def verify(cli: Cli, core: Core, servers: Servers) -> Callable[..., Done]:
    """The command with the server's settings."""

    def run(*arguments: str, **variables: str) -> Done:
        settings = {
            "TOKENQ_DATABASE_URL": core.dsn,
            "TOKENQ_REDIS_URL": servers.redis_url,
            "TOKENQ_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
        }
        return cli("verify", *arguments, **{**settings, **variables})

    return run


async def test_all_is_well(core: Core, verify: Callable[..., Done]) -> None:
    """One row per rule, in plain words; R3 is only asked of a system at rest."""
    name = await core.department()
    await core.issue(name, 3)
    done = verify()

    assert (done.code, done.err) == (0, "")
    assert "Not everything was checked" not in done.out
    rows = {line.split()[0]: line for line in done.out.splitlines()[1:]}
    assert set(rows) == set(RULES) - {"R3"}
    assert RULES["N2"] in rows["N2"]
    assert rows["N2"].split()[-2:] == ["7", "0"]


async def test_what_is_wrong_is_said_and_bounded(core: Core, verify: Callable[..., Done]) -> None:
    """Exit code 1, a line each, and not ten thousand of them."""
    name = await core.department()
    await core.issue(name, 30)
    await core.run("UPDATE token SET place = place + 1000")
    done = verify()

    assert done.code == 1
    assert sum(line.startswith(f"L2 {name} Token ") for line in done.out.splitlines()) == 20
    assert "L2 … and 10 more" in done.out
    document = json.loads(verify("--json").out)
    assert document["ok"] is False
    assert len([one for one in document["violations"] if one["code"] == "L2"]) == 30
    assert set(document["violations"][0]) == {"code", "departmentId", "sentence"}
    assert set(document["rules"][0]) == {"code", "rule", "checked", "violations", "notChecked"}


async def test_only_the_departments_named(core: Core, verify: Callable[..., Done]) -> None:
    one, other = await core.department(), await core.department()
    await core.issue(one)
    await core.run("UPDATE dept_state SET last_no = 9 WHERE department_id = %s", one)

    assert verify(one.lower()).code == 1
    assert verify(other).code == 0
    assert verify("NOWHERE").code == 3


async def test_what_is_away_is_not_checked_and_not_wrong(core: Core, verify: Callable[..., Done]) -> None:
    """Only without Postgres there is nothing to say."""
    await core.issue(await core.department())
    done = verify(TOKENQ_REDIS_URL="redis://127.0.0.1:1/0", TOKENQ_KAFKA_BOOTSTRAP="127.0.0.1:1")

    assert done.code == 0
    assert "R1 not checked, or not completely: Redis does not answer." in done.out
    assert "K1, K2, K3, K4, K5 not checked, or not completely: Kafka does not answer." in done.out
    assert done.out.splitlines()[-1] == "Not everything was checked: Redis does not answer; Kafka does not answer."
    assert verify(TOKENQ_DATABASE_URL="postgresql://127.0.0.1:1/none").code == 6


@pytest.mark.parametrize("url", ["nonsense", "mysql://a@b/c", "host=127.0.0.1 dbname=tokenq", "postgresql://h:port/x"])
def test_an_address_of_a_database_that_cannot_be_one_is_a_wrong_setting(cli: Cli, url: str) -> None:
    """Not a bug of ours, and not a database that is away; a password in it is not shown."""
    done = cli("verify", TOKENQ_DATABASE_URL=url)

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("tokenq: The setting TOKENQ_DATABASE_URL is wrong: it")
    assert url not in done.err
    assert "postgresql://user:password@host:port/database" in done.err


@pytest.mark.parametrize(
    "url", ["postgresql:///tokenq?host=/run/postgresql", "postgres://u:a#b/c?d@h:5432/x", "postgresql://[::1]:5432/x"]
)
def test_every_address_of_a_database_is_taken(url: str) -> None:
    """A socket, a password with signs in it, an IPv6 address."""
    assert ServerSettings(database_url=SecretStr(url)).database_url.get_secret_value() == url
