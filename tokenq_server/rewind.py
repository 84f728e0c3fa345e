"""``tokenq server rewind``: the database was restored from a back-up, while Redis and the topic know more.

Every missing seq becomes an entry ``LOG_REWOUND``, so the log stays gapless and readers, who drop what they have
seen, take what comes next. Numbers and token ids that were given out are not given again; who waited is put back in
line as far as the topic tells; readers are told what changed for them.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.ledger import PostgresLedger
from tokenq_server.behind import look
from tokenq_server.bootstrap import open_topic
from tokenq_server.domain.refusals import store_away
from tokenq_server.mending import Mending
from tokenq_server.rebuild import rebuild
from tokenq_server.services.evidence import MAX_GAP
from tokenq_server.services.ports import DEADLOCK, LOCKED, Guard, LedgerDown, LedgerRefused
from tokenq_server.services.publishing import PublishFailed
from tokenq_server.services.rewinding import Behind, refusal
from tokenq_server.settings import ServerSettings

logger = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds to wait for a relay to give its place up."""


async def guard(settings: ServerSettings) -> Guard | None:
    """Do not go on where a restored database has forgotten what others know. What else is away is not asked.

    A database that still recovers cannot tell yet: what is answered must succeed before anything is committed or
    sent. It looks again, and raises LedgerDown or Refused.

    Raises:
        Refused: ``log_behind``.
    """
    try:
        await _make_sure(settings)
    except LedgerDown:
        return partial(_make_sure, settings)
    return None


async def _make_sure(settings: ServerSettings) -> None:
    behind = await look(settings, must_know=False)
    if behind and settings.kafka_embedded:
        # The topic of 'tokenq up' begins anew each time; what Redis knows needs nobody's decision.
        await rewind(settings)
    elif behind:
        raise refusal(behind)


async def shown(settings: ServerSettings) -> list[dict[str, Any]]:
    """The departments that are behind, for the command line. Raises Refused."""
    try:
        return [_view(one) for one in await look(settings)]
    except LedgerDown as error:
        raise store_away("database") from error


async def rewind(settings: ServerSettings) -> dict[str, Any]:
    """Carry it out, in one transaction for all affected departments; answers what was done.

    Raises:
        Refused: a store that is needed is away, or somebody is at work on the departments.
    """
    dsn = settings.database_url.get_secret_value()
    log, ledger = (
        PostgresEventLog(dsn, "tokenq-rewind"),
        PostgresLedger(dsn, with_email=settings.events_email == "plain"),
    )
    try:
        await log.take_over(_PATIENCE)  # no relay may publish meanwhile
        cursors = await log.cursors()
        behind = await look(settings)
        _refuse_too_far(behind)
        names = [one.department_id for one in behind]
        told = await open_topic(settings).events_after(cursors, names) if behind else []
        done = await Mending(settings, cursors, told).carry_out(ledger, behind) if behind else {}
    except (LedgerDown, PublishFailed) as error:
        raise store_away("database" if isinstance(error, LedgerDown) else "broker") from error
    except LedgerRefused as error:
        raise _refusal_of(error) from error
    finally:
        await ledger.close()
        await log.close()
    return {"departments": [_view(one) for one in behind], **done, "linesRebuilt": await _lines_rebuilt(settings)}


async def lines_only(settings: ServerSettings) -> dict[str, Any]:
    """Nothing is missing: fill the lines anew, which disturbs nobody at work; answers as ``rewind`` does."""
    return {"departments": [], "linesRebuilt": await _lines_rebuilt(settings)}


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


def _refuse_too_far(behind: Sequence[Behind]) -> None:
    """Every missing seq becomes an entry: a number out of nowhere must not fill the log with millions of them."""
    for one in behind:
        missing = max(one.topic_at, one.redis_at) - one.log_at
        if missing > MAX_GAP:
            raise refuse(
                ProblemCode.LOG_BEHIND,
                f"{one.department_id} lacks {missing} events; a rewind fills in {MAX_GAP} at most.",
                "Restore a newer back-up. If Redis is what is wrong, empty it: it is filled again from the database.",
                departments=[one.department_id],
            )


def _view(one: Behind) -> dict[str, Any]:
    return {
        "departmentId": one.department_id,
        "logAt": one.log_at,
        "topicAt": one.topic_at,
        "redisAt": one.redis_at,
        "isForked": one.is_forked,
    }


async def _lines_rebuilt(settings: ServerSettings) -> bool:
    """All of them: a Redis from another time may hold as many people, but others."""
    try:
        await rebuild(settings)
    except Refused as refusal:
        logger.warning(
            "the waiting lines are not filled anew; run 'tokenq server rebuild'",
            extra={"why": refusal.problem.detail},
        )
        return False
    return True
