"""A mail server that counts: a folder would not show a duplicate e-mail."""

import email
from collections import defaultdict

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tokenq_server.embedded.ports import free_port


class Mailbox:
    """Accepts all e-mails; ``subjects`` are those of each recipient, in order."""

    def __init__(self) -> None:
        port = free_port()
        self.url = f"smtp://127.0.0.1:{port}"
        self.subjects: dict[str, list[str]] = defaultdict(list)
        self._controller = Controller(self, hostname="127.0.0.1", port=port)

    def start(self) -> None:
        """Start to listen, in a thread."""
        self._controller.start()

    def close(self) -> None:
        """Stop."""
        self._controller.stop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the e-mail."""
        letter = email.message_from_bytes(envelope.original_content or b"")
        for recipient in envelope.rcpt_tos:
            self.subjects[recipient].append(str(letter["Subject"]))
        return "250 OK"
