"""Before anything is committed or sent: whether a restored database has forgotten what others know."""

from functools import partial

from tokenq_server.domain.divergence import diverged
from tokenq_server.recovery.detection import detect
from tokenq_server.recovery.ports import OpenStores
from tokenq_server.recovery.rewind import rewind
from tokenq_server.services.ports import Guard, LedgerDown


async def guard(open_stores: OpenStores) -> Guard | None:
    """Do not go on where a database has forgotten what others know. Other stores that are away are not asked.

    A database that still recovers cannot tell yet: what is answered must succeed before anything is committed or
    sent. It looks again, and raises LedgerDown or Refused.

    Raises:
        Refused: ``log_behind``.
    """
    try:
        await _refuse_divergence(open_stores)
    except LedgerDown:
        return partial(_refuse_divergence, open_stores)
    return None


async def _refuse_divergence(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        found = await detect(stores, must_know=False)
        if not found:
            return
        if not stores.is_embedded:
            raise diverged(found)
        # The topic of 'tokenq up' begins anew each time; what Redis knows needs nobody's decision.
        await rewind(stores)
