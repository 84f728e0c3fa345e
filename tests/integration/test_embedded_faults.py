"""Acknowledged means kept: clients issue while every part is killed in turn, the supervisor too."""

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tests.stack import Stack, kill_part, start, up_folder
from tests.waiting import until
from tokenq.contract.events import TOPIC, decode
from tokenq_server.embedded import status
from tokenq_server.embedded.broker import TOPICS

_CLIENTS = 4
_PARTS = ("valkey-server ", "tansu broker", "bin/postgres -D", "tokenq_server api", "tokenq_server relay")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with up_folder() as folder:
        yield folder


class Clients:
    """Clients that issue tokens, each retrying with its key until acknowledged."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.acknowledged: dict[str, tuple[int, int]] = {}
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(_CLIENTS)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        key = str(uuid.uuid4())
        while not self._is_over.is_set():
            try:
                code, token = self.stack.ask("POST", "/api/v1/departments/FLT/tokens", {}, key)
            except (OSError, HTTPException):
                time.sleep(0.02)
                continue
            if code == 201:
                self.acknowledged[key] = (token["tokenId"], token["tokenNo"])
                key = str(uuid.uuid4())


def test_no_acknowledged_token_is_lost_whatever_is_killed(data_dir: Path) -> None:
    """Afterwards every acknowledged token exists, the numbers are 1..n, and the topic has each event."""
    stack = start(data_dir)
    assert stack.ask("PUT", "/api/v1/departments/FLT", {"name": "Faults"})[0] == 200
    with Clients(stack) as clients:
        for part in (*_PARTS, "supervisor"):
            _more(clients)
            _kill(data_dir, part)
            if part == "supervisor":
                clients.stack = start(data_dir)
        _more(clients)
    tokens = _tokens(clients.stack)
    assert set(clients.acknowledged.values()) <= tokens
    assert sorted(number for _, number in tokens) == list(range(1, len(tokens) + 1))
    entries = 1 + len(tokens)  # the first is about the department itself
    assert _events(clients.stack, entries) == list(range(1, entries + 1))


def _more(clients: Clients) -> None:
    before = len(clients.acknowledged)
    until(lambda: len(clients.acknowledged) > before + 20, lambda: "the clients get no answers")


def _kill(data_dir: Path, mark: str) -> None:
    supervisor = status(data_dir).pid
    assert supervisor is not None
    if mark == "supervisor":
        os.kill(supervisor, signal.SIGKILL)
        return
    kill_part(data_dir, mark)


def _tokens(stack: Stack) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    cursor = ""
    while True:
        _, page = stack.ask("GET", f"/api/v1/tokens?departmentId=FLT&limit=100{cursor}")
        found |= {(token["tokenId"], token["tokenNo"]) for token in page["items"]}
        if not page["nextCursor"]:
            return found
        cursor = f"&cursor={page['nextCursor']}"


def _events(stack: Stack, expected: int) -> list[int]:
    """The sequence numbers on the topic, duplicates dropped, in the order in which they arrive."""
    consumer = Consumer({"bootstrap.servers": stack.endpoints.kafka, "group.id": str(uuid.uuid4()), "log_level": 0})
    consumer.assign([TopicPartition(TOPIC, partition, OFFSET_BEGINNING) for partition in range(TOPICS[TOPIC])])
    seen: list[int] = []

    def read_on() -> bool:
        record = consumer.poll(0.2)
        if record is not None and record.error() is None:
            event = decode(record.value())
            if event.department_id == "FLT" and event.seq > (seen[-1] if seen else 0):
                seen.append(event.seq)
        return len(seen) >= expected

    try:
        until(read_on, lambda: f"{len(seen)} of {expected} events on the topic")
    finally:
        consumer.close()
    return seen
