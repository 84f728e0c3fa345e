"""Real servers for the tests: the product's own embedded ones, without its supervisor."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit, urlunsplit

from redis import Redis

from tests.kafka.apache import ApacheKafka
from tests.waiting import until
from tokenq_server.embedded.binaries import locate
from tokenq_server.embedded.broker import Broker
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.postgres import Postgres
from tokenq_server.embedded.privileges import choose_run_as
from tokenq_server.embedded.processes import Command, last_log_line, spawn, stop
from tokenq_server.embedded.valkey import Valkey

Server = TypeVar("Server", bound=Postgres | Valkey | Broker | ApacheKafka)


class Running(Generic[Server]):
    """A server process that a test can stop, kill and restart on its data and port."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        process = self.process = spawn(self.server.command())
        until(self.server.is_ready, lambda: f"{self.server.title}: {process.poll()} {last_log_line(self.server.log)}")

    def stop(self) -> None:
        """Stop it as the product does."""
        if self.process is not None:
            stop(self.process, self.server.stop_signal, self.server.patience)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Servers:
    """Addresses of the running servers, and the servers themselves for fault tests."""

    database_url: str
    """An empty database; prefer one from ``fresh_database``."""
    admin_url: str
    redis_url: str
    """Database 0; prefer another number, or flush."""
    kafka_bootstrap: str
    postgres: Running[Postgres]
    valkey: Running[Valkey]
    broker: Running[Broker] | Running[ApacheKafka]
    """The embedded one, or Apache Kafka when ``TOKENQ_TEST_KAFKA=apache``."""

    @property
    def has_embedded_broker(self) -> bool:
        """Whether the broker is the memory-only one, with its limits."""
        return isinstance(self.broker.server, Broker)

    def new_database(self, template: str = "template1") -> str:
        """Create a database, empty or a copy of another one (by URL or name); return its URL."""
        name = f"t{secrets.token_hex(6)}"
        template = urlsplit(template).path.lstrip("/") or template
        self.psql(f"CREATE DATABASE {name} OWNER tokenq TEMPLATE {template} STRATEGY FILE_COPY")
        return urlunsplit(urlsplit(self.database_url)._replace(path=f"/{name}"))

    def drop_database(self, url: str) -> None:
        """Drop it, even if there are connections."""
        self.psql(f"DROP DATABASE IF EXISTS {urlsplit(url).path.lstrip('/')} WITH (FORCE)")

    def empty_redis(self) -> None:
        """Forget what Redis knows of departments of the same names in other databases."""
        with Redis.from_url(self.redis_url) as redis:
            redis.flushdb()

    def psql(self, sql: str) -> None:
        """Run one statement as the superuser."""
        subprocess.run(
            [self.postgres.server.binaries / "psql", "-Xqc", sql, self.admin_url], check=True, capture_output=True
        )


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Postgres, Valkey and a broker for one test session."""
    with servers_folder() as folder, ExitStack() as stack:
        postgres, valkey, embedded = _embedded(folder)
        apache = os.environ.get("TOKENQ_TEST_KAFKA") == "apache"
        broker = _started(stack, apache_kafka(folder)) if apache else _started(stack, embedded)
        yield Servers(
            database_url=postgres.url,
            admin_url=postgres.admin_url,
            redis_url=valkey.url,
            kafka_bootstrap=broker.server.bootstrap,
            postgres=_started(stack, postgres),
            valkey=_started(stack, valkey),
            broker=broker,
        )


@contextmanager
def running_apache_kafka() -> Iterator[Running[ApacheKafka]]:
    """Apache Kafka alone, whatever ``TOKENQ_TEST_KAFKA`` says."""
    with servers_folder() as folder, ExitStack() as stack:
        yield _started(stack, apache_kafka(folder))


@contextmanager
def running_broker() -> Iterator[Running[Broker]]:
    """The embedded broker alone, empty."""
    with servers_folder() as folder, ExitStack() as stack:
        yield _started(stack, _broker(folder))


@contextmanager
def running_postgres(*settings: str) -> Iterator[Running[Postgres]]:
    """A PostgreSQL alone, with settings (``name=value``) that the product would not choose."""

    class Unusual(Postgres):
        def command(self) -> Command:
            command = super().command()
            return replace(command, argv=[*command.argv, *(word for setting in settings for word in ("-c", setting))])

    with servers_folder() as folder, ExitStack() as stack:
        yield _started(stack, _postgres(folder, Unusual))


def _started(stack: ExitStack, server: Server) -> Running[Server]:
    running = Running(server)
    stack.callback(running.stop)
    running.start()
    return running


def apache_kafka(folder: Path) -> ApacheKafka:
    """A formatted Apache Kafka below that folder, not yet started."""
    kafka = ApacheKafka(folder / "kafka", folder / "kafka.log")
    kafka.prepare()
    return kafka


@contextmanager
def servers_folder() -> Iterator[Path]:
    """A folder for servers' data and logs, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="tokenq-test-"))
    folder.chmod(0o755)  # the servers may run as another user
    yield folder
    shutil.rmtree(folder)


def _embedded(folder: Path) -> tuple[Postgres, Valkey, Broker]:
    run_as = choose_run_as()
    binaries = locate(run_as, folder / "programs")
    valkey = Valkey(
        binaries.valkey, folder / "valkey", folder / "servers.log", free_port(), secrets.token_urlsafe(12), run_as
    )
    valkey.prepare()
    return _postgres(folder), valkey, _broker(folder)


def _postgres(folder: Path, kind: type[Postgres] = Postgres) -> Postgres:
    run_as = choose_run_as()
    binaries = locate(run_as, folder / "programs")
    password = secrets.token_urlsafe(12)
    log = folder / "servers.log"
    postgres = kind(binaries.postgres, folder / "postgres", log, free_port(), password, password, run_as)
    postgres.prepare(durable=False)
    return postgres


def _broker(folder: Path) -> Broker:
    run_as = choose_run_as()
    binaries = locate(run_as, folder / "programs")
    return Broker(binaries.tansu, folder / "servers.log", free_port(), f"test-{secrets.token_hex(4)}", run_as)
