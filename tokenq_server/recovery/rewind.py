"""``tokenq server rewind``: the database was restored from a back-up, while Redis and the topic know more.

Every missing seq becomes an entry ``LOG_REWOUND``, so the log stays gapless and readers, who drop what they have
seen, take what comes next. Numbers and token ids that were given out are not given again; who waited gets back in
line as far as the topic tells; readers are told what changed for them.
"""

import logging
from collections.abc import Sequence
from typing import Any

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.domain.divergence import Divergence
from tokenq_server.recovery.contiguous_tail import MAX_GAP
from tokenq_server.recovery.detection import detect
from tokenq_server.recovery.ports import Stores
from tokenq_server.recovery.rebuild import rebuild_lines
from tokenq_server.recovery.reconcile import Reconciliation
from tokenq_server.services.ports import DEADLOCK, LOCKED, LedgerDown, LedgerRefused
from tokenq_server.services.publishing import PublishFailed

logger = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds to wait for a relay to give its place up."""


async def show(stores: Stores) -> list[dict[str, Any]]:
    """The departments whose log has diverged, for the command line. Raises Refused."""
    try:
        return [_view(one) for one in await detect(stores)]
    except LedgerDown as error:
        raise refuse(StoreReason.DATABASE_NEEDED) from error


async def rewind(stores: Stores) -> dict[str, Any]:
    """Carry it out, in one transaction for all affected departments; answers what was done.

    Raises:
        Refused: a store that is needed is away, or somebody is at work on the departments.
    """
    try:
        await stores.log.take_over(_PATIENCE)  # no relay may publish meanwhile
        cursors = await stores.log.cursors()
        found = await detect(stores)
        _refuse_too_far(found)
        names = [one.department_id for one in found]
        told = await stores.topic.events_after(cursors, names) if found else []
        done = await Reconciliation(stores, cursors, told).carry_out(found) if found else {}
    except (LedgerDown, PublishFailed) as error:
        reason = StoreReason.DATABASE_NEEDED if isinstance(error, LedgerDown) else StoreReason.BROKER_NEEDED
        raise refuse(reason) from error
    except LedgerRefused as error:
        raise _refusal_of(error) from error
    finally:
        await stores.log.close()
    return {"departments": [_view(one) for one in found], **done, "linesRebuilt": await _try_to_rebuild(stores)}


async def rebuild_only(stores: Stores) -> dict[str, Any]:
    """Nothing is missing: fill the lines anew, which disturbs nobody at work; answers as ``rewind`` does."""
    return {"departments": [], "linesRebuilt": await _try_to_rebuild(stores)}


def _refusal_of(error: LedgerRefused) -> Refused:
    if error.constraint in (LOCKED, DEADLOCK):
        return refuse(StoreReason.IN_USE_BY_OTHERS)
    return refuse(StoreReason.REWIND_REFUSED, error=str(error))


def _refuse_too_far(found: Sequence[Divergence]) -> None:
    """Every missing seq becomes an entry: a number out of nowhere must not fill the log with millions of them."""
    for one in found:
        missing = max(one.topic_at, one.redis_at) - one.log_at
        if missing > MAX_GAP:
            extra = {"departments": [one.department_id]}
            raise refuse(StoreReason.TOO_FAR_BEHIND, extra, department=one.department_id, missing=missing, most=MAX_GAP)


def _view(one: Divergence) -> dict[str, Any]:
    return {
        "departmentId": one.department_id,
        "logAt": one.log_at,
        "topicAt": one.topic_at,
        "redisAt": one.redis_at,
        "isForked": one.is_forked,
    }


async def _try_to_rebuild(stores: Stores) -> bool:
    """All lines are filled anew: a Redis from another time may hold as many people, but others."""
    try:
        await rebuild_lines(stores)
    except Refused as refusal:
        logger.warning(
            "the waiting lines are not filled anew; a rebuild does it",
            extra={"why": refusal.problem.detail},
        )
        return False
    return True
