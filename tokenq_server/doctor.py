"""``tokenq doctor``, the server's half: every dependency and setting, and how to mend what is wrong."""

import asyncio
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tokenq.contract.problems import Refused
from tokenq_server import settings as settings_module
from tokenq_server.adapters.kafka import probe as kafka
from tokenq_server.adapters.postgres import probe as postgres
from tokenq_server.adapters.redis import probe as redis
from tokenq_server.adapters.smtp import smtp_options
from tokenq_server.behind import look
from tokenq_server.services.findings import Finding
from tokenq_server.services.ports import LedgerDown
from tokenq_server.services.rewinding import refusal
from tokenq_server.settings import ServerSettings

_LIMIT_SECONDS = 10.0


def check() -> list[dict[str, Any]]:
    """Look at everything the server needs; answers name, ok, detail and hint of each."""
    try:
        settings = settings_module.load()
    except Refused as refusal:
        return [asdict(Finding("server settings", False, refusal.problem.detail, refusal.problem.hint))]
    return [asdict(finding) for finding in asyncio.run(_check(settings))]


async def _check(settings: ServerSettings) -> list[Finding]:
    groups = await asyncio.gather(
        _in_time("postgres", postgres.probe(settings.database_url.get_secret_value())),
        _in_time("redis", redis.probe(settings.redis_url.get_secret_value())),
        _in_time("kafka", kafka.probe(settings.kafka_bootstrap)),
        _in_time("log", _log(settings)),
        _in_time("mail", _mail(settings)),
    )
    findings = [Finding("server settings", True, f"{settings.env}")]
    return findings + [finding for group in groups for finding in group]


async def _in_time(name: str, probe: Any) -> list[Finding]:
    try:
        found: list[Finding] = await asyncio.wait_for(probe, _LIMIT_SECONDS)
    except TimeoutError:
        return [Finding(name, False, f"does not answer within {_LIMIT_SECONDS:.0f} seconds", "Look at its log.")]
    return found


async def _log(settings: ServerSettings) -> list[Finding]:
    """Whether the database was restored to a time that others have gone beyond."""
    try:
        behind = await look(settings, must_know=False)
    except LedgerDown:
        return []
    if behind:
        problem = refusal(behind).problem
        return [Finding("log", False, problem.detail, problem.hint)]
    return [Finding("log", True, "ahead of the topic and of Redis, as far as they answer")]


async def _mail(settings: ServerSettings) -> list[Finding]:
    url = settings.smtp_url.get_secret_value()
    if not url:
        return [_outbox(settings.outbox_folder)]
    try:
        options = smtp_options(url)
    except Refused as refusal:
        return [Finding("mail", False, refusal.problem.detail, refusal.problem.hint)]
    host, port = options["host"], options["port"]
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 5)
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
