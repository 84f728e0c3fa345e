"""A thousand clients of the live stream, some of whom never read."""

import asyncio
import json
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psutil

from tests.chaos.campaign import Fault
from tests.chaos.fixtures import DEPARTMENTS
from tests.chaos.system import System
from tests.chaos.workload import Workload

_WATCHERS = 800
_DEAF = 200
_PER_KEY = 32
_WATCHED_SECONDS = 5.0
_MOST_GROWTH = 20 * 1024 * 1024
"""Bytes that two hundred clients that never read may cost, once connected."""
_SMALL_WINDOW = 4096
_SEQ = re.compile(rb'"seq":([0-9]+)')
"""Read without parsing, so that eight hundred readers in one process do not dominate the measurement."""


@dataclass
class Watcher:
    """One open stream: the seqs it received, and how often it was told to refetch."""

    department: str
    seen: list[int] = field(default_factory=list)
    resyncs: int = 0
    ended: bool = False
    _task: "asyncio.Task[None] | None" = None
    _writer: asyncio.StreamWriter | None = None

    async def come(self, url: str, key: str, *, reads: bool = True) -> None:
        """Open the stream; one that never reads has a small window, like a frozen browser."""
        where = urlsplit(url)
        sock = socket.socket()
        sock.setblocking(False)
        if not reads:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_WINDOW)
        await asyncio.get_running_loop().sock_connect(sock, (where.hostname, where.port))
        reader, self._writer = await asyncio.open_connection(sock=sock, limit=_SMALL_WINDOW if not reads else 1 << 16)
        self._writer.write(
            f"GET /events?departmentId={self.department} HTTP/1.1\r\nHost: {where.netloc}\r\n"
            f"Authorization: Bearer {key}\r\n\r\n".encode()
        )
        status = await reader.readline()
        assert b" 200 " in status, status
        if reads:
            self._task = asyncio.create_task(self._read(reader))

    async def go(self) -> None:
        """Close it."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._writer is not None:
            self._writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            async for line in reader:
                if line.startswith(b"event: resync"):
                    self.resyncs += 1
                elif line.startswith(b"data: {") and (found := _SEQ.search(line)):
                    self.seen.append(int(found[1]))
        self.ended = True


async def _a_thousand(system: System, workload: Workload) -> None:
    """All connect, some never read, and all others receive each event once, in order."""
    workload.breath_seconds = 1.0  # an office, not a load test: each event goes to two hundred clients
    keys = await asyncio.to_thread(_keys, system)
    readers = [Watcher(DEPARTMENTS[number % len(DEPARTMENTS)]) for number in range(_WATCHERS)]
    deaf = [Watcher(DEPARTMENTS[number % len(DEPARTMENTS)]) for number in range(_DEAF)]
    try:
        for number, watcher in enumerate([*readers, *deaf]):
            await watcher.come(system.apis[0], keys[number // _PER_KEY], reads=number < _WATCHERS)
        before = _memory(system)
        await asyncio.sleep(_WATCHED_SECONDS)
        grown = _memory(system) - before
        assert grown < _MOST_GROWTH, f"deaf watchers cost {grown >> 20} MiB"
        for watcher in readers:
            assert not watcher.ended
            assert watcher.seen == sorted(set(watcher.seen)), "told twice, or out of order"
            assert watcher.resyncs or _is_gapless(watcher.seen), "something was left out, and nobody said so"
        assert any(watcher.seen for watcher in readers)
    finally:
        await asyncio.gather(*(watcher.go() for watcher in [*readers, *deaf]))
        workload.breath_seconds = 0.0


async def _orderly_end(system: System, workload: Workload) -> None:
    """SIGTERM with two hundred open streams: they end at once, and so does the process."""
    keys = await asyncio.to_thread(_keys, system)
    watchers = [Watcher(DEPARTMENTS[number % len(DEPARTMENTS)]) for number in range(_DEAF)]
    for number, watcher in enumerate(watchers):
        await watcher.come(system.apis[0], keys[number // _PER_KEY])
    part = system.parts["api0"]
    before = part.pid
    system.restart("api0")
    await system.until(lambda: all(watcher.ended for watcher in watchers), "the streams end", 10.0)
    await system.until(lambda: part.pid not in (None, before), "the API is started again", 15.0)
    await asyncio.gather(*(watcher.go() for watcher in watchers))


def _is_gapless(seen: Sequence[int]) -> bool:
    return not seen or seen == list(range(seen[0], seen[-1] + 1))


def _memory(system: System) -> int:
    return int(psutil.Process(system.parts["api0"].pid).memory_info().rss)


def _keys(system: System) -> list[str]:
    """Enough keys that none exceeds the limit of streams per caller."""
    headers = {"Authorization": f"Bearer {system.admin_token}", "Content-Type": "application/json"}

    def made() -> str:
        body: dict[str, Any] = {"label": "watcher", "role": "admin", "departments": []}
        request = Request(f"{system.apis[0]}/api/v1/keys", json.dumps(body).encode(), headers)
        with urlopen(request, timeout=20) as answer:
            return str(json.load(answer)["key"])

    return [made() for _ in range((_WATCHERS + _DEAF) // _PER_KEY + 1)]


FAULTS = [
    Fault(f"{_WATCHERS} watchers and {_DEAF} that never read", _a_thousand),
    Fault(f"SIGTERM api with {_DEAF} streams open", _orderly_end),
]
