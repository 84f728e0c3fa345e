"""Looking at the mail server, or at the folder in its place, as the doctor does."""

import asyncio
import os
from pathlib import Path

from tokenq.contract.problems import Refused
from tokenq_server.adapters.channels.smtp import smtp_options
from tokenq_server.services.findings import Finding

_PATIENCE = 5


async def probe(url: str, outbox: Path) -> list[Finding]:
    """Whether the mail server answers; without one, whether letters can be written to the folder."""
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
            Finding("mail", False, f"{host}:{port} does not answer", "Correct TOKENQ_SMTP_URL; letters wait meanwhile.")
        ]
    return [Finding("mail", True, f"{host}:{port} answers")]


def _outbox(folder: Path) -> Finding:
    place = folder
    while not place.exists():
        place = place.parent
    is_writable = os.access(place, os.W_OK)
    hint = "" if is_writable else "Set TOKENQ_MAIL_OUTBOX to a folder of yours, or TOKENQ_SMTP_URL."
    return Finding("mail", is_writable, f"letters go to {folder}", hint)
