"""The doctor's check of the mail server, or of the folder in its place."""

import asyncio
import os
from pathlib import Path

from tokenq.contract.problems import Refused
from tokenq_server.services.findings import Finding
from tokenq_server.settings import ServerSettings

_PATIENCE = 5


async def probe(settings: ServerSettings) -> list[Finding]:
    """Check whether the mail server answers; without one, whether the folder is writable."""
    try:
        server = settings.mail_server
    except Refused as refusal:
        return [Finding("mail", False, refusal.problem.detail, refusal.problem.hint, refusal.problem.advice)]
    if server is None:
        return [_outbox(settings.outbox_folder)]
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(server.host, server.port), _PATIENCE)
        writer.close()
    except (OSError, TimeoutError):
        return [
            Finding(
                "mail",
                False,
                f"{server.address} does not answer",
                "Start it, or correct TOKENQ_SMTP_URL. Until then e-mails wait in the queue.",
            )
        ]
    return [Finding("mail", True, f"{server.address} answers")]


def _outbox(folder: Path) -> Finding:
    place = folder
    while not place.exists():
        place = place.parent
    is_writable = os.access(place, os.W_OK)
    hint = "" if is_writable else "Set TOKENQ_MAIL_OUTBOX to a writable folder, or set TOKENQ_SMTP_URL."
    return Finding("mail", is_writable, f"e-mails go to {folder}", hint)
