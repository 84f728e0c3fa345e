"""A load generator: persistent connections on plain asyncio, each with one request at a time.

The usual HTTP clients cost more per request than the server, and would dominate the measurement.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

Answer = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Rate:
    """The result of one phase: how many requests, how many of them per second, and latencies in milliseconds."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Load:
    """The target, the credentials, the number of connections, for how many seconds, with which pauses in between.

    Only requests are counted whose first line contains ``counted``. A connection ends after whole groups of requests.
    """

    url: str
    token: str
    connections: int = 64
    seconds: float = 3.0
    pause: float = 0.0
    counted: bytes = b""
    group: int = 1

    def post(self, path: str, body: bytes, key: str = "") -> bytes:
        """The bytes of one POST as the command line sends it."""
        repeat = f"Idempotency-Key: {key}\r\n" if key else ""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {urlsplit(self.url).netloc}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{repeat}\r\n"
        )
        return head.encode() + body

    def get(self, path: str) -> bytes:
        """The bytes of one GET."""
        where = urlsplit(self.url).netloc
        return f"GET {path} HTTP/1.1\r\nHost: {where}\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode()

    async def run(self, script: Callable[[int], Callable[[bytes], bytes]]) -> Rate:
        """Send what ``script(connection)`` yields; it gets the body of each response to make the next request.

        Raises:
            AssertionError: a response was not a success.
        """
        where = urlsplit(self.url)
        assert where.hostname
        assert where.port
        ends = time.perf_counter() + self.seconds
        loop = asyncio.get_running_loop()
        clients = [_Client(self, script(number), ends, loop.create_future()) for number in range(self.connections)]
        began = time.perf_counter()
        for client in clients:
            await loop.create_connection(partial(_same, client), where.hostname, where.port)
        await asyncio.gather(*(client.done for client in clients))
        took = sorted(seconds for client in clients for seconds in client.took)
        elapsed = time.perf_counter() - began
        return Rate(len(took), len(took) / elapsed, took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3)


def _same(client: "_Client") -> "_Client":
    return client


class _Client(asyncio.Protocol):
    """One connection: send, wait for the complete response, repeat until time is up."""

    def __init__(self, load: Load, next_request: Answer, ends: float, done: "asyncio.Future[None]") -> None:
        self.done = done
        self.took: list[float] = []
        self._load = load
        self._next = next_request
        self._ends = ends
        self._is_counted = False
        self._sent_so_far = 0
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send(b"")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        if not head.startswith(b"HTTP/1.1 2"):
            self._finish(AssertionError(self._buffer.decode()))
            return
        self._buffer = b""
        now = time.perf_counter()
        if self._is_counted:
            self.took.append(now - self._sent)
        if now >= self._ends and self._sent_so_far % self._load.group == 0:
            self._finish(None)
        elif self._load.pause:
            asyncio.get_running_loop().call_later(self._load.pause, self._send, body)
        else:
            self._send(body)

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(AssertionError(f"the server hung up: {exc}"))

    def _send(self, body: bytes) -> None:
        request = self._next(body)
        self._is_counted = self._load.counted in request.partition(b"\r\n")[0]
        self._sent_so_far += 1
        self._sent = time.perf_counter()
        self._transport.write(request)

    def _finish(self, error: Exception | None) -> None:
        if not self.done.done():
            if error is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(error)
            self._transport.close()
