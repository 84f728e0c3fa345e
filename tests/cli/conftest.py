"""A real API on real servers, and the command line as a process of its own."""

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Servers, until
from tokenq.client import Client
from tokenq.errors import TokenqError

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Api:
    """The address of a running API and its admin's key and password."""

    url: str
    token: str
    password: str


@pytest.fixture(scope="session")
def api(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API process for all tests of the command line; each test takes a department of its own."""
    folder = tmp_path_factory.mktemp("api")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {
        **os.environ,
        "TOKENQ_DATABASE_URL": servers.new_database(),
        "TOKENQ_REDIS_URL": servers.redis_url,
        "TOKENQ_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
        "TOKENQ_PORT": str(port),
        "TOKENQ_MIGRATE": "1",
        "TOKENQ_ADMIN_TOKEN_FILE": str(folder / "admin.token"),
        "TOKENQ_DATA_DIR": str(folder),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tokenq_server", "api"], cwd=ROOT, env=environ, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _is_ready(url), lambda: (folder / "log").read_text("utf-8", "replace")[-2000:], 30)
        yield Api(url, *((folder / name).read_text().strip() for name in ("admin.token", "admin.password")))
    finally:
        process.terminate()
        process.wait(15)


def _is_ready(url: str) -> bool:
    try:
        with Client(url, attempts=1) as client:
            return client.ready()["status"] in ("ready", "degraded")
    except (TokenqError, Exception):  # the socket may answer before the application does
        return False


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
