"""Sends e-mails by SMTP, with the ``emails`` library's async backend."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiosmtplib import SMTPException
from emails.backend.smtp.aio_backend import AsyncSMTPBackend
from emails.backend.smtp.aio_client import AsyncSMTPClientWithResponse

from tokenq_server.adapters.channels.email import Email
from tokenq_server.adapters.channels.mime import mime_message
from tokenq_server.adapters.channels.pipelining import PipeliningClient
from tokenq_server.destinations import MailServer
from tokenq_server.services.notifications import Attempt, Verdict

_TIMEOUT_SECONDS = 60
_KEPT_SECONDS = 5.0
"""How long a connection without an e-mail is kept: servers close idle ones, and count those that are open."""
_TRUSTED_SECONDS = 0.5
"""After so long without an e-mail, a connection must answer before it gets one."""


class SmtpMailer:
    """Sends each e-mail on a connection of its own, which the next one may get."""

    def __init__(self, server: MailServer) -> None:
        self._options = _options(server)
        self._idle: list[_Connection] = []
        self._closing: asyncio.TimerHandle | None = None
        self._ends: set[asyncio.Task[None]] = set()

    async def send(self, email: Email) -> Attempt:
        """Try once, for at most two minutes.

        Raises:
            ValueError: the e-mail must not be sent.
        """
        message = mime_message(email)
        message.as_bytes()  # made before a connection waits for it
        async with self._connection() as connection:
            try:
                async with asyncio.timeout(2 * _TIMEOUT_SECONDS):
                    response = await message.send_async(smtp=connection.backend)
            except (SMTPException, OSError, TimeoutError) as error:
                # Connected, then lost: the server may have accepted the e-mail without confirming it.
                return Attempt(Verdict.RETRY, f"{type(error).__name__}: {error}", is_ambiguous=True)
            attempt = _verdict(response)
            connection.is_well = attempt.verdict is Verdict.SENT
            return attempt

    async def close(self) -> None:
        """Close the kept connections."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.close() for connection in idle), *self._ends)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["_Connection"]:
        connection = await self._usable() or _Connection(_OnceOnly(**self._options))
        connection.is_well = False
        try:
            yield connection
        finally:
            if connection.is_well:
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
                self._close_later()
            else:
                await connection.close()

    async def _usable(self) -> "_Connection | None":
        """Return the connection used last that still answers; close those that do not."""
        while self._idle:
            connection = self._idle.pop()
            if time.monotonic() - connection.idle_since < _TRUSTED_SECONDS or await connection.answers():
                return connection
            await connection.close()
        return None

    def _close_later(self) -> None:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().call_later(_KEPT_SECONDS, self._close_old)

    def _close_old(self) -> None:
        self._closing = None
        now = time.monotonic()
        old = [connection for connection in self._idle if now - connection.idle_since >= _KEPT_SECONDS]
        self._idle = [connection for connection in self._idle if connection not in old]
        for connection in old:
            end = asyncio.ensure_future(connection.close())
            self._ends.add(end)
            end.add_done_callback(self._ends.discard)
        if self._idle:
            self._close_later()


@dataclass(eq=False)
class _Connection:
    """A connection, made with the first e-mail; ``is_well``: the last one was taken."""

    backend: "_OnceOnly"
    is_well: bool = False
    idle_since: float = 0.0

    async def answers(self) -> bool:
        """Whether the server is still there."""
        with suppress(SMTPException, OSError, TimeoutError):
            await asyncio.wait_for(self.backend.ask(), _KEPT_SECONDS)
            return True
        return False

    async def close(self) -> None:
        """Say goodbye, to whoever still listens."""
        with suppress(SMTPException, OSError, TimeoutError):
            await asyncio.wait_for(self.backend.close(), _KEPT_SECONDS)


class _OnceOnly(AsyncSMTPBackend):
    """The library's backend without its own retry, which could deliver an e-mail twice in one attempt."""

    async def _get_client_unlocked(self) -> AsyncSMTPClientWithResponse:
        if self._client is None:
            client = PipeliningClient(parent=self, ssl=self.ssl, **self.smtp_cls_kwargs)
            await client.initialize()
            self._client = client
        return self._client

    async def ask(self) -> None:
        """Return if the server answers. Raises SMTPException or OSError."""
        async with self._lock:
            client = await self._get_client_unlocked()
            await client._smtp.noop()  # the library has no way of its own to ask

    async def _send_with_retry(self, **letter: Any) -> Any:
        async with self._lock:
            return await self._send(**letter)


def _options(server: MailServer) -> dict[str, Any]:
    options: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "timeout": _TIMEOUT_SECONDS,
        "local_hostname": socket.gethostname(),
        "tls": server.tls,
        "ssl": server.ssl,
    }
    return options | ({"user": server.user, "password": server.password} if server.user else {})


def _verdict(response: Any) -> Attempt:
    status = response.status_code if response is not None else None
    if response is not None and response.success:
        return Attempt(Verdict.SENT)
    error = str(response.error or response.status_text or status) if response is not None else "no answer"
    if status is not None and 500 <= status < 600:
        return Attempt(Verdict.PERMANENT, f"{status} {error}")
    return Attempt(Verdict.RETRY, error)
