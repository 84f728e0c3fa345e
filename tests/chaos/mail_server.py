"""A mail server that keeps the record that the checker reads, and misbehaves on command."""

import asyncio
import email
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tokenq_server.embedded.ports import free_port


@dataclass(frozen=True)
class Manners:
    """How the server behaves: what it answers to a recipient and to an e-mail, and seconds until the latter answer."""

    to_address: str = "250 OK"
    to_letter: str = "250 OK"
    dawdles: float = 0.0
    hangs_up: bool = False


class MailServer:
    """Behaves as ``manners`` say; each accepted e-mail is one line of JSON in ``log``.

    ``cuts`` next e-mails are accepted and the connection is cut before the answer: what RFC 1047 warns of.
    """

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self.manners = Manners()
        self.cuts = 0
        self.accepted = 0
        self._log = log.open("a", encoding="utf-8")
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    @property
    def url(self) -> str:
        """For ``TOKENQ_SMTP_URL``."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start to listen, in a thread."""
        self._controller.start()

    def close(self) -> None:
        """Stop."""
        self._controller.stop()
        self._log.close()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept the recipient, if set so now."""
        manners = self.manners
        if manners.hangs_up and server.transport is not None:
            server.transport.abort()
        if manners.to_address.startswith("250"):
            envelope.rcpt_tos.append(address)
        return manners.to_address

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Accept the e-mail, if set so now."""
        manners = self.manners  # another thread may change it at any time
        if not manners.to_letter.startswith("250"):
            return manners.to_letter
        is_cut = self.cuts > 0
        self.cuts -= is_cut
        letter = email.message_from_bytes(envelope.original_content or b"")
        line = {"messageId": letter["Message-ID"], "rcpt": envelope.rcpt_tos, "reply": 250, "cut": is_cut}
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()
        self.accepted += 1
        if is_cut and server.transport is not None:
            server.transport.abort()
        await asyncio.sleep(manners.dawdles)
        return manners.to_letter


@contextmanager
def mail_server(log: Path) -> Iterator[str]:
    """A server that accepts everything; yields its URL."""
    server = MailServer(log)
    server.start()
    try:
        yield server.url
    finally:
        server.close()
