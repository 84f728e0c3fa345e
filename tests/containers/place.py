"""The compose file as an administrator starts it, with images made here."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.containers.engine import CERTIFICATES, Engine, own_engine
from tests.containers.images import IMAGE, ROOT, make_foreign_images
from tests.waiting import until
from tokenq_server.embedded.ports import free_port

LASTING = ("postgres", "valkey", "kafka", "mail", "api", "relay", "notify")
"""The services that stay; the others end by themselves."""
_PATIENCE = 120.0
_BUILD = f"--isolation=chroot --pull=never --format=docker -v={CERTIFICATES}:{CERTIFICATES}:ro"


@dataclass
class Place:
    """All services of the compose file in one project; its files are a copy of the repository's."""

    engine: Engine
    folder: Path
    api_port: int = field(default_factory=free_port)
    mail_port: int = field(default_factory=free_port)
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The API's address on this machine."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def compose_file(self) -> Path:
        """The file in use."""
        return self.folder / "deploy/container/compose.yaml"

    def compose(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run podman-compose."""
        program = Path(sys.executable).with_name("podman-compose")
        ports = {"API_PORT": str(self.api_port), "MAIL_PORT": str(self.mail_port)}
        command = [str(program), "--in-pod=false", "-f", str(self.compose_file), *words]
        return self.engine.run(*command, check=check, **ports)

    def up(self) -> None:
        """Start everything, and wait until all of it is well."""
        self.compose("up", "--detach", "--no-build")
        self.wait_until_well()

    def wait_until_well(self) -> None:
        """Ask the health checks of all services that have one: where no systemd runs, nobody else does.

        They start in any order: the API is well before it has made its admin, and before Kafka's users may do anything.
        """
        until(lambda: all(map(self.is_well, LASTING)) and self.is_ready(), self.explain, seconds=_PATIENCE)

    def is_ready(self) -> bool:
        """Whether all stores are prepared, and the API has made the first admin."""
        token = self.inside("api", "sh", "-c", "cat /var/lib/tokenq/admin.token 2>/dev/null || true")
        with contextlib.suppress(httpx.HTTPError):
            return token.startswith("tq_") and httpx.get(f"{self.url}/readyz").json()["status"] == "ready"
        return False

    def is_well(self, service: str) -> bool:
        """Whether it runs, and its own health check says so."""
        container = self.container(service)
        if not container["State"]["Running"]:
            return False
        if not container["Config"].get("Healthcheck"):
            return True
        return self.engine.run("podman", "healthcheck", "run", self.name(service), check=False).returncode == 0

    def container(self, service: str) -> dict[str, Any]:
        """What podman knows about a service's container."""
        found: list[dict[str, Any]] = json.loads(self.engine.podman("inspect", self.name(service)))
        return found[0]

    def name(self, service: str) -> str:
        """The container of a service."""
        return f"tokenq_{service}_1"

    def explain(self) -> str:
        """The state and the end of the log of each container."""
        said = [self.engine.podman("ps", "--all", "--format", "{{.Names}} {{.Status}}")]
        for service in (*LASTING, "migrate", "kafka-acls"):
            done = self.engine.run("podman", "logs", "--tail=8", self.name(service), check=False)
            said.append(f"--- {service}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return "\n".join(said)

    def inside(self, service: str, *words: str, check: bool = True) -> str:
        """What a command in a service's container prints."""
        return self.engine.podman("exec", self.name(service), *words, check=check)

    def tokenq(self, *words: str) -> str:
        """What ``tokenq`` on this machine prints, signed in by the admin key."""
        token = self.inside("api", "cat", "/var/lib/tokenq/admin.token")
        home = self.folder / "home"
        own = {"TOKENQ_URL": self.url, "TOKENQ_TOKEN": token, "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
        return self.engine.run(sys.executable, "-m", "tokenq", *words, PYTHONPATH=str(ROOT), **own).stdout

    def operator(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command of whoever looks after the stores."""
        return self.compose("--profile=operator", "run", "--rm", "-T", "operator", *words, check=check)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how many seconds something took. It is a figure, and nothing depends on it."""
        begun = time.monotonic()
        yield
        self.figures[name] = round(time.monotonic() - begun, 1)


def _files(folder: str, names: Sequence[str]) -> set[str]:
    return {name for name in names if name in (".git", ".nox", ".venv", "build", "dist", "__pycache__", ".env")}


@contextmanager
def running_place() -> Iterator[Place]:
    """Everything built and running; the figures are printed."""
    with own_engine() as engine:
        copy = engine.folder / "tokenq"
        shutil.copytree(ROOT, copy, ignore=_files)
        place = Place(engine, copy)
        make_foreign_images(engine)
        engine.run(str(copy / "deploy/container/make-passwords"))
        with place.timed("seconds to build the image"):
            place.compose(f"--podman-build-args={_BUILD}", "build")
        place.figures["MB of the image"] = int(engine.podman("image", "inspect", "--format={{.Size}}", IMAGE)) // 10**6
        try:
            with place.timed("seconds from nothing to all well"):
                place.up()
            yield place
        finally:
            print(json.dumps(place.figures), file=sys.stderr)
            place.compose("down", "--volumes", check=False)
