"""What a measurement needs beside it: everything of ``tokenq up``, a mail server, and two applications to compare."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import psycopg
from confluent_kafka import Consumer, TopicPartition

from tests.bench import processes
from tests.stack import Stack, start, up_folder
from tests.waiting import until
from tokenq.contract.events import TOPIC
from tokenq_server.adapters.kafka.consumer import GROUP
from tokenq_server.embedded import down, status
from tokenq_server.embedded.addresses import takes_tokens
from tokenq_server.embedded.folder import DataFolder
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.processes import last_log_line, spawn, stop
from tokenq_server.embedded.programs import program

_ASK_EVERY = 0.1
"""Seconds between questions whether the rest is done: they cost CPU time of what is being measured."""
_REST_SECONDS = 3600.0

_RELAY_LAG = "SELECT coalesce(sum(s.last_seq - c.seq), 0) FROM dept_state s JOIN relay_cursor c USING (department_id)"
_ENDS = "SELECT partition, max(kafka_offset) FROM relay_cursor WHERE kafka_offset IS NOT NULL GROUP BY 1"
_DUE_LETTERS = "SELECT count(*) FROM mail_job WHERE state IN ('due', 'sending')"
_SENT_LETTERS = "SELECT count(*) FROM mail_job WHERE state = 'sent'"
_OF_TODAY = "SELECT count(*) FROM outbox WHERE at > now() - interval '1 day'"
_KEPT_EVENTS = "SELECT count(*) FROM outbox"
_EVENTS = "SELECT coalesce(sum(last_seq), 0) FROM dept_state"


class Rest:
    """What follows the answers: publishing, letters, and pages that PostgreSQL has not written yet."""

    def __init__(self, stack: Stack) -> None:
        self._database = psycopg.connect(superuser_url(stack), autocommit=True)
        self._bootstrap = stack.endpoints.kafka

    def finish(self) -> None:
        """Return when nothing is left to do.

        Raises:
            AssertionError: it takes an hour.
        """
        deadline = time.monotonic() + _REST_SECONDS
        # All at one moment: after a restart, a relay believes for a while that everything is published.
        while not (self._is_published() and self._is_read() and self._is_sent()):
            assert time.monotonic() < deadline, "relay, notify or letters have not caught up in an hour"
            time.sleep(_ASK_EVERY)
        self._database.execute("CHECKPOINT")

    def events(self) -> int:
        """Return how many events there have been."""
        return self._number(_EVENTS)

    def kept_events(self) -> int:
        """Return how many of them are in the log."""
        return self._number(_KEPT_EVENTS)

    def events_of_today(self) -> int:
        """Return how many entries of the last day are in the log."""
        return self._number(_OF_TODAY)

    def letters(self) -> int:
        """Return how many letters were sent."""
        return self._number(_SENT_LETTERS)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()
        if "_consumer" in vars(self):
            self._consumer.close()

    @cached_property
    def _consumer(self) -> Consumer:
        """Only asked for offsets; it joins nothing."""
        return Consumer({"bootstrap.servers": self._bootstrap, "group.id": GROUP})

    def _is_published(self) -> bool:
        return self._number(_RELAY_LAG) == 0

    def _is_read(self) -> bool:
        """Whether notify has read the topic to its end: before that, no letter of the last events is due yet.

        The relay knows where the end is. To ask the embedded broker takes it the longer, the more it has.
        """
        ends = [TopicPartition(TOPIC, *row) for row in self._database.execute(_ENDS)]
        read = {place.partition: place.offset for place in self._consumer.committed(ends, timeout=10)} if ends else {}
        return all(read[end.partition] > end.offset for end in ends)

    def _is_sent(self) -> bool:
        return self._number(_DUE_LETTERS) == 0

    def _number(self, statement: str) -> int:
        row = self._database.execute(statement).fetchone()
        assert row
        return int(row[0])


def superuser_url(stack: Stack) -> str:
    """The embedded database for its superuser: only that one may ask for a checkpoint."""
    where = urlsplit(stack.endpoints.postgres)
    password = DataFolder(stack.data_dir).secret("postgres.admin")
    return urlunsplit(where._replace(netloc=f"postgres:{password}@{where.hostname}:{where.port}"))


@dataclass
class Running:
    """Everything of ``tokenq up``, with letters sent to a server that keeps none, and limits out of the way."""

    stack: Stack
    rest: Rest

    @property
    def supervisor(self) -> int:
        """Its process id."""
        pid = status(self.stack.data_dir).pid
        assert pid
        return pid

    def cpu(self) -> dict[str, float]:
        """CPU seconds of each program so far."""
        return processes.cpu_by_program(self.supervisor)

    def restart(self) -> None:
        """Stop everything and start it again on the same data; the broker is empty then."""
        self.rest.close()
        down(self.stack.data_dir)
        self.stack = start(self.stack.data_dir)
        self.rest = Rest(self.stack)

    def new_department(self, department_id: str, **settings: object) -> None:
        """Create a department in which nobody has to be called before his turn."""
        body = {"name": f"Department {department_id}", "maxWaitMinutes": 600, **settings}
        code, answer = self.stack.ask("PUT", f"/api/v1/departments/{department_id}", body)
        assert code == 200, answer


@contextmanager
def everything_running() -> Iterator[Running]:
    """Start it on a new folder; stop it at the end."""
    with up_folder() as folder, mail_sink(folder) as smtp, _environment(of_measurements(smtp)):
        stack = start(folder)
        running = Running(stack, Rest(stack))
        try:
            yield running
        finally:
            running.rest.close()


def of_measurements(smtp: str) -> Mapping[str, str]:
    """Settings of the programs: all numbers are issued with one key, which no limit may stop."""
    limits = {"TOKENQ_LIMIT_STAFF_ISSUES": "1000000", "TOKENQ_LIMIT_LETTERS": "1000000"}
    return {**limits, "TOKENQ_SMTP_URL": smtp}


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ |= settings
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


@contextmanager
def mail_sink(folder: Path) -> Iterator[str]:
    """A mail server that takes everything; yields its URL."""
    port = free_port()
    with _program("tests.bench.sink", [str(port)], folder / "sink.log", {}, lambda: _listens(port)):
        yield f"smtp://127.0.0.1:{port}"


@contextmanager
def bare_application() -> Iterator[tuple[str, int]]:
    """The denominator; yields its URL and process id."""
    port = free_port()
    with TemporaryDirectory() as folder:
        log = Path(folder) / "bare.log"
        with _program("tests.bench.bare", [str(port)], log, {}, lambda: _listens(port)) as pid:
            yield f"http://127.0.0.1:{port}", pid


@contextmanager
def api_with_empty_route(stack: Stack) -> Iterator[tuple[str, int]]:
    """A second API on the same stores, which follows the log as well: let it run only while it is measured."""
    where, port = stack.endpoints, free_port()
    settings = {
        "TOKENQ_PORT": str(port),
        "TOKENQ_DATABASE_URL": where.postgres,
        "TOKENQ_REDIS_URL": where.redis,
        "TOKENQ_KAFKA_BOOTSTRAP": where.kafka,
        "TOKENQ_KAFKA_EMBEDDED": "1",
    }
    url, log = f"http://127.0.0.1:{port}", stack.data_dir / "api.log"
    with _program("tests.bench.api", [], log, settings, lambda: takes_tokens(url)) as pid:
        yield url, pid


@contextmanager
def _program(
    module: str, words: Sequence[str], log: Path, settings: Mapping[str, str], is_ready: Callable[[], bool]
) -> Iterator[int]:
    process = spawn(program(module, words, log, settings, []))
    try:
        until(is_ready, lambda: f"{module}: {process.poll()} {last_log_line(log)}")
        yield process.pid
    finally:
        stop(process, signal.SIGTERM, 10.0)


def _listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False
