"""A mail server that keeps what it accepted, and misbehaves on command."""

import asyncio
import json
from email import message_from_bytes
from pathlib import Path

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
        self._log = log.open("a")
        self._server: asyncio.Server | None = None
        self._sessions: set[SMTP] = set()

    @property
    def url(self) -> str:
        """For ``TOKENQ_SMTP_URL``."""
        return f"smtp://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, enable_SMTPUTF8=False), "127.0.0.1", self.port)

    async def close(self) -> None:
        """Stop."""
        if self._server is not None:
            self._server.close()
        self._log.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the letter, if letters are taken now."""
        if not self.reply.startswith("250"):
            return self.reply
        is_cut = self.cuts > 0
        self.cuts -= is_cut
        content = envelope.content
        assert isinstance(content, bytes)
        letter = message_from_bytes(content)
        line = {"messageId": letter["Message-ID"], "rcpt": envelope.rcpt_tos, "reply": 250, "cut": is_cut}
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()
        self.accepted += 1
        if is_cut and server.transport is not None:
            server.transport.abort()
        return self.reply
