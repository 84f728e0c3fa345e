"""What the command line says when a limit refuses, and what the doctor says of the limits."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.programs import Api, beside, running_api
from tests.servers import Servers
from tests.valkeys import OwnValkeys
from tokenq.contract.problems import ExitCode


@pytest.fixture
def strict(
    servers: Servers, fresh_database: Callable[..., str], schema: str, valkeys: OwnValkeys, tmp_path: Path
) -> Iterator[Api]:
    """An API that lets each key issue two numbers a minute, on a Redis of its own."""
    settings = beside(servers, fresh_database(schema)) | {"TOKENQ_REDIS_URL": valkeys.start().server.url}
    folder = tmp_path / "api"
    folder.mkdir()
    with running_api({**settings, "TOKENQ_ENV": "development", "TOKENQ_LIMIT_STAFF_ISSUES": "2"}, folder) as api:
        yield api


def test_a_refused_command_says_why_and_for_how_long(cli: Cli, strict: Api) -> None:
    here = {"TOKENQ_URL": strict.url, "TOKENQ_TOKEN": strict.token}
    assert cli("dept", "create", "Cash", "--id", "CW", **here).code == ExitCode.OK
    assert [cli("issue", "CW", **here).code for _ in range(2)] == [ExitCode.OK] * 2
    refused = cli("issue", "CW", "--count", "2", **here)
    assert refused.code == ExitCode.UNREACHABLE
    assert "has issued too many numbers in the last minute." in refused.err
    assert " s, or ask an admin for a higher limit." in refused.err
    error = json.loads(cli("issue", "CW", "--json", **here).out)["error"]
    assert error["code"] == "rate_limited"
    assert re.fullmatch(r"Try again in [0-9]+ s, or ask an admin for a higher limit\.", error["hint"])


def test_the_doctor_warns_of_a_limit_that_is_off(cli: Cli, servers: Servers, schema: str) -> None:
    """And shows the others; it is no failure."""
    settings = beside(servers, schema) | {"TOKENQ_LIMIT_LETTERS": "off", "TOKENQ_LIMIT_CUSTOMER_ISSUES": "7"}
    said = cli("doctor", "--server", **settings).out
    (mail,) = (line for line in said.splitlines() if "limit of e-mails" in line)
    assert mail.startswith("WARN")
    assert "unlimited an hour to one address" in mail
    assert "Set TOKENQ_LIMIT_LETTERS, unless something in front of tokenq limits this." in said
    (numbers,) = (line for line in said.splitlines() if "limit of numbers" in line)
    assert numbers.startswith("ok")
    assert "7 a day per customer and department" in numbers
