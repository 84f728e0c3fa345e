"""The consumers of docs/events.md, each run as the page says, on what tokenq publishes to Apache Kafka."""

import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.kafka.apache import ApacheKafka, watermark
from tests.manual import DOCS
from tests.servers import Running
from tests.stack import Stack
from tests.waiting import until
from tokenq.contract.events import TOPIC, EventType, decode
from tokenq_server.embedded.broker import TOPICS

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]
Start = Callable[[Path], list[str]]
"""Builds an example, if that is needed; returns the command that runs it."""


def needed(*tools: str) -> None:
    """Skip the test where a tool is not installed."""
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed: its example in docs/examples was not run.")


def _python(_folder: Path) -> list[str]:
    return [sys.executable, str(DOCS / "examples" / "calls.py")]


def _java(folder: Path) -> list[str]:
    needed("mvn", "javac")
    _run(folder, "mvn", "-B", "-q", "dependency:copy-dependencies", "-DoutputDirectory=jars")
    return ["java", "-cp", f"{folder}/jars/*", f"{folder}/Calls.java"]


def _go(folder: Path) -> list[str]:
    needed("go")
    _run(folder, "go", "build", "-o", "calls", ".")
    return [f"{folder}/calls"]


def _run(folder: Path, *words: str) -> None:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass
class Printed:
    """The lines of a running example."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Read to the end."""
        assert self.process.stdout
        self.lines.extend(line.strip() for line in self.process.stdout)

    def has(self, line: str) -> None:
        """Wait for a line."""
        until(lambda: line in self.lines, lambda: f"{self.process.poll()} {self.lines}", seconds=60)


@contextmanager
def running(words: list[str], log: Path) -> Iterator[Printed]:
    with log.open("w") as errors, subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        printed = Printed(process)
        reader = Thread(target=printed.read)
        reader.start()
        try:
            yield printed
        finally:
            process.kill()
            reader.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the examples, so that building leaves nothing in the source."""
    return Path(shutil.copytree(DOCS / "examples", tmp_path / "examples"))


@pytest.mark.parametrize(
    ("name", "start"), [(".", _python), ("java", _java), ("go", _go)], ids=["python", "java", "go"]
)
def test_a_consumer_prints_each_call_once(
    stack: Stack, apache_kafka: Running[ApacheKafka], folder: Path, tmp_path: Path, name: str, start: Start
) -> None:
    """It survives a record that is no event, and prints nothing for one that is repeated."""
    bootstrap = apache_kafka.server.bootstrap
    department = f"E{secrets.token_hex(3).upper()}"
    path = f"/api/v1/departments/{department}"
    command = start(folder / name)
    assert stack.ask("PUT", path, {"name": "Examples"})[0] == 200
    with running([*command, bootstrap, department], tmp_path / "errors") as printed:
        first = _call(stack, path, "1")
        printed.has(first)
        _repeat(bootstrap, department)
        second = _call(stack, path, "2")
        printed.has(second)
    assert [line for line in printed.lines if line.startswith(department)] == [first, second]


def _call(stack: Stack, path: str, counter: str) -> str:
    """Issue and call a number; return the line that an example prints."""
    assert stack.ask("POST", f"{path}/tokens", {})[0] == 201
    code, token = stack.ask("POST", f"{path}/call", {"counterId": counter})
    assert code == 200, token
    return f"{token['displayNumber']}: counter {counter}"


def _repeat(bootstrap: str, department: str) -> None:
    """Write this department's call to the topic again, as a relay does after a crash, and a record that is no event."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "examples"})
    reader.assign([TopicPartition(TOPIC, number, 0) for number in range(TOPICS[TOPIC])])
    writer = Producer({"bootstrap.servers": bootstrap})
    while True:
        record = reader.poll(10)
        assert record is not None
        event = decode(record.value()) if record.key() == department.encode() else None
        if event and event.event_type == EventType.TOKEN_CALLED:
            break
    end = watermark(bootstrap, TOPIC, record.partition())
    writer.produce(TOPIC, b"no event", record.key(), partition=record.partition())
    writer.produce(TOPIC, record.value(), record.key(), partition=record.partition())
    writer.flush(10)
    reader.close()
    assert watermark(bootstrap, TOPIC, record.partition()) >= end + 2
