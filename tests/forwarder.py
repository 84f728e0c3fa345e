"""A forwarder on loopback: the test decides what is behind one address, as Sentinel or a proxy would."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator


class Forwarder:
    """Accepts connections and forwards them to ``target``, which can change."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    def point_at(self, target: int) -> None:
        """Forward to this target from now on, and cut open connections."""
        self.target = target
        for writer in list(self._open):
            writer.transport.abort()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection in both directions until it ends."""
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, there_writer}
        self._open |= ends
        try:
            await asyncio.gather(_pass_on(reader, there_writer), _pass_on(there_reader, writer))
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@contextlib.asynccontextmanager
async def forwarder(target: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Forwarder]:
    """A forwarder to a port of this machine; with ``tls`` it is the end of an encrypted connection."""
    made = Forwarder(target)
    server = await asyncio.start_server(made.take, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.point_at(target)
