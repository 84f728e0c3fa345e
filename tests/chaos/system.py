"""All of tokenq as separate processes, restarted as ``tokenq up`` does, with handles to inject faults."""

import asyncio
import os
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import psycopg

from tests.chaos.doubts import Doubts
from tests.chaos.machine import fake_clock, no_disk, small_disk
from tests.chaos.mail_server import MailServer
from tests.chaos.proxy import Proxy
from tests.waiting import eventually
from tokenq_server.embedded.addresses import takes_tokens
from tokenq_server.embedded.binaries import locate
from tokenq_server.embedded.broker import Broker
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.postgres import Postgres
from tokenq_server.embedded.privileges import choose_run_as
from tokenq_server.embedded.processes import Command
from tokenq_server.embedded.programs import program
from tokenq_server.embedded.reports import Progress
from tokenq_server.embedded.supervised_process import SupervisedProcess
from tokenq_server.embedded.valkey import Valkey

_TICK = 0.02
_MOST_FAILURES = 2
LINKS = ("postgres", "redis", "kafka", "smtp")


@dataclass(frozen=True)
class Plan:
    """The number of each program, and the links that go through a proxy."""

    apis: int = 1
    relays: int = 1
    notifies: int = 1
    proxied: bool = False
    small_disks: bool = False
    fake_clock: bool = False


@dataclass
class System:
    """A running system. ``failpoints`` by program name take effect at its next start."""

    folder: Path
    plan: Plan
    postgres: Postgres
    valkey: Valkey
    broker: Broker
    mail: MailServer
    doubts: Doubts
    proxies: dict[str, Proxy] = field(default_factory=dict)
    parts: dict[str, SupervisedProcess] = field(default_factory=dict)
    failpoints: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def apis(self) -> list[str]:
        """The addresses of all API processes."""
        return [f"http://127.0.0.1:{port}" for port in self.ports.values()]

    @property
    def admin_token(self) -> str:
        """A key of the admin role."""
        return (self.folder / "admin.token").read_text().strip()

    def named(self, kind: str) -> list[SupervisedProcess]:
        """All parts of a kind: ``api``, ``relay``, ``notify``, ``postgres``, ``valkey`` or ``broker``."""
        return [part for name, part in self.parts.items() if name.rstrip("0123456789") == kind]

    def send(self, part: SupervisedProcess, number: signal.Signals) -> None:
        """Signal a part's process, and its children where they would outlive it."""
        for process in self.family(part):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def family(self, part: SupervisedProcess) -> list[int]:
        """The processes of a part: its own last, after children that would outlive it."""
        if (pid := part.pid) is None:
            return []
        return [*_children(pid), pid] if part.name == "postgres" else [pid]

    def keep_alive(self) -> None:
        """Keep everything running until the end, then stop it.

        In a thread that outlives all parts: the kernel kills children with the thread that started them.
        """
        while not self.is_over.wait(_TICK):
            self._tend()
        for part in reversed(self.parts.values()):
            self.send(part, signal.SIGCONT)
            part.ask_to_stop()
            part.finish()

    def _tend(self) -> None:
        """Restart what has ended."""
        for part in self.parts.values():
            part.tend()
            part.failures = min(part.failures, _MOST_FAILURES)  # it is killed all the time: no back-off

    async def until(self, holds: Callable[[], object], what: str, seconds: float = 60.0) -> None:
        """Wait until it holds. Raises AssertionError after that time."""
        late = f"{what} did not come true within {seconds:.0f} s; see {self.folder}"
        await eventually(holds, lambda: late, seconds)

    def restart(self, name: str) -> None:
        """Stop a program; it is restarted at once, with the current failpoints."""
        self.send(self.parts[name], signal.SIGTERM)

    async def all_ready(self) -> None:
        """Wait until every part is ready."""
        await self.until(lambda: all(part.ready and part.is_alive for part in self.parts.values()), "ready")

    async def query(self, statement: str, *values: object, seconds: float = 60.0) -> list[tuple[object, ...]]:
        """Query the database, bypassing proxies; retry while it recovers from a crash."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self.postgres.url, autocommit=True) as connection:
                    return await (await connection.execute(statement, values)).fetchall()  # type: ignore[arg-type]
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, f"the database does not come back; see {self.folder}"
                await asyncio.sleep(0.1)


@asynccontextmanager
async def running(plan: Plan, keep: bool = False) -> AsyncIterator[System]:
    """Start everything; at the end stop it and remove the folder, unless ``keep``."""
    folder = Path(tempfile.mkdtemp(prefix="tokenq-chaos-"))
    folder.chmod(0o755)
    system = await _made(folder, plan)
    keeper = threading.Thread(target=system.keep_alive, name="keeper")
    keeper.start()
    try:
        await system.all_ready()
        yield system
    finally:
        system.is_over.set()
        await asyncio.to_thread(keeper.join)
        for proxy in system.proxies.values():
            await proxy.close()
        system.mail.close()
        for name in ("postgres", "valkey"):
            no_disk(folder / name)
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)


async def _made(folder: Path, plan: Plan) -> System:
    run_as = choose_run_as()
    found = locate(run_as, folder / "programs")
    password = secrets.token_urlsafe(12)
    if plan.small_disks:
        small_disk(folder / "postgres", 384)
        small_disk(folder / "valkey", 16)
    postgres = Postgres(
        found.postgres, folder / "postgres", folder / "postgres.log", free_port(), password, password, run_as
    )
    valkey = Valkey(found.valkey, folder / "valkey", folder / "valkey.log", free_port(), password, run_as)
    broker = Broker(found.tansu, folder / "broker.log", free_port(), f"chaos-{secrets.token_hex(4)}", run_as)
    system = System(
        folder, plan, postgres, valkey, broker, MailServer(folder / "smtp.jsonl"), Doubts(folder / "doubts.jsonl")
    )
    system.mail.start()
    ports = {"postgres": postgres.port, "redis": valkey.port, "kafka": broker.port, "smtp": system.mail.port}
    for name in LINKS if plan.proxied else ():
        system.proxies[name] = Proxy(ports[name])
        await system.proxies[name].start()
    await asyncio.to_thread(postgres.prepare)
    valkey.prepare()
    _stores(system)
    _programs(system)
    # As under ``tokenq up``: they must not meet a broker that has lost everything.
    system.parts["broker"].followers = [*system.named("relay"), *system.named("notify")]
    return system


def _stores(system: System) -> None:
    for name, store in (("postgres", system.postgres), ("valkey", system.valkey), ("broker", system.broker)):
        system.parts[name] = SupervisedProcess(
            name,
            store.title,
            lambda store=store, name=name: _command(system, name, store),
            store.is_ready,
            lambda progress: None,
            stop_signal=store.stop_signal,
            on_failure=(lambda part: _set_aside(system, part)) if name == "valkey" else None,
        )


def _command(system: System, name: str, store: Postgres | Valkey | Broker) -> Command:
    command = store.command()
    if name == "broker":
        return _advertised(system, command)
    if name == "postgres" and system.plan.fake_clock:
        return replace(command, environment={**command.environment, **fake_clock(system.folder)})
    return command


def _set_aside(system: System, part: SupervisedProcess) -> None:
    """As under ``tokenq up``: files that Valkey cannot read are moved aside, and it starts empty."""
    if part.failures > _MOST_FAILURES:
        system.valkey.set_aside()


def _advertised(system: System, command: Command) -> Command:
    """A broker behind a proxy advertises the proxy's address."""
    if "kafka" not in system.proxies:
        return command
    argv = list(command.argv)
    argv[argv.index("--advertised-listener-url") + 1] = f"tcp://127.0.0.1:{system.proxies['kafka'].port}"
    return Command(argv, command.log, command.death_signal, command.environment, command.run_as)


def _programs(system: System) -> None:
    stores = list(system.parts.values())
    for kind, count in (("api", system.plan.apis), ("relay", system.plan.relays), ("notify", system.plan.notifies)):
        for number in range(count):
            name = f"{kind}{number}"
            if kind == "api":
                system.ports[name] = free_port()
            needs = stores if name == "api0" else [system.parts["api0"], system.parts["broker"]]
            system.parts[name] = SupervisedProcess(
                name,
                name,
                lambda name=name, kind=kind: program(
                    "tokenq_server", [kind], system.folder / f"{name}.log", _settings(system, name), []
                ),
                (lambda name=name: takes_tokens(f"http://127.0.0.1:{system.ports[name]}"))
                if kind == "api"
                else lambda: True,
                partial(_told, system, kind),
                needs=needs,
            )


def _told(system: System, kind: str, progress: Progress) -> None:
    if kind == "notify" and progress.state == "restarting":
        system.doubts.ended(progress.part, is_killed=progress.detail == "ended by SIGKILL")


def _settings(system: System, name: str) -> Mapping[str, str]:
    ports = {link: proxy.port for link, proxy in system.proxies.items()}
    return {
        "TOKENQ_ENV": "development",
        "TOKENQ_FAILPOINTS": system.failpoints.get(name, ""),
        "TOKENQ_PORT": str(system.ports.get(name, 0)),
        "TOKENQ_DATABASE_URL": _through(system.postgres.url, system.postgres.port, ports.get("postgres")),
        "TOKENQ_REDIS_URL": _through(system.valkey.url, system.valkey.port, ports.get("redis")),
        "TOKENQ_KAFKA_BOOTSTRAP": _through(system.broker.bootstrap, system.broker.port, ports.get("kafka")),
        "TOKENQ_SMTP_URL": _through(system.mail.url, system.mail.port, ports.get("smtp")),
        "TOKENQ_KAFKA_EMBEDDED": "1",
        "TOKENQ_KAFKA_FETCH_WAIT_MS": "200",
        "TOKENQ_MIGRATE": "1",
        "TOKENQ_LIMIT_STAFF_ISSUES": "1000000",  # counted, and never reached
        "TOKENQ_ADMIN_TOKEN_FILE": str(system.folder / "admin.token"),
    }


def _through(address: str, port: int, other: int | None) -> str:
    return address.replace(f":{port}", f":{other}") if other else address


def _children(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
