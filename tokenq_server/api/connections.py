"""Connections that end by themselves: who sends no request, or one without end, holds neither a place nor memory.

The framework sees a request when its head is complete. What comes before, and what stands around a body, is bounded
here. The protocol sees a TLS connection when its handshake is complete: what comes before that, the loop bounds.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tokenq.contract.problems import PROBLEM_MEDIA_TYPE, refuse
from tokenq.contract.reasons.system import RequestReason

if TYPE_CHECKING:
    _Loop = asyncio.SelectorEventLoop
else:
    try:
        from uvloop import Loop as _Loop
    except ImportError:
        from asyncio import SelectorEventLoop as _Loop

HANDSHAKE_SECONDS = 10.0
"""How long a client may take for the handshake of TLS; the library's minute holds a place for too long."""
HEAD_SECONDS = 20.0
"""How long a client may take for a whole head, from its connection or from the last response on."""
ENVELOPE_BYTES = 64 * 1024
"""What a request may bring besides its body: its head, and the sizes, extensions and trailers of chunks."""
_LINGER_SECONDS = 1.0
"""How long a refused client may still send, so that it reads the answer before its connection is reset."""


class BoundedLoop(_Loop):
    """The event loop that uvicorn would choose, whose TLS servers wait for nobody for long."""

    handshake_seconds = HANDSHAKE_SECONDS

    async def create_server(self, *args: Any, **options: Any) -> Any:
        """Listen as usual."""
        if options.get("ssl"):
            options = {
                "ssl_handshake_timeout": self.handshake_seconds,
                "ssl_shutdown_timeout": self.handshake_seconds,
                **options,
            }
        return await super().create_server(*args, **options)


class BoundedConnection(HttpToolsProtocol):
    """One connection. Its limits are attributes, so that a test can be quick."""

    head_seconds = HEAD_SECONDS
    _ending: asyncio.TimerHandle | None = None
    _envelope = 0
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._end_after(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._end_after(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take data, unless it is too much around too little."""
        if self._is_refused:
            return
        self._envelope += len(data)
        super().data_received(data)
        if self._envelope > ENVELOPE_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        """Count anew."""
        self._envelope = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Wait no more: from here on, the request's own limits hold."""
        self._end_after(None)
        self._envelope = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Leave bodies out of what is counted: their limit is a setting."""
        self._envelope = max(0, self._envelope - len(body))
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Begin to wait for the next head, also if the rest of a body still comes."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._end_after(self.head_seconds)

    def _end_after(self, seconds: float | None) -> None:
        if self._ending is not None:
            self._ending.cancel()
        # What is not read by then never will be: nothing is left to wait for.
        self._ending = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)

    def _refuse(self) -> None:
        """Answer 431; in the middle of a request or a response there is no answer, only an end."""
        if self._ending is None:
            self.transport.abort()
            return
        self._is_refused = True
        self.headers, self.url = [], b""
        problem = refuse(RequestReason.HEADERS_TOO_LARGE).problem
        body = json.dumps(problem.to_wire()).encode()
        lines = [
            f"HTTP/1.1 {problem.code.status} Request Header Fields Too Large",
            f"content-type: {PROBLEM_MEDIA_TYPE}",
            f"content-length: {len(body)}",
            "connection: close",
        ]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self._end_after(_LINGER_SECONDS)
