"""Sends e-mails by SMTP, with the ``emails`` library's async backend."""

import asyncio
import socket
from typing import Any

from aiosmtplib import SMTPException
from emails.backend.smtp.aio_backend import AsyncSMTPBackend

from tokenq_server.adapters.channels.email import Email
from tokenq_server.adapters.channels.mime import mime_message
from tokenq_server.services.notifications import Attempt, Verdict
from tokenq_server.settings import MailServer

_TIMEOUT_SECONDS = 60


class SmtpMailer:
    """Uses one connection per e-mail: they are few, and idle connections break."""

    def __init__(self, server: MailServer) -> None:
        self._options = _options(server)

    async def send(self, email: Email) -> Attempt:
        """Try once, for at most two minutes."""
        message = mime_message(email)
        backend = _OnceOnly(**self._options)
        try:
            response = await asyncio.wait_for(message.send_async(smtp=backend), 2 * _TIMEOUT_SECONDS)
        except (SMTPException, OSError, TimeoutError) as error:
            # Connected, then lost: the server may have accepted the e-mail without confirming it.
            return Attempt(Verdict.RETRY, f"{type(error).__name__}: {error}", is_ambiguous=True)
        finally:
            await backend.close()
        return _verdict(response)


class _OnceOnly(AsyncSMTPBackend):
    """The library's backend without its own retry, which could deliver an e-mail twice in one attempt."""

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
