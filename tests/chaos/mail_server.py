"""A mail server that takes everything and keeps the record that the checker reads."""

import email
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tokenq_server.embedded.ports import free_port


class _Recorder:
    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = email.message_from_bytes(envelope.original_content or b"")
        line = {"messageId": message["Message-ID"], "rcpt": envelope.rcpt_tos, "reply": 250, "cut": False}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        return "250 OK"

    def close(self) -> None:
        self._file.close()


@contextmanager
def mail_server(log: Path) -> Iterator[str]:
    """Run it; the URL for the sender."""
    recorder = _Recorder(log)
    controller = Controller(recorder, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()
        recorder.close()
