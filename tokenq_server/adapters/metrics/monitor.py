"""Where relay and notify can be watched: ``/healthz``, ``/readyz`` and ``/metrics``, as the API has them."""

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tokenq.contract import paths
from tokenq_server.adapters.metrics.followers import SignsCollector
from tokenq_server.adapters.metrics.page import CONTENT_TYPE, new_registry, page
from tokenq_server.services.vital_signs import VitalSigns

logger = logging.getLogger(__name__)

_SECONDS = 10.0
"""How long a client may keep a connection without saying anything."""
_Answer = tuple[int, str, bytes]
"""Status, type and body."""


@contextmanager
def monitored(host: str, port: int, program: str, signs: VitalSigns) -> Iterator[None]:
    """Answer those who watch, in a thread. If the address cannot be used, the program does its work all the same."""
    registry = new_registry()
    registry.register(SignsCollector(program, signs))

    class Handler(_Handler):
        def answer(self, path: str) -> _Answer:
            if path == paths.HEALTHZ:
                return _json(200, {"status": "alive"})
            if path == paths.READYZ:
                is_ready = signs.are_good
                state = {"status": "ready" if is_ready else "unavailable", "parts": dict(signs.parts())}
                return _json(200 if is_ready else 503, state)
            if path == paths.METRICS:
                return 200, CONTENT_TYPE, page(registry)
            return _json(404, {"status": "unknown path"})

    try:
        server = _Server((host, port), Handler)
    except OSError as error:
        logger.error("nobody can watch this program", extra={"host": host, "port": port, "why": error.strerror})
        yield
        return
    threading.Thread(target=server.serve_forever, name="monitor", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _SECONDS
    server_version = "tokenq"
    sys_version = ""

    def answer(self, path: str) -> _Answer:
        """Return status, type and body."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Answer."""
        status, kind, body = self.answer(self.path.partition("?")[0])
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Log nothing: it is asked every few seconds."""


def _json(status: int, body: Mapping[str, object]) -> _Answer:
    return status, "application/json", json.dumps(body).encode()
