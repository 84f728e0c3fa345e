"""``tokenq notify``: from the topic into the queue, and from the queue to customers, in one process."""

import asyncio
import logging
import signal
from contextlib import suppress
from typing import Any

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server import bootstrap, settings
from tokenq_server.notify import enqueuer, sender
from tokenq_server.notify.enqueuer import Enqueuer, is_of_the_store, sort_out
from tokenq_server.notify.sender import Sender
from tokenq_server.services.notifications import Channels, DeadLetter, NewJob, NotificationQueue, RawRecord
from tokenq_server.services.ports import Guard, LedgerDown
from tokenq_server.services.views import instant
from tokenq_server.services.vital_signs import VitalSigns

logger = logging.getLogger(__name__)

_PAUSE = 0.5


async def serve(chosen: settings.ServerSettings, guard: Guard | None = None) -> None:
    """Run until SIGTERM or SIGINT. Nothing is enqueued or sent before ``guard`` has succeeded.

    Raises:
        Refused: the guard refuses, or a channel's setting is wrong.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    channels = bootstrap.open_channels(chosen)  # a wrong setting ends the program before it waits for anything
    signs = VitalSigns(enqueuer.PART, sender.PART)
    with bootstrap.monitored(chosen, "notify", signs):
        if guard is not None:
            await _wait_for_guard(guard, stop)
        async with bootstrap.open_notification_queue(chosen) as queue, bootstrap.open_letter_limit(chosen) as limit:
            taking_in = Enqueuer(bootstrap.open_consumer(chosen), queue, channels, stop, signs)
            sending = Sender(queue, channels, stop, limit=limit, signs=signs)
            await asyncio.gather(taking_in.run(), sending.run())
            await asyncio.gather(*(channel.close() for channel in channels))


async def _wait_for_guard(guard: Guard, stop: asyncio.Event) -> None:
    """Run the guard until the database can be checked, or until told to stop."""
    while not stop.is_set():
        with suppress(LedgerDown):
            await guard()
            return
        logger.warning("the database cannot be checked for lost data yet; notifications wait")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE)


async def dead_letters() -> list[dict[str, Any]]:
    """Return the open entries of the dead-letter queue. Raises Refused."""
    async with bootstrap.open_notification_queue(settings.load()) as queue:
        return [_view(entry) for entry in await queue.dead_letters()]


async def dead_letter(dlq_id: int) -> dict[str, Any]:
    """Return one entry with all details. Raises Refused."""
    async with bootstrap.open_notification_queue(settings.load()) as queue:
        entry = await queue.dead_letter(dlq_id)
    if entry is None:
        raise _unknown_letter(dlq_id)
    raw = entry.raw.decode("utf-8", "backslashreplace") if entry.raw is not None else None
    return _view(entry) | {"raw": raw}


async def retry(dlq_ids: list[int]) -> int:
    """Make notifications due again, and process records again; return how many. Unreadable records stay.

    Raises:
        Refused: there is no such entry, or a channel's setting is wrong; nothing was done.
    """
    chosen = settings.load()
    async with bootstrap.open_notification_queue(chosen) as queue:
        await _refuse_unknown(queue, dlq_ids)
        return sum([await _retry(queue, chosen, dlq_id) for dlq_id in dlq_ids])


async def _retry(queue: NotificationQueue, chosen: settings.ServerSettings, dlq_id: int) -> bool:
    entry = await queue.dead_letter(dlq_id)
    if entry is not None and entry.raw is not None:
        record = RawRecord(entry.topic or "", entry.partition or 0, entry.offset or 0, entry.raw)
        jobs, bad = sort_out([record])
        if bad or not await _is_enqueued(queue, jobs, bootstrap.open_channels(chosen)):
            return False
    return await queue.revive(dlq_id)


async def _is_enqueued(queue: NotificationQueue, jobs: list[NewJob], channels: Channels) -> bool:
    """A record that the database refuses stays, and must not block the others. Raises Refused."""
    try:
        return await queue.enqueue(jobs, [], channels) == len(jobs)
    except Exception as error:
        if is_of_the_store(error):
            raise
        logger.warning("a record still cannot be processed", exc_info=None if isinstance(error, Refused) else error)
        return False


async def drop(dlq_ids: list[int]) -> int:
    """Close entries for good; return how many.

    Raises:
        Refused: there is no such entry; nothing was done.
    """
    async with bootstrap.open_notification_queue(settings.load()) as queue:
        await _refuse_unknown(queue, dlq_ids)
        return sum([await queue.drop(dlq_id) for dlq_id in dlq_ids])


async def _refuse_unknown(queue: NotificationQueue, dlq_ids: list[int]) -> None:
    for dlq_id in dlq_ids:
        if await queue.dead_letter(dlq_id) is None:
            raise _unknown_letter(dlq_id)


def _unknown_letter(dlq_id: int) -> Refused:
    return refuse(StoreReason.NO_DEAD_LETTER, id=dlq_id)


def _view(entry: DeadLetter) -> dict[str, Any]:
    return {
        "dlqId": entry.dlq_id,
        "createdAt": instant(entry.at),
        "state": entry.state,
        "reason": f"{entry.reason}: {entry.error}",
        "departmentId": entry.department_id,
        "seq": entry.seq,
        "kind": entry.kind,
        "channel": entry.channel,
        "tokenId": entry.token_id,
        "topic": entry.topic,
        "partition": entry.partition,
        "offset": entry.offset,
    }
