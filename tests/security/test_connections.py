"""Connections that never become a request, or one without end. Row 36."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
import uvicorn

from tests.security.audited import AuditedApi
from tests.security.test_hostile_requests import connect
from tests.waiting import until
from tokenq_server.api.connections import ENVELOPE_BYTES, BoundedConnection

PATIENCE = 0.4
_BEGUN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
_CHUNKED = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


class Impatient(BoundedConnection):
    """The same in less time."""

    head_seconds = PATIENCE


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server that waits a moment only."""
    server = uvicorn.Server(uvicorn.Config(_answer, port=0, http=Impatient, log_config=None, timeout_keep_alive=60))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    until(lambda: server.started)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join()


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """A connection to the impatient server."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


def seconds_until_closed(connection: socket.socket, drip: bytes = b"") -> float:
    """How long the other side keeps the connection while single bytes arrive."""
    began = time.monotonic()
    connection.settimeout(0.05)
    with suppress(ConnectionError):
        while time.monotonic() - began < 10:
            connection.sendall(drip)
            try:
                if not connection.recv(65536):
                    break
            except TimeoutError:
                continue
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("sent", "drip"),
    [
        (b"", b""),
        (b"\r\n", b"\r\n"),
        (_BEGUN, b""),
        (_BEGUN + b"X: ", b"x"),
        (_BEGUN + b"\r\n", b""),
        (_BEGUN + b"\r\nGET", b""),
        (_BEGUN + b"Content-Length: 1000000\r\n\r\n", b"x"),
    ],
    ids=["nothing", "line-breaks", "half-a-head", "drop-by-drop", "idle", "half-the-next", "body-after-its-response"],
)
def test_a_connection_without_a_request_ends(port: int, sent: bytes, drip: bytes) -> None:
    """Thousands of them would take all places, and cost whoever holds them nothing."""
    with connected(port) as connection:
        connection.sendall(sent)
        assert PATIENCE / 2 < seconds_until_closed(connection, drip) < 5


def test_whoever_sends_requests_may_stay(port: int) -> None:
    with connected(port) as connection:
        for _ in range(6):
            connection.sendall(_BEGUN + b"\r\n")
            assert b" 204 " in connection.recv(65536)
            time.sleep(PATIENCE / 3)


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (b"GET /", b"a"),
        (_BEGUN + b"X: ", b"a"),
        (_BEGUN, b"X: y\r\n"),
        (_CHUNKED + b"1;", b"a=b;"),
        (_CHUNKED + b"1\r\n{\r\n0\r\n", b"X: y\r\n"),
    ],
    ids=["address", "header", "headers", "extension", "trailers"],
)
def test_what_stands_around_a_body_is_bounded(audited: AuditedApi, begun: bytes, piece: bytes) -> None:
    """Each byte of it cost fifteen of memory, before anybody has asked who sends it."""
    sent = 0
    with connect(audited) as connection, suppress(ConnectionError):
        connection.sendall(begun)
        for _ in range(400):
            connection.sendall(piece * (ENVELOPE_BYTES // len(piece)))
            sent += 1
            time.sleep(0.01)
    assert sent < 400, "25 megabytes were taken"


def test_a_head_that_is_too_large_is_answered(audited: AuditedApi) -> None:
    with connect(audited) as connection:
        connection.sendall(_BEGUN + b"X: " + b"x" * (4 * ENVELOPE_BYTES))
        answer = b""
        with suppress(ConnectionError):
            while piece := connection.recv(65536):
                answer += piece
    assert answer.startswith(b"HTTP/1.1 431 "), answer
    assert b'"code": "headers_too_large"' in answer


def test_a_large_body_in_small_chunks_is_no_envelope(audited: AuditedApi) -> None:
    with ExitStack() as stack:
        connection = stack.enter_context(connect(audited))
        connection.sendall(_CHUNKED + b"64\r\n" + b" " * 100 + b"\r\n")
        connection.sendall((b"64\r\n" + b" " * 100 + b"\r\n") * 2000 + b"0\r\n\r\n")
        assert b" 422 " in connection.recv(65536).split(b"\r\n")[0]
