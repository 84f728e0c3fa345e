"""The relay: follows each department's log and publishes it in order, exactly once, despite crashes.

One relay is active; others wait for its lock. After any failure it starts over from the topic's content, so a crash
between publishing and moving the cursor costs at most a few records read twice.
"""

import asyncio
import logging

from tokenq_server.domain.divergence import Divergence, diverged
from tokenq_server.failpoints import reach
from tokenq_server.recovery.detection import compare, suspects
from tokenq_server.services.bell import QUIET_SECONDS
from tokenq_server.services.ports import LedgerDown
from tokenq_server.services.publishing import Cursor, Entry, EventLog, Fenced, PublishFailed, Tail, Topic
from tokenq_server.services.vital_signs import STANDBY, VitalSigns

logger = logging.getLogger(__name__)

PART = "relay"
"""What its vital signs call it."""

_BATCH = 500
_BUSY_PAUSE = 0.01
_MANY, _LOADED_PAUSE = 10, 0.025
"""Where so many entries come at once, more are awaited: a bite costs several round trips, however small it is."""
_LOOKED_ANYHOW = 0.25
"""Seconds after which the relay looks even if nobody has told it to."""
_RETRY_PAUSE = 1.0


class Relay:
    """Publishes the log until it is stopped."""

    def __init__(self, log: EventLog, topic: Topic, signs: VitalSigns | None = None) -> None:
        self._log = log
        self._topic = topic
        self._signs = signs or VitalSigns(PART)
        self._stop = asyncio.Event()
        self._strangers: dict[str, int] = {}
        self._spots: dict[str, tuple[int, int]] = {}

    def stop(self) -> None:
        """Finish the current batch and stop."""
        self._stop.set()
        self._topic.abort()

    async def run(self) -> None:
        """Follow the log; after any failure, start over from the topic's content.

        Raises:
            Refused: ``log_behind``; the topic is ahead of the log, which no relay can fix.
        """
        while not self._stop.is_set():
            try:
                await self._follow()
            except (PublishFailed, LedgerDown, Fenced) as error:
                self._signs.ill(PART)
                self._signs.count("relay_restarts")
                logger.warning("relay restarts", extra={"why": type(error).__name__, "detail": str(error)})
                await self._pause(_RETRY_PAUSE)
            finally:
                await self._topic.close()
                await self._log.close()

    async def _follow(self) -> None:
        self._signs.well(PART, STANDBY)
        await self._until_stopped(self._log.take_over())
        if self._stop.is_set():
            return
        reach("relay.took_over")
        await self._topic.open()
        await self._resume()
        logger.info("relay is active")
        pause, quiet = _BUSY_PAUSE, 0.0
        while not self._stop.is_set():
            published = await self._publish_some()
            self._signs.well(PART)
            self._signs.count("relay_published", published)
            if published:
                pause, quiet = _LOADED_PAUSE if published >= _MANY else _BUSY_PAUSE, 0.0
            elif quiet > QUIET_SECONDS:  # the next commit is told
                await self._until_stopped(self._log.growth(_LOOKED_ANYHOW))
                continue
            await self._pause(pause)
            quiet += pause
            pause *= 1.5

    async def _resume(self) -> None:
        cursors = await self._log.cursors()
        tail = await self._topic.read_back(cursors)
        reach("relay.read_back")
        await self._refuse_divergence(cursors, tail)
        starts = await self._log.refill_starts() if tail.lost else {}
        if tail.lost:
            logger.error("the topic has lost records; republishing them", extra={"partitions": sorted(tail.lost)})
        moved = {name: resumed(cursor, tail, name, starts.get(name, 0)) for name, cursor in cursors.items()}
        changed = {name: cursor for name, cursor in moved.items() if cursor != cursors[name]}
        if changed:
            await self._log.set_cursors(changed)

    async def _refuse_divergence(self, cursors: dict[str, Cursor], tail: Tail) -> None:
        """Refuse if the topic is ahead of the log: readers would skip new entries under seqs they have seen."""
        ids = await self._log.event_ids(suspects(cursors, tail))
        heads = await self._log.heads()  # read last: the topic only contains what was in the log earlier
        if divergences := compare({name: head for name, head in heads.items() if name in cursors}, tail, ids):
            raise diverged(divergences)
        self._strangers = {name: seq for name, seq in tail.found.items() if name not in cursors}
        self._spots = tail.spots

    async def _publish_some(self) -> int:
        """Publish what is new, as far as it is one bite; return how many entries that were."""
        entries = await self._log.unpublished(_BATCH)
        if not entries:
            return 0
        self._refuse_old_numbers(entries)
        reach("relay.read")
        cursors = await self._topic.publish(entries)
        reach("relay.published")
        await self._log.set_cursors(cursors)
        reach("relay.cursor_moved")
        return len(entries)

    def _refuse_old_numbers(self, entries: list[Entry]) -> None:
        """A recreated department must not publish under seqs that the topic already has."""
        for entry in entries:
            if entry.seq <= self._strangers.get(entry.department_id, 0):
                topic_seq = self._strangers[entry.department_id]
                spot = self._spots.get(entry.department_id)
                raise diverged([Divergence(entry.department_id, entry.seq, topic_seq, spot=spot)])

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    async def _until_stopped(self, work: object) -> None:
        """Wait for something, but no longer than until this relay is stopped."""
        waiting = asyncio.ensure_future(work)  # type: ignore[call-overload]
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if waiting.done():
            waiting.result()
        else:
            waiting.cancel()


def resumed(cursor: Cursor, tail: Tail, department_id: str, refill_start: int) -> Cursor:
    """Where to resume: at least at the topic's end, or back at what it still has if it lost records."""
    last_seq, spot = tail.found.get(department_id, 0), tail.spots.get(department_id, (None, None))
    if cursor.partition in tail.lost:
        return Cursor(last_seq, *spot) if last_seq >= refill_start else Cursor(refill_start)
    # Keep the offset: a cursor without one would not notice that the topic lost the record.
    return Cursor(last_seq, *spot) if last_seq > cursor.seq else cursor
