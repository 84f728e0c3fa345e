"""What each part loads, in fresh interpreters; the static graph cannot see late imports."""

import json
import subprocess
import sys

import pytest

from tests.http_fake import TOKEN, fake_server, says
from tokenq.cli.menu import ENTRIES

_SHOW = "import json, sys; print('MODULES', json.dumps(sorted(sys.modules)), file=sys.stderr)"
HEAVY = ("rich", "httpx", "pydantic", "sqlalchemy", "textual", "fastapi", "confluent_kafka", "redis", "platformdirs")


def modules(code: str, environ: dict[str, str] | None = None) -> set[str]:
    """The names in sys.modules after ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{_SHOW}"], capture_output=True, text=True, check=True, env=environ
    )
    found: list[str] = json.loads(done.stderr.rpartition("MODULES ")[2])
    return set(found)


def loaded(names: set[str], *packages: str) -> list[str]:
    return sorted(name for name in names for package in packages if name == package or name.startswith(f"{package}."))


def run_cli(*arguments: str) -> str:
    return f"from tokenq.cli.main import run\nrun({list(arguments)!r})"


@pytest.mark.parametrize(
    "module", ["tokenq", "tokenq.contract.events", "tokenq.contract.problems", "tokenq.contract.views"]
)
def test_the_contract_loads_no_other_package_of_ours(module):
    found = modules(f"import {module}")
    assert loaded(found, "tokenq.client", "tokenq.cli", "tokenq_server", "tokenq_tui", "typer", *HEAVY) == []


def test_the_client_loads_no_command_line_and_no_http_library():
    assert loaded(modules("import tokenq.client"), "tokenq.cli", "typer", "tokenq.contract.views", *HEAVY) == []


def test_following_events_does_not_load_the_command_line_of_httpx():
    found = modules("import tokenq.client.events")
    assert "httpx" in found
    assert loaded(found, "click", "rich", "typer") == []


def test_issuing_a_token_loads_only_what_it_needs(tmp_path):
    """The front desk and the customer wait for this start-up."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "PYTHONPATH": "."}
    with fake_server(says(201, TOKEN)) as fake:
        found = modules(run_cli("issue", "CW"), {**environ, "TOKENQ_URL": fake.url})
    assert len(fake.asked) == 1
    assert loaded(found, "tokenq_server", "tokenq_tui", "tomllib", "email.mime", *HEAVY) == []
    assert loaded(found, "tokenq.cli.commands") == ["tokenq.cli.commands", "tokenq.cli.commands.issue"]


def test_the_menu_loads_no_command():
    assert loaded(modules(run_cli("--help")), "tokenq.cli.commands", "tokenq.client.events", *HEAVY) == []


@pytest.mark.parametrize("name", list(ENTRIES))
def test_help_of_every_command_works_without_server_and_screens(name):
    found = modules(run_cli(name, "--help"))
    assert loaded(found, "tokenq_server", "tokenq_tui", *HEAVY) == []


@pytest.mark.parametrize(
    ("absent", "typed", "extra"),
    [
        ("pydantic", ["server", "migrate"], "server"),
        ("confluent_kafka", ["notify", "dlq", "list"], "server"),
        ("confluent_kafka", ["verify"], "server"),
    ],
)
def test_without_an_extra_its_commands_say_what_to_install(absent, typed, extra, tmp_path):
    """The base install has every command on its menu; none may end with a traceback or be reported as a bug."""
    code = f"import sys; sys.modules[{absent!r}] = None\n{run_cli(*typed)}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"XDG_CONFIG_HOME": str(tmp_path), "TOKENQ_DATABASE_URL": "postgresql://127.0.0.1:1/x", "PYTHONPATH": "."},
    )
    assert f"{absent} is not installed" in done.stderr
    assert f"pip install 'tokenq[{extra}]'" in done.stderr
