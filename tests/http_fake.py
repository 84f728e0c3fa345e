"""A handwritten HTTP server for the client: scripted responses, recorded requests."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = Callable[["Asked"], None]


@dataclass
class Asked:
    """One request as received, and the handler to respond with."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    connection: int
    handler: BaseHTTPRequestHandler = field(repr=False)

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.send_header("Content-Length", str(len(raw)))
        self.handler.end_headers()
        self.handler.wfile.write(raw)

    def hang_up(self) -> None:
        self.handler.close_connection = True
        self.handler.connection.shutdown(socket.SHUT_RDWR)


def says(status: int, body: Any = None, **headers: str) -> Step:
    """A step that responds."""
    return lambda asked: asked.answer(status, body, **headers)


def hangs_up(asked: Asked) -> None:
    """A step that closes the connection without a response."""
    asked.hang_up()


@dataclass
class FakeServer:
    """The requests so far, and the steps to come; the last step repeats."""

    url: str
    steps: list[Step]
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def handle(self, asked: Asked) -> None:
        self.asked.append(asked)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        step(asked)

    def is_silent(self, asked: Asked) -> None:
        """A step that does not respond until the test is over."""
        self.over.wait()
        asked.hang_up()


@contextmanager
def fake_server(*steps: Step, tls: ssl.SSLContext | None = None) -> Iterator[FakeServer]:
    """A server on loopback that plays ``steps``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: Any) -> None:
            return

        def _handle(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = json.loads(raw) if raw else None
            fake.handle(Asked(self.command, self.path, headers, body, self.client_address[1], self))

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._handle)

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            return

    server = Quiet(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    fake = FakeServer(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", list(steps))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


TOKEN = {
    "tokenId": 101,
    "tokenNo": 12,
    "displayNumber": "CW-012",
    "departmentId": "CW",
    "branchId": "main",
    "businessDay": "2026-08-07",
    "state": "WAITING",
    "priority": "normal",
    "userId": None,
    "name": None,
    "email": None,
    "counterId": None,
    "claimVersion": 3,
    "calls": 0,
    "reason": None,
    "position": 2,
    "issuedAt": "2026-08-07T10:23:45Z",
    "calledAt": None,
    "startedAt": None,
    "servedAt": None,
    "estimate": None,
    "moves": ["call", "cancel"],
}
"""A token as the API shows it."""
