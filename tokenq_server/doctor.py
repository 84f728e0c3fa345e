"""``tokenq doctor``, the server's half: every dependency and setting, and how to mend what is wrong."""

import asyncio
from collections.abc import Awaitable
from dataclasses import asdict
from typing import Any

from tokenq.contract.problems import Refused
from tokenq_server import bootstrap
from tokenq_server import settings as settings_module
from tokenq_server.domain.divergence import diverged
from tokenq_server.recovery.detection import detect
from tokenq_server.services.findings import Finding
from tokenq_server.services.ports import LedgerDown
from tokenq_server.settings import ServerSettings

_LIMIT_SECONDS = 10.0
_ORDER = ("postgres", "redis", "kafka", "log", "mail")


def check() -> list[dict[str, Any]]:
    """Look at everything the server needs; answers name, ok, detail and hint of each."""
    try:
        settings = settings_module.load()
    except Refused as refusal:
        problem = refusal.problem
        return [_view(Finding("server settings", False, problem.detail, problem.hint, problem.advice))]
    return [_view(finding) for finding in asyncio.run(_check(settings))]


def _view(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "advice": finding.advice.to_wire() if finding.advice else None}


async def _check(settings: ServerSettings) -> list[Finding]:
    probes = bootstrap.probe_stores(settings) | {"log": _log(settings)}
    groups = await asyncio.gather(*(_in_time(name, probes[name]) for name in _ORDER))
    findings = [Finding("server settings", True, f"{settings.env}")]
    return findings + [finding for group in groups for finding in group]


async def _in_time(name: str, probe: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        return await asyncio.wait_for(probe, _LIMIT_SECONDS)
    except TimeoutError:
        return [Finding(name, False, f"does not answer within {_LIMIT_SECONDS:.0f} seconds", "Look at its log.")]


async def _log(settings: ServerSettings) -> list[Finding]:
    """Whether the database was restored to a time that others have gone beyond."""
    try:
        async with bootstrap.open_recovery(settings) as stores:
            found = await detect(stores, must_know=False)
    except (LedgerDown, Refused):
        return []  # the store that is away, or whose address is wrong, has a finding of its own
    if found:
        problem = diverged(found).problem
        return [Finding("log", False, problem.detail, problem.hint, problem.advice)]
    return [Finding("log", True, "ahead of the topic and of Redis, as far as they answer")]
