"""``tokenq verify``: check stored data against all invariants; safe on a live system."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server import bootstrap
from tokenq_server import settings as settings_module
from tokenq_server.domain.invariants.catalog import AT_REST, RULES
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.services.ports import LedgerDown
from tokenq_server.services.verification.ports import VerifyOptions

_NOBODY_THERE = (
    "Local: Broker transport failure",
    "Local: All broker connections are down",
    "Local: Host resolution failure",
    "Local: Timed out",
)


def check(
    department_ids: Collection[str] = (), tell: Callable[[str], None] = lambda _: None, *, at_rest: bool = False
) -> dict[str, Any]:
    """Check these departments, or all; ``tell`` receives progress. Return the document of ``--json``.

    ``at_rest``: nothing is in flight, so followers of the log must have caught up.

    Raises:
        Refused: a setting is wrong, there is no such department, or Postgres is unavailable.
    """
    settings = settings_module.load()
    try:
        tally = asyncio.run(_run(settings, department_ids, tell, VerifyOptions(at_rest=at_rest)))
    except LedgerDown as error:
        raise refuse(StoreReason.DATABASE_NEEDED) from error
    return _document(tally, set(RULES) if at_rest else set(RULES) - AT_REST)


async def _run(
    settings: settings_module.ServerSettings,
    department_ids: Collection[str],
    tell: Callable[[str], None],
    options: VerifyOptions,
) -> Tally:
    async with bootstrap.open_verifying(settings, tell, options) as verifying:
        return await verifying.run(department_ids)


def _plain_reason(why: str | None) -> str | None:
    """Replace the Kafka library's message if it only means that no broker is available."""
    is_away = why is not None and why.startswith("Kafka: ") and why.endswith(_NOBODY_THERE)
    return "Kafka does not answer" if is_away else why


def _document(tally: Tally, codes: Collection[str]) -> dict[str, Any]:
    return {
        "ok": tally.is_well,
        "rules": [
            {
                "code": code,
                "rule": sentence,
                "checked": tally.checked[code],
                "violations": tally.found[code],
                "notChecked": _plain_reason(tally.unchecked.get(code)),
            }
            for code, sentence in RULES.items()
            if code in codes
        ],
        "violations": [
            {"code": violation.code, "departmentId": violation.department_id or None, "sentence": violation.sentence}
            for kept in tally.violations.values()
            for violation in kept
        ],
    }
