"""Two releases of tokenq as programs, and a floor: the stores and the programs of either release on them."""

import itertools
import json
import os
import random
import shlex
import signal
import string
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from tests.servers import Servers, running_broker
from tests.skew.mailbox import Mailbox
from tests.waiting import until
from tokenq_server.embedded.addresses import takes_tokens
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.processes import Command, spawn, stop

PROGRAMS = {"api": ("server", "start"), "relay": ("relay",), "notify": ("notify",)}
"""The long-running programs, and their commands."""

_redis_databases = itertools.cycle(range(1, 16))


@dataclass(frozen=True)
class Release:
    """One release, used only through its ``tokenq``."""

    name: str
    tokenq: Path

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Done:
    """A command's exit code and output."""

    typed: str
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"{self.typed}\n  exit code {self.code}\n  stdout: {self.out}\n  stderr: {self.err}"


@dataclass(frozen=True)
class Program:
    """A running server program."""

    title: str
    process: subprocess.Popen[bytes]
    log: Path

    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self.process.poll() is not None

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text("utf-8", "replace")[-3000:]

    def stop(self) -> None:
        """SIGTERM, and wait."""
        stop(self.process, signal.SIGTERM, 15.0)


@dataclass
class Floor:
    """A database, a Redis and a broker for one test, without programs at first."""

    folder: Path
    database_url: str
    redis_url: str
    kafka: str
    mailbox: Mailbox = field(default_factory=Mailbox)
    programs: list[Program] = field(default_factory=list)
    urls: dict[Release, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        """The settings of a program on these stores, without those of the test's environment."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "TZ": "UTC",
            "NO_COLOR": "1",
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "TOKENQ_DATA_DIR": str(self.folder / "data"),
            "TOKENQ_ENV": "development",
            "TOKENQ_DATABASE_URL": self.database_url,
            "TOKENQ_REDIS_URL": self.redis_url,
            "TOKENQ_KAFKA_BOOTSTRAP": self.kafka,
            "TOKENQ_KAFKA_EMBEDDED": "1",
            "TOKENQ_KAFKA_FETCH_WAIT_MS": "100",
            "TOKENQ_SMTP_URL": self.mailbox.url,
            "TOKENQ_ADMIN_TOKEN_FILE": str(self.folder / "admin.token"),
            **more,
        }

    def launch(self, release: Release, name: str, **more: str) -> Program:
        """Start a program of that release, ready or not."""
        log = self.folder / f"{name}-{release}-{len(self.programs)}.log"
        argv = [str(release.tokenq), *PROGRAMS[name]]
        process = spawn(Command(argv, log, signal.SIGKILL, environment=self.environment(**more)))
        self.programs.append(Program(f"the {name} of the {release} release", process, log))
        return self.programs[-1]

    def launch_api(self, release: Release, **more: str) -> Program:
        """Start an API of that release on a free port, ready or not; clients use it from now on."""
        port = free_port()
        self.urls[release] = f"http://127.0.0.1:{port}"
        return self.launch(release, "api", TOKENQ_PORT=str(port), **more)

    def open_api(self, release: Release) -> Program:
        """Start an API of that release, which migrates the tables, and wait until it is ready."""
        api = self.launch_api(release, TOKENQ_MIGRATE="1")
        self.await_api(release, api)
        return api

    def await_api(self, release: Release, api: Program) -> None:
        """Wait until it is ready."""
        url = self.urls[release]
        until(lambda: api.ended() or takes_tokens(url), lambda: f"{api.title} is not ready: {api.said()}", 60)
        assert not api.ended(), f"{api.title} ended: {api.said()}"

    def migrate(self, release: Release) -> str:
        """Migrate the tables to that release; return their revision."""
        done = self.beside(release, "server migrate --json")
        assert done.code == 0, done
        return str(json.loads(done.out)["revision"])

    def beside(self, release: Release, words: str) -> Done:
        """Run a command on the server, such as ``verify``."""
        return run(release, words, self.environment())

    def stop(self) -> None:
        """Stop whatever runs, all at once."""
        for program in self.programs:
            program.process.terminate()
        for program in self.programs:
            program.stop()


@contextmanager
def open_floor(servers: Servers) -> Iterator[Floor]:
    """A new floor; its programs are stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="tokenq-skew-") as folder, running_broker() as broker:
        database, line = servers.new_database(), servers.redis_url.replace("/0", f"/{next(_redis_databases)}")
        with redis.Redis.from_url(line) as connection:
            connection.flushdb()  # there are few: an earlier floor may have used it
        floor = Floor(Path(folder), database, line, broker.server.bootstrap)
        floor.mailbox.start()
        try:
            yield floor
        finally:
            floor.stop()
            floor.mailbox.close()
            servers.drop_database(database)


@dataclass(frozen=True)
class Client:
    """The command line of one release, without access to the stores, for the API of a release."""

    release: Release
    floor: Floor
    server: Release
    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        """A clerk's settings: the server's address and a key."""
        known = {
            name: value for name, value in self.floor.environment().items() if not name.startswith(("TOKENQ_", "XDG"))
        }
        token = (self.floor.folder / "admin.token").read_text().strip()
        url = self.floor.urls[self.server]
        mine = {"XDG_CONFIG_HOME": str(self.home), "TOKENQ_PASSWORD": "a password of Eve"}
        found = {**known, **mine, "TOKENQ_URL": url, "TOKENQ_TOKEN": token, **more}
        return {name: value for name, value in found.items() if value}

    def run(self, words: str, typed: str = "", **more: str) -> Done:
        """Run one command; ``typed`` is its standard input."""
        return run(self.release, words, self.environment(**more), typed)

    def new_department(self) -> str:
        """Create a department. Its id has letters only: a prefix plus digits would read like a number."""
        name = "".join(random.choices(string.ascii_uppercase, k=5))
        self.ask(f"dept create Desk{name} --id {name}")
        return name

    def ask(self, words: str, **more: str) -> Any:
        """Run one command that must succeed; return its JSON."""
        done = self.run(f"{words} --json", **more)
        assert done.code == 0, done
        return json.loads(done.out)


def run(release: Release, words: str, environment: Mapping[str, str], typed: str = "") -> Done:
    """Run ``tokenq words…`` of that release; assert that there is no traceback."""
    done = subprocess.run(
        [release.tokenq, *shlex.split(words)],
        cwd="/",  # the old release must not import from this tree
        env=dict(environment),
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = Done(f"{release}$ tokenq {words}", done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in found.out + found.err, found
    assert "This is a bug" not in found.err, found
    return found
