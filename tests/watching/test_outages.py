"""Outages of a running system, and the alerts that they raise in a real Prometheus with the rules as they are."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from tests.stack import Stack, start, up_folder
from tests.watching.prometheus import Prometheus, prometheus
from tokenq.client import Client
from tokenq_server.embedded import status

pytestmark = [pytest.mark.watching, pytest.mark.timeout(300)]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is bound, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with up_folder() as folder:
        found = start(folder)
        with Client(found.endpoints.api, found.token) as admin:
            admin.create_department({"departmentId": "CW", "name": "Customer window"})
        yield found


@pytest.fixture(scope="module")
def watched(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus(stack, tmp_path_factory.mktemp("prometheus")) as server:
        server.until_none_fires()
        yield server


@contextmanager
def stopped(stack: Stack, program: str) -> Iterator[None]:
    """A program that hangs, until the end."""
    (pid,) = [pid for pid in children(stack) if f"tokenq_server {program}" in command_of(pid)]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def children(stack: Stack) -> list[int]:
    supervisor = status(stack.data_dir).pid
    return [int(pid) for pid in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()]


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def issue(stack: Stack, **more: str) -> None:
    with Client(stack.endpoints.api, stack.token) as admin:
        admin.issue("CW", **more)


def test_a_relay_that_hangs(stack: Stack, watched: Prometheus) -> None:
    with stopped(stack, "relay"):
        issue(stack)
        watched.until_fires("TokenqDown")
        watched.until_fires("TokenqRelayBehind")
        watched.until_fires("TokenqPartDown")
    watched.until_none_fires()


def test_a_notify_that_hangs(stack: Stack, watched: Prometheus) -> None:
    """A letter is overdue after a minute."""
    with stopped(stack, "notify"):
        watched.until_fires("TokenqDown")
    with Redis.from_url(stack.endpoints.redis) as redis:
        assert redis.ping()
    watched.until_none_fires()


def test_a_redis_that_is_full(stack: Stack, watched: Prometheus) -> None:
    with Redis.from_url(stack.endpoints.redis) as redis:
        redis.config_set("maxmemory", "1")
        try:
            for _ in range(3):
                issue(stack)
            for _ in range(20):
                issue(stack)
                if "TokenqWithoutRedis" in watched.firing():
                    break
            watched.until_fires("TokenqWithoutRedis")
        finally:
            redis.config_set("maxmemory", "0")
    issue(stack)
    watched.until_none_fires()


def test_a_mail_server_that_is_gone(closed_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENQ_SMTP_URL", f"smtp://127.0.0.1:{closed_port}")
    with up_folder() as folder:
        stack = start(folder)
        with Client(stack.endpoints.api, stack.token) as admin:
            admin.create_department({"departmentId": "CW", "name": "Customer window"})
        with prometheus(stack, tmp_path) as server:
            server.until_none_fires()
            for number in range(6):
                issue(stack, email=f"ada{number}@example.org")
            server.until_fires("TokenqLettersNotSent")
