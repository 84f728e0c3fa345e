"""A mail server that takes every letter and keeps none: ``python -m tests.bench.sink PORT``.

As little work as possible, since it shares the machine with what is measured.
"""

import asyncio
import sys

_END = b"\r\n.\r\n"
_REPLIES = {b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", b"QUIT": b"221 bye\r\n"}


class Session(asyncio.Protocol):
    """One connection; commands and letters may come in any pieces."""

    def __init__(self) -> None:
        self._buffer = b""
        self._is_letter = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            taken, found, rest = self._buffer.partition(_END if self._is_letter else b"\r\n")
            if not found:
                return
            self._buffer = rest
            self._answer(taken)

    def _answer(self, taken: bytes) -> None:
        if self._is_letter:
            self._is_letter = False
            self._transport.write(b"250 taken\r\n")
            return
        verb = taken[:4].upper()
        if verb == b"DATA":
            self._is_letter = True
            self._transport.write(b"354 go on\r\n")
            return
        self._transport.write(_REPLIES.get(verb, b"250 ok\r\n"))
        if verb == b"QUIT":
            self._transport.close()


async def serve(port: int) -> None:
    """Listen until killed."""
    server = await asyncio.get_running_loop().create_server(Session, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
