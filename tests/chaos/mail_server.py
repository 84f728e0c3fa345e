"""A mail server that keeps the record that the checker reads, and misbehaves on command."""

import email
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tokenq_server.embedded.ports import free_port


class MailServer:
    """Answers every DATA with ``reply``; each accepted letter is one line of JSON in ``log``.

    ``cuts`` next letters are accepted and the connection is cut before the answer: what RFC 1047 warns of.
    """

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self.reply = "250 OK"
        self.cuts = 0
        self.accepted = 0
        self._log = log.open("a", encoding="utf-8")
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    @property
    def url(self) -> str:
        """For ``TOKENQ_SMTP_URL``."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to listen, in a thread."""
        self._controller.start()

    def close(self) -> None:
        """Stop."""
        self._controller.stop()
        self._log.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the letter, if letters are taken now."""
        if not self.reply.startswith("250"):
            return self.reply
        is_cut = self.cuts > 0
        self.cuts -= is_cut
        letter = email.message_from_bytes(envelope.original_content or b"")
        line = {"messageId": letter["Message-ID"], "rcpt": envelope.rcpt_tos, "reply": 250, "cut": is_cut}
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()
        self.accepted += 1
        if is_cut and server.transport is not None:
            server.transport.abort()
        return self.reply


@contextmanager
def mail_server(log: Path) -> Iterator[str]:
    """One that takes everything; the URL for the sender."""
    server = MailServer(log)
    server.start()
    try:
        yield server.url
    finally:
        server.close()
