"""Where relay and notify can be watched: ``/healthz``, ``/readyz`` and ``/metrics``, as the API has them."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tokenq.contract import paths
from tokenq_server.adapters.metrics.followers import SignsCollector
from tokenq_server.adapters.metrics.page import CONTENT_TYPE, new_registry, page
from tokenq_server.services.vital_signs import VitalSigns

logger = logging.getLogger(__name__)

_SECONDS = 10.0
"""How long a client may keep a connection without saying anything."""
_JSON = "application/json"


@contextmanager
def monitored(host: str, port: int, program: str, signs: VitalSigns) -> Iterator[None]:
    """Answer those who watch, in a thread. If the address cannot be used, the program does its work all the same."""
    registry = new_registry()
    registry.register(SignsCollector(program, signs))

    class Handler(_Handler):
        def answers(self) -> dict[str, tuple[int, str, bytes]]:
            status = 200 if signs.are_good else 503
            state = {"status": "ready" if signs.are_good else "unavailable", "parts": dict(signs.parts())}
            return {
                paths.HEALTHZ: (200, _JSON, json.dumps({"status": "alive"}).encode()),
                paths.READYZ: (status, _JSON, json.dumps(state).encode()),
                paths.METRICS: (200, CONTENT_TYPE, page(registry)),
            }

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

    def answers(self) -> dict[str, tuple[int, str, bytes]]:
        """Return status, type and body by path."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Answer."""
        status, kind, body = self.answers().get(
            self.path.partition("?")[0], (404, _JSON, json.dumps({"status": "unknown path"}).encode())
        )
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Log nothing: it is asked every few seconds."""
