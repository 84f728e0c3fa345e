"""The guard: checks before anything is committed or sent whether a restored database has lost data."""

from functools import partial

from tokenq_server.domain.divergence import diverged
from tokenq_server.recovery.detection import detect
from tokenq_server.recovery.ports import OpenStores
from tokenq_server.recovery.rewind import rewind
from tokenq_server.services.ports import Guard, LedgerDown


async def guard(open_stores: OpenStores) -> Guard | None:
    """Refuse to start if the database has lost data that other stores have. Unavailable stores are skipped.

    A database in recovery cannot be checked yet: then a guard is returned that must succeed before anything is
    committed or sent. It checks again, and raises LedgerDown or Refused.

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
        divergences = await detect(stores, must_know=False)
        if not divergences:
            return
        if not stores.is_embedded:
            raise diverged(divergences)
        # The topic of 'tokenq up' starts empty each time; what Redis knows can be reconciled without a decision.
        await rewind(stores)
