"""Writes e-mails as .eml files into a folder if there is no mail server."""

import asyncio
import os
from pathlib import Path

from tokenq_server.adapters.channels.email import Email
from tokenq_server.adapters.channels.mime import mime_message
from tokenq_server.services.notifications import Attempt, Verdict


class EmlFolder:
    """Writes e-mails as .eml files; the same e-mail always gets the same name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, email: Email) -> Attempt:
        """Write the file."""
        try:
            await asyncio.to_thread(self._write, email)
        except OSError as error:
            return Attempt(Verdict.RETRY, f"{email.file_name}: {error.strerror}")
        return Attempt(Verdict.SENT)

    async def close(self) -> None:
        """Nothing is kept open."""

    def _write(self, email: Email) -> None:
        part = self._folder / f".{email.file_name}.part"
        try:
            file = _create(part)
        except FileNotFoundError:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = _create(part)
        with os.fdopen(file, "wb") as opened:
            opened.write(mime_message(email).as_bytes())
        part.replace(self._folder / email.file_name)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
