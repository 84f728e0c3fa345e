"""``tokenq doctor``, server side: checks every dependency and setting, and says how to fix problems."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from tokenq.contract.problems import Problem, Refused
from tokenq_server import bootstrap
from tokenq_server import settings as settings_module
from tokenq_server.domain.divergence import diverged
from tokenq_server.recovery.detection import detect
from tokenq_server.services.findings import Finding
from tokenq_server.services.limit_findings import limit_findings
from tokenq_server.services.ports import LedgerDown
from tokenq_server.settings import ServerSettings

_LIMIT_SECONDS = 10.0
_ORDER = ("postgres", "redis", "kafka", "log", "mail")


def check(*, only_mail: bool = False) -> list[dict[str, Any]]:
    """Check everything that the server needs, or only the mail server; return name, ok, detail and hint of each."""
    try:
        settings = settings_module.load()
    except Refused as refusal:
        problem = refusal.problem
        return [_view(Finding("server settings", False, problem.detail, problem.hint, problem.advice))]
    return [_view(finding) for finding in asyncio.run(_check(settings, ("mail",) if only_mail else _ORDER))]


def _view(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "advice": finding.advice.to_wire() if finding.advice else None}


async def _check(settings: ServerSettings, names: Sequence[str]) -> list[Finding]:
    probes = bootstrap.probe_stores(settings) | {"log": _log(settings)}
    for name in probes.keys() - set(names):
        probes.pop(name).close()
    groups = await asyncio.gather(*(_in_time(name, probes[name]) for name in names))
    findings = [Finding("server settings", True, f"{settings.env}")]
    if "redis" in names:
        findings += [_exposure(settings, refusal.problem) for refusal in await _exposures(settings)]
        findings += limit_findings(settings.limits)
    return findings + [finding for group in groups for finding in group]


async def _exposures(settings: ServerSettings) -> list[Refused]:
    with suppress(Refused):  # an unavailable database has a finding of its own
        if found := await bootstrap.database_exposure(settings):
            return [found, *bootstrap.exposures(settings)]
    return bootstrap.exposures(settings)


def _exposure(settings: ServerSettings, problem: Problem) -> Finding:
    """Something that is open. The API refuses it in production if strict; otherwise it is worth reading."""
    is_refused = settings.strict and settings.env == "production"
    return Finding("exposure", not is_refused, problem.detail, problem.hint, problem.advice, warning=not is_refused)


async def _in_time(name: str, probe: Coroutine[Any, Any, list[Finding]]) -> list[Finding]:
    try:
        return await asyncio.wait_for(probe, _LIMIT_SECONDS)
    except TimeoutError:
        return [Finding(name, False, f"does not answer within {_LIMIT_SECONDS:.0f} seconds", "Check its log.")]


async def _log(settings: ServerSettings) -> list[Finding]:
    """Whether the database was restored to a state that other stores are ahead of."""
    try:
        async with bootstrap.open_recovery(settings) as stores:
            divergences = await detect(stores, must_know=False)
    except (LedgerDown, Refused):
        return []  # an unavailable store or a wrong address has a finding of its own
    if divergences:
        problem = diverged(divergences).problem
        return [Finding("log", False, problem.detail, problem.hint, problem.advice)]
    return [Finding("log", True, "not behind the topic or Redis, as far as these are available")]
