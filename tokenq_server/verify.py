"""``tokenq verify``: hold what the stores contain against every rule; safe on a live system."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from tokenq.contract.problems import ProblemCode, refuse
from tokenq_server import bootstrap
from tokenq_server import settings as settings_module
from tokenq_server.domain.invariants.catalog import RULES
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.services.ports import LedgerDown


def check(department_ids: Collection[str] = (), tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Check these departments, or all; ``tell`` hears how it goes on. Answers the document of ``--json``.

    Raises:
        Refused: a setting is wrong, there is no such department, or Postgres is away.
    """
    settings = settings_module.load()
    try:
        tally = asyncio.run(_run(settings, department_ids, tell))
    except LedgerDown as error:
        raise refuse(
            ProblemCode.UNAVAILABLE, "The database is away.", "Start it and try again; 'tokenq doctor' helps."
        ) from error
    return document(tally)


async def _run(
    settings: settings_module.ServerSettings, department_ids: Collection[str], tell: Callable[[str], None]
) -> Tally:
    async with bootstrap.open_verifying(settings, tell) as verifying:
        return await verifying.run(department_ids)


def document(tally: Tally) -> dict[str, Any]:
    """A tally as scripts get it."""
    return {
        "ok": tally.is_well,
        "rules": [
            {
                "code": code,
                "rule": sentence,
                "checked": tally.checked[code],
                "violations": tally.found[code],
                "notChecked": tally.unchecked.get(code),
            }
            for code, sentence in RULES.items()
        ],
        "violations": [
            {"code": one.code, "departmentId": one.department_id or None, "sentence": one.sentence}
            for kept in tally.violations.values()
            for one in kept
        ],
    }
