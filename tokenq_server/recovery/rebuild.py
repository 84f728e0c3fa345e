"""``tokenq server rebuild``: replace every queue in Redis by one built from Postgres."""

import logging
from collections.abc import Mapping

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.recovery.ports import Ledger, Stores
from tokenq_server.services.ports import DEADLOCK, LOCKED, Ask, LedgerDown, LedgerRefused, LineDown, WaitingLine

logger = logging.getLogger(__name__)


async def rebuild_lines(stores: Stores) -> dict[str, int]:
    """Rebuild every queue, each under its department's lock; safe on a live system. Return the tokens waiting in each.

    Raises:
        Refused: Postgres or Redis is unavailable; or a department was locked too long, and the others are done.
    """
    filled: dict[str, int] = {}
    refused: dict[str, LedgerRefused] = {}
    try:
        for department in await stores.departments.departments():
            name = department.department_id
            try:
                waiting = await _fill(stores.ledger, stores.line_to_fill, name)
            except LedgerRefused as error:
                refused[name] = error
            else:
                filled |= {} if waiting is None else {name: waiting}
    except (LedgerDown, LineDown) as error:
        reason = StoreReason.DATABASE_NEEDED if isinstance(error, LedgerDown) else StoreReason.REDIS_NEEDED
        raise refuse(reason) from error
    if refused:
        raise _refusal(refused)
    return filled


async def _fill(ledger: Ledger, line: WaitingLine, name: str) -> int | None:
    """Return how many wait; ``None`` if the department no longer exists."""
    async with ledger.open() as transaction:
        locked = await transaction.lock([name])
        if name not in locked.departments:
            return None
        _, head = locked.departments[name]
        entries = await transaction.waiting(name)
        await line.install(Ask(name, head.day, head.last_no, head.last_seq), entries)
    logger.info("waiting line rebuilt", extra={"department": name, "waiting": len(entries)})
    return len(entries)


def _refusal(refused: Mapping[str, LedgerRefused]) -> Refused:
    """The refusal that names the departments not rebuilt."""
    error = next(iter(refused.values()))
    reason = StoreReason.LINE_BUSY if error.constraint in (LOCKED, DEADLOCK) else StoreReason.LINE_UNREADABLE
    names = list(refused)
    return refuse(reason, {"departments": names}, departments=names, error=str(error))
