"""A real API on real servers, and the command line as a process of its own."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.programs import Api, beside, running_api
from tests.servers import Servers

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def api(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API process for all tests of the command line; each test takes a department of its own."""
    settings = beside(servers, servers.new_database()) | {"TOKENQ_MIGRATE": "1"}
    with running_api(settings, tmp_path_factory.mktemp("api")) as running:
        yield running


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote where."""

    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty config folder."""
    return tmp_path / "config"


@pytest.fixture
def cli(home: Path) -> Cli:
    """Runs ``tokenq`` as a process without a terminal, with an empty config folder and no settings but those given."""

    def run(*arguments: str, stdin: str = "", **variables: str) -> Done:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TOKENQ_")}
        done = subprocess.run(
            [sys.executable, "-m", "tokenq", *arguments],
            cwd=ROOT,
            env={
                **kept,
                "NO_COLOR": "1",
                "XDG_CONFIG_HOME": str(home),
                "TOKENQ_DATA_DIR": str(home / "data"),
                **variables,
            },
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "Traceback" not in done.stderr + done.stdout
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def tokenq(cli: Cli, api: Api) -> Cli:
    """``cli`` as the admin of the real API."""

    def run(*arguments: str, **more: Any) -> Done:
        return cli(*arguments, **{"TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token, **more})

    return run


@pytest.fixture
def dept(tokenq: Cli) -> str:
    """A new, open department of this test's own."""
    name = f"T{secrets.token_hex(3).upper()}"
    assert tokenq("dept", "create", "Test desk", "--id", name).code == 0
    return name
