"""One persistent connection to an API: one request at a time, and exactly how it ended."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

_PATIENCE_SECONDS = 8.0


class Unsent(Exception):
    """No connection: not a byte was sent."""


class Unanswered(Exception):
    """It was sent, and its outcome is unknown."""


class Connection:
    """Connects when needed, and again after any error."""

    def __init__(self, url: str, token: str) -> None:
        where = urlsplit(url)
        assert where.hostname
        assert where.port
        self._host, self._port, self._token = where.hostname, where.port, token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: Mapping[str, Any], key: str) -> tuple[int, str]:
        """Return status and body of the response. Raises Unsent or Unanswered."""
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nIdempotency-Key: {key}\r\n\r\n"
        )
        reader, writer = await self._open()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                writer.write(head.encode() + content)
                return await _answer(reader)
        except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.close()
            raise Unanswered(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            with suppress(OSError):
                self._streams[1].transport.abort()
            self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    self._streams = await asyncio.open_connection(self._host, self._port)
            except (OSError, TimeoutError) as error:
                raise Unsent(str(error)) from error
        return self._streams


async def _answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = int(head.lower().partition("content-length:")[2].partition("\r\n")[0] or 0)
    body = await reader.readexactly(length)
    return int(head.split(" ", 2)[1]), body.decode()
