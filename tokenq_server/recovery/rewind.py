"""``tokenq server rewind``: the database was restored from a back-up, while Redis and the topic know more.

Every missing seq becomes an entry ``LOG_REWOUND``, so the log stays gapless and readers, who drop what they have
seen, take what comes next. Numbers and token ids that were given out are not given again; who waited gets back in
line as far as the topic tells; readers are told what changed for them.
"""

import logging
from collections.abc import Sequence
from typing import Any

from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq_server.domain.divergence import Divergence
from tokenq_server.domain.refusals import store_away
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
        raise store_away("database") from error


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
        raise store_away("database" if isinstance(error, LedgerDown) else "broker") from error
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
        return refuse(
            ProblemCode.UNAVAILABLE, "A relay or an API is at work on this database.", "Stop both and try again."
        )
    return refuse(
        ProblemCode.INTERNAL,
        f"The database refuses what the rewind would write ({error}).",
        "Nothing was changed. Its own log says more; please report it.",
    )


def _refuse_too_far(found: Sequence[Divergence]) -> None:
    """Every missing seq becomes an entry: a number out of nowhere must not fill the log with millions of them."""
    for one in found:
        missing = max(one.topic_at, one.redis_at) - one.log_at
        if missing > MAX_GAP:
            raise refuse(
                ProblemCode.LOG_BEHIND,
                f"{one.department_id} lacks {missing} events; a rewind fills in {MAX_GAP} at most.",
                "Restore a newer back-up. If Redis is what is wrong, empty it: it is filled again from the database.",
                departments=[one.department_id],
            )


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
