"""A TCP proxy that misbehaves on demand: the network between tokenq and a store."""

import asyncio
import socket
import struct
from contextlib import suppress
from enum import StrEnum

from tokenq_server.embedded.ports import free_port


class Weather(StrEnum):
    """What the network does."""

    CLEAR = "clear"
    CUT = "cut"
    """All connections are reset, new ones too."""
    BLACKHOLE = "blackhole"
    """Everything is accepted and nothing forwarded, in either direction: the half-open case."""
    DEAF = "deaf"
    """Requests arrive, responses are dropped, then the connection is reset: the lost acknowledgement."""
    SLOW = "slow"
    """Every chunk is delayed."""
    NARROW = "narrow"
    """A few bytes per second."""


_DELAY_SECONDS = 0.1
_NARROW_BYTES_PER_SECOND = 32_000
_PIECE = 65_536


class Proxy:
    """Listens on its own port and forwards to ``port`` on loopback, subject to the current fault."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self.weather = Weather.CLEAR
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._clear = asyncio.Event()
        self._clear.set()

    async def start(self) -> None:
        """Start to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Reset all connections and stop."""
        if self._server is not None:
            self._server.close()
        self._cut_all()

    def become(self, weather: Weather) -> None:
        """Apply a fault to open and new connections, until it is cleared."""
        self.weather = weather
        self._clear.clear()
        if weather is Weather.CUT:
            self._cut_all()

    def clear_up(self) -> None:
        """Clear the fault. What was swallowed is lost, so the connections of that time end."""
        was, self.weather = self.weather, Weather.CLEAR
        self._clear.set()
        if was in (Weather.BLACKHOLE, Weather.DEAF):
            self._cut_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.weather is Weather.CUT:
                _reset(writer)
                return
            if self.weather is Weather.BLACKHOLE:
                await self._clear.wait()
                _reset(writer)
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(far_writer)
            there = asyncio.create_task(self._pump(reader, far_writer, is_answer=False))
            back = asyncio.create_task(self._pump(far_reader, writer, is_answer=True))
            try:
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (there, back):
                    task.cancel()
                _reset(far_writer)
                self._writers.discard(far_writer)
        except OSError:
            pass
        finally:
            _reset(writer)
            self._writers.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                if self.weather is Weather.BLACKHOLE:
                    await self._clear.wait()
                    return
                if self.weather is Weather.DEAF and is_answer:
                    return
                if self.weather is Weather.SLOW:
                    await asyncio.sleep(_DELAY_SECONDS)
                if self.weather is Weather.NARROW:
                    await asyncio.sleep(len(piece) / _NARROW_BYTES_PER_SECOND)
                writer.write(piece)
                await writer.drain()

    def _cut_all(self) -> None:
        for writer in list(self._writers):
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Abort a connection, so that the other side sees a reset."""
    connection = writer.get_extra_info("socket")
    with suppress(OSError, AttributeError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        writer.transport.abort()
