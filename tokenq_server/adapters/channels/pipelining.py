"""The ``emails`` library's SMTP client, with pipelining (RFC 2920) where the server offers it.

One after the other, a letter takes four round trips. Here it takes two: MAIL, RCPT and DATA are written together, and
then the letter. What the server says to each of them is judged in the same order, and means the same.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple, cast

import aiosmtplib
from aiosmtplib.email import quote_address
from aiosmtplib.protocol import SMTPProtocol, normalize_message_line_endings
from emails.backend.response import SMTPResponse
from emails.backend.smtp.aio_client import AsyncSMTPClientWithResponse
from emails.utils import sanitize_email

from tokenq_server.adapters.channels.addresses import is_plain

_LONGEST_REPLIES = 64 * 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAKEN, _FORWARDED, _GO_ON = 250, 251, 354


class Reply(NamedTuple):
    """A server's reply to one command."""

    code: int
    text: str


class PipeliningClient(AsyncSMTPClientWithResponse):
    """Sends a letter to one address in two round trips, and leaves everything else to the library."""

    _replies: "Replies | None" = None

    async def initialize(self) -> None:
        """Connect, encrypt and log in. Raises SMTPException or OSError."""
        await super().initialize()  # type: ignore[no-untyped-call]
        if self._esmtp and self._smtp.supports_extension("pipelining") and self._smtp.protocol is not None:
            self._replies = Replies(self._smtp.protocol)

    async def sendmail(
        self,
        from_addr: str,
        to_addrs: list[str] | str,
        msg: bytes,
        mail_options: list[str] | None = None,
        rcpt_options: list[str] | None = None,
    ) -> SMTPResponse | None:
        """Send a letter; return what the server said. Raises SMTPException or OSError."""
        if self._replies is None or isinstance(to_addrs, str) or len(to_addrs) != 1 or mail_options or rcpt_options:
            return await super().sendmail(from_addr, to_addrs, msg, mail_options, rcpt_options)
        response: SMTPResponse = self.make_response()
        size = f" SIZE={len(msg)}" if self._smtp.supports_extension("size") else ""
        envelope = f"MAIL FROM:{_path(from_addr)}{size}\r\nRCPT TO:{_path(to_addrs[0])}\r\nDATA\r\n"
        mail, rcpt, data = await self._replies.to(envelope.encode("ascii"), 3)
        if refused := _refused(response, (mail, rcpt, data), from_addr, to_addrs[0]):
            response.set_exception(refused)
            if data.code == _GO_ON:
                self._smtp.close()  # it waits for a letter: even an empty one might be delivered
            return response
        (taken,) = await self._replies.to(_as_data(msg), 1)
        _note(response, "data", taken)
        if taken.code == _TAKEN:
            response._finished = True  # as the library's client says it
        else:
            response.set_exception(aiosmtplib.SMTPDataError(*taken))
        return response


class Replies(asyncio.Protocol):
    """Stands between a connection and the library's protocol, which can read only one reply at a time.

    What is said while nobody here waits is the library's, as before.
    """

    def __init__(self, usual: SMTPProtocol) -> None:
        self._usual = usual
        self._lines: list[bytes] = []
        self._rest = b""
        self._found: list[Reply] = []
        self._wanted = 0
        self._waiter: asyncio.Future[list[Reply]] | None = None
        cast("asyncio.Transport", usual.transport).set_protocol(self)

    async def to(self, commands: bytes, count: int) -> list[Reply]:
        """Write commands and return the replies. Raises SMTPException or OSError."""
        self._lines, self._rest, self._found, self._wanted = [], b"", [], count
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            self._usual.write(commands)
            return await self._waiter
        finally:
            self._waiter = None

    def data_received(self, data: bytes) -> None:
        """Read replies. A last line has no hyphen after its code."""
        if self._waiter is None:
            self._usual.data_received(data)
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._lines.append(line)
            if line[3:4] != b"-":
                self._add(line[:3])
        if len(self._rest) + sum(map(len, self._lines)) > _LONGEST_REPLIES:
            self._fail(aiosmtplib.SMTPResponseException(-1, "Response too long"))

    def eof_received(self) -> bool | None:
        """The server has hung up."""
        self._fail(aiosmtplib.SMTPServerDisconnected("Unexpected EOF received"))
        return self._usual.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._fail(aiosmtplib.SMTPServerDisconnected("Connection lost"))
        self._usual.connection_lost(exc)

    def pause_writing(self) -> None:
        """The server reads too slowly."""
        self._usual.pause_writing()

    def resume_writing(self) -> None:
        """The server has read what was written."""
        self._usual.resume_writing()

    def _add(self, code: bytes) -> None:
        if not code.isdigit():
            self._fail(aiosmtplib.SMTPResponseException(-1, "Malformed SMTP response line"))
            return
        text = b"\n".join(line[4:].strip() for line in self._lines).decode("utf-8", "surrogateescape")
        self._lines = []
        if len(self._found) < self._wanted:  # with the last one may come a goodbye that nobody asked for
            self._found.append(Reply(int(code), text))
            if len(self._found) == self._wanted and self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(self._found)

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)


def _refused(
    response: SMTPResponse, replies: Sequence[Reply], sender: str, recipient: str
) -> aiosmtplib.SMTPException | None:
    """Note the replies up to the first refusal, and return that."""
    mail, rcpt, data = replies
    _note(response, "mail", mail)
    if mail.code != _TAKEN:
        return aiosmtplib.SMTPSenderRefused(*mail, sender)
    _note(response, "rcpt", rcpt)
    if rcpt.code not in {_TAKEN, _FORWARDED}:
        return aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(*rcpt, recipient)])
    if data.code != _GO_ON:
        _note(response, "data", data)
        return aiosmtplib.SMTPDataError(*data)
    return None


def _note(response: SMTPResponse, command: str, reply: Reply) -> None:
    response.set_status(command, reply.code, reply.text.encode("utf-8", "surrogateescape"))


def _path(address: str) -> str:
    """Return an address as it stands in a command. Raises ValueError if it would not be one word."""
    if is_plain(address):
        return f"<{address}>"
    path: str = quote_address(sanitize_email(address))
    if _CONTROL.search(path) or not path.isascii():
        raise ValueError("the address cannot be told to a mail server")
    return path


def _as_data(letter: bytes) -> bytes:
    """Return a letter as it follows DATA: a line of one dot ends it."""
    # Ours has no other line ends; to look for them line by line costs more than to count them.
    is_normal = letter.endswith(b"\r\n") and letter.count(b"\r") == letter.count(b"\n") == letter.count(b"\r\n")
    lines = (letter if is_normal else normalize_message_line_endings(letter)).replace(b"\r\n.", b"\r\n..")
    return (b"." if lines.startswith(b".") else b"") + lines + b".\r\n"
