"""tokenq's programs as processes, as an administrator starts them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.servers import Servers
from tests.waiting import until
from tokenq_server.embedded.ports import free_port


def beside(servers: Servers, dsn: str) -> dict[str, str]:
    """The settings of a program for that database and these stores.

    In Redis, the keys of all databases count as one: their limit of numbers is out of the tests' way.
    """
    return {
        "TOKENQ_LIMIT_STAFF_ISSUES": "1000000",
        "TOKENQ_DATABASE_URL": dsn,
        "TOKENQ_REDIS_URL": servers.redis_url,
        "TOKENQ_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
    }


@dataclass(frozen=True)
class Api:
    """A running API for one test; it logs one JSON object per line."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        """Its log."""
        return self.folder / "api.log"

    @property
    def token(self) -> str:
        """The first admin's key."""
        return (self.folder / "admin.token").read_text().strip()

    @property
    def password(self) -> str:
        """The first admin's password."""
        return (self.folder / "admin.password").read_text().strip()


@contextmanager
def running_api(settings: Mapping[str, str], folder: Path) -> Iterator[Api]:
    """An API with these settings on a free port, ready for requests; its files are in the folder."""
    port = free_port()
    own = {"TOKENQ_PORT": str(port), "TOKENQ_ADMIN_TOKEN_FILE": str(folder / "admin.token")}
    with (folder / "api.log").open("wb") as log:
        process = start("api", {**settings, **own, "TOKENQ_DATA_DIR": str(folder)}, stderr=log)
    api = Api(f"http://127.0.0.1:{port}", folder, process)
    try:
        until(lambda: process.poll() is not None or _is_ready(api), api.log.read_text, seconds=60)
        assert process.poll() is None, api.log.read_text()
        yield api
    finally:
        process.terminate()
        process.wait(15)


def start(program: str, settings: Mapping[str, str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a program with these settings."""
    command = [sys.executable, "-m", "tokenq_server", program]
    return subprocess.Popen(command, env=os.environ | settings, **options)


def refusal(program: str, settings: Mapping[str, str]) -> str:
    """Return the output of a program that refuses to start: exit code 1 and no traceback."""
    process = start(program, settings, stderr=subprocess.PIPE)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 1, said
    assert "Traceback" not in said
    return said


def _is_ready(api: Api) -> bool:
    try:
        return httpx.get(f"{api.url}/readyz", timeout=5).status_code == 200 and (api.folder / "admin.token").exists()
    except httpx.HTTPError:
        return False
