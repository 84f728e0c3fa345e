"""``tokenq server rewind``: the database was restored from a backup, while Redis and the topic are ahead.

Every missing seq becomes a ``LOG_REWOUND`` entry, so that the log stays gapless and readers, which drop what they have
seen, accept what comes next. Numbers and token ids already issued are not issued again; waiting customers return to the
queue as far as the topic shows; readers receive what changed for them.
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
"""Seconds to wait for a relay to release its lock."""


async def show(stores: Stores) -> list[dict[str, Any]]:
    """Return the departments whose log has diverged, for the command line. Raises Refused."""
    try:
        return [_view(divergence) for divergence in await detect(stores)]
    except LedgerDown as error:
        raise refuse(StoreReason.DATABASE_NEEDED) from error


async def rewind(stores: Stores) -> dict[str, Any]:
    """Rewind all affected departments in divergence transaction; return a summary.

    Raises:
        Refused: a required store is unavailable, or another process holds the departments.
    """
    try:
        await stores.log.take_over(_PATIENCE)  # no relay may publish meanwhile
        cursors = await stores.log.cursors()
        divergences = await detect(stores)
        _refuse_too_far(divergences)
        names = [divergence.department_id for divergence in divergences]
        lost_events = await stores.topic.events_after(cursors, names) if divergences else []
        done = await Reconciliation(stores, cursors, lost_events).carry_out(divergences) if divergences else {}
    except (LedgerDown, PublishFailed) as error:
        reason = StoreReason.DATABASE_NEEDED if isinstance(error, LedgerDown) else StoreReason.BROKER_NEEDED
        raise refuse(reason) from error
    except LedgerRefused as error:
        raise _refusal_of(error) from error
    finally:
        await stores.log.close()
    return {
        "departments": [_view(divergence) for divergence in divergences],
        **done,
        "linesRebuilt": await _try_to_rebuild(stores),
    }


async def rebuild_only(stores: Stores) -> dict[str, Any]:
    """Rebuild the queues when nothing is missing, without disturbing work; returns the same as ``rewind``."""
    return {"departments": [], "linesRebuilt": await _try_to_rebuild(stores)}


def _refusal_of(error: LedgerRefused) -> Refused:
    if error.constraint in (LOCKED, DEADLOCK):
        return refuse(StoreReason.IN_USE_BY_OTHERS)
    return refuse(StoreReason.REWIND_REFUSED, error=str(error))


def _refuse_too_far(divergences: Sequence[Divergence]) -> None:
    """Every missing seq becomes an entry: a forged divergence must not fill the log with millions of them."""
    for divergence in divergences:
        missing = max(divergence.topic_at, divergence.redis_at) - divergence.log_at
        if missing > MAX_GAP:
            extra = {"departments": [divergence.department_id]}
            raise refuse(
                StoreReason.TOO_FAR_BEHIND, extra, department=divergence.department_id, missing=missing, most=MAX_GAP
            )


def _view(divergence: Divergence) -> dict[str, Any]:
    return {
        "departmentId": divergence.department_id,
        "logAt": divergence.log_at,
        "topicAt": divergence.topic_at,
        "redisAt": divergence.redis_at,
        "isForked": divergence.is_forked,
    }


async def _try_to_rebuild(stores: Stores) -> bool:
    """Rebuild all queues: a Redis from another time may hold as many tokens, but others."""
    try:
        await rebuild_lines(stores)
    except Refused as refusal:
        logger.warning(
            "the queues in Redis could not be rebuilt; run a rebuild",
            extra={"why": refusal.problem.detail},
        )
        return False
    return True
