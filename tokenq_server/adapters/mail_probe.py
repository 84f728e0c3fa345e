"""The doctor's check of the mail server, or of the folder in its place."""

import asyncio
import os
from pathlib import Path

from tokenq.contract.problems import Refused
from tokenq_server.adapters.channels.smtp import smtp_options
from tokenq_server.services.findings import Finding

_PATIENCE = 5


async def probe(url: str, outbox: Path) -> list[Finding]:
    """Check whether the mail server answers; without one, whether the folder is writable."""
    if not url:
        return [_outbox(outbox)]
    try:
        options = smtp_options(url)
    except Refused as refusal:
        return [Finding("mail", False, refusal.problem.detail, refusal.problem.hint, refusal.problem.advice)]
    host, port = options["host"], options["port"]
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _PATIENCE)
        writer.close()
    except (OSError, TimeoutError):
        return [
            Finding(
                "mail",
                False,
                f"{host}:{port} does not answer",
                "Start it, or correct TOKENQ_SMTP_URL. Until then e-mails wait in the queue.",
            )
        ]
    return [Finding("mail", True, f"{host}:{port} answers")]


def _outbox(folder: Path) -> Finding:
    place = folder
    while not place.exists():
        place = place.parent
    is_writable = os.access(place, os.W_OK)
    hint = "" if is_writable else "Set TOKENQ_MAIL_OUTBOX to a writable folder, or set TOKENQ_SMTP_URL."
    return Finding("mail", is_writable, f"e-mails go to {folder}", hint)
