"""Sending letters: by SMTP with the ``emails`` library's async backend, or as .eml files into a folder."""

import asyncio
import email
import email.policy
import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTPException
from emails.backend.smtp.aio_backend import AsyncSMTPBackend
from emails.message import Message

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import SettingReason
from tokenq_server.services.mailing import Attempt, Letter, Verdict

_TIMEOUT_SECONDS = 60
_HEADERS = {
    "auto-submitted",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "subject",
    "to",
    "x-auto-response-suppress",
}
_SCHEMES = {"smtp": {}, "smtp+starttls": {"tls": True}, "smtps": {"ssl": True}}
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class SmtpMailer:
    """One connection per letter: letters are few, and a connection that idles is a connection that breaks."""

    def __init__(self, url: str) -> None:
        self._options = smtp_options(url)

    async def send(self, letter: Letter) -> Attempt:
        """Try once, in at most two minutes."""
        message = _message(letter)
        backend = _OnceOnly(**self._options)
        try:
            response = await asyncio.wait_for(message.send_async(smtp=backend), 2 * _TIMEOUT_SECONDS)
        except (SMTPException, OSError, TimeoutError) as error:
            # Connected, then lost: the server may have taken the letter before it could say so.
            return Attempt(Verdict.LATER, f"{type(error).__name__}: {error}", is_ambiguous=True)
        finally:
            await backend.close()
        return _verdict(response)


class _OnceOnly(AsyncSMTPBackend):
    """The library sends again by itself when the connection breaks: a letter could arrive twice in one attempt."""

    async def _send_with_retry(self, **letter: Any) -> Any:
        async with self._lock:
            return await self._send(**letter)


class OutboxMailer:
    """Writes letters as .eml files; the same letter always gets the same name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, letter: Letter) -> Attempt:
        """Write the file."""
        try:
            await asyncio.to_thread(self._write, letter)
        except OSError as error:
            return Attempt(Verdict.LATER, f"{letter.file_name}: {error.strerror}")
        return Attempt(Verdict.SENT)

    def _write(self, letter: Letter) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._folder / f".{letter.file_name}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_message(letter).as_bytes())
        part.replace(self._folder / letter.file_name)


def smtp_options(url: str) -> dict[str, Any]:
    """Read TOKENQ_SMTP_URL.

    Raises:
        Refused: ``invalid``.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise refuse(SettingReason.WRONG_SMTP_URL, name="TOKENQ_SMTP_URL")
    options: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or _PORTS[parts.scheme],
        "timeout": _TIMEOUT_SECONDS,
        "local_hostname": socket.gethostname(),
        **_SCHEMES[parts.scheme],
    }
    if parts.username:
        options |= {"user": unquote(parts.username), "password": unquote(parts.password or "")}
    return options


def _message(letter: Letter) -> Any:
    message = Message(
        html=letter.html,
        text=letter.text,
        subject=letter.subject,
        mail_from=letter.sender,
        mail_to=letter.recipient,
        message_id=letter.message_id,
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    _check_headers(message.as_bytes())
    return message


def _check_headers(raw: bytes) -> None:
    """Read the letter back: whatever got in, it must have exactly our headers, each once, and one recipient."""
    names = [name.lower() for name, _ in email.message_from_bytes(raw, policy=email.policy.compat32).items()]
    if len(names) != len(set(names)) or not set(names) <= _HEADERS:
        raise ValueError("the letter has headers that are not ours")


def _verdict(response: Any) -> Attempt:
    status = response.status_code if response is not None else None
    if response is not None and response.success:
        return Attempt(Verdict.SENT)
    error = str(response.error or response.status_text or status) if response is not None else "no answer"
    if status is not None and 500 <= status < 600:
        return Attempt(Verdict.NEVER, f"{status} {error}")
    return Attempt(Verdict.LATER, error)
