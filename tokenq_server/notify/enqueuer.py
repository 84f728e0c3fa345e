"""From the topic into the primary queue. Offsets are committed after the rows, so nothing is lost.

No record blocks those behind it: any error caused by a single record makes it a dead letter. An unavailable store is no
record's fault, so the enqueuer waits for it.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Protocol

from tokenq.contract.events import BadEvent, decode
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.domain.notification_rules import kind_for
from tokenq_server.failpoints import InjectedFault, reach
from tokenq_server.services.notifications import (
    BadRecord,
    Channels,
    ConsumerLost,
    Copy,
    NewJob,
    NotificationQueue,
    RawRecord,
)
from tokenq_server.services.vital_signs import VitalSigns

logger = logging.getLogger(__name__)

PART = "enqueuer"
"""What the program's vital signs call it."""

_BATCH = 500
_RETRY_SECONDS = 1.0
_COPY_EVERY_SECONDS = 1.0
_COPY_AGAIN_SECONDS = 30.0
"""After a failure."""
_WAITED_FOR = frozenset({ProblemCode.UNAVAILABLE, ProblemCode.SCHEMA_BEHIND, ProblemCode.SCHEMA_AHEAD})


class Consumer(Protocol):
    """The consumer group on ``token-events``."""

    async def take(self, limit: int, seconds: float) -> list[RawRecord]:
        """Return up to ``limit`` records. Raises ConsumerLost."""

    async def commit(self, records: Sequence[RawRecord]) -> None:
        """Never deliver these again. Raises ConsumerLost."""

    async def copy(self, copies: Sequence[Copy]) -> None:
        """Copy dead letters to the dead-letter topic. Raises ConsumerLost."""

    async def close(self) -> None:
        """Leave the group."""


class Enqueuer:
    """Reads records and stores the notifications they require."""

    def __init__(
        self,
        consumer: Consumer,
        queue: NotificationQueue,
        channels: Channels,
        stop: asyncio.Event,
        signs: VitalSigns | None = None,
    ) -> None:
        self._consumer = consumer
        self._queue = queue
        self._channels = channels
        self._stop = stop
        self._signs = signs or VitalSigns(PART)
        self._copy_after = 0.0

    async def run(self) -> None:
        """Run until told to stop."""
        while not self._stop.is_set():
            try:
                records = await self._consumer.take(_BATCH, 0.5)
                if records:
                    await self._keep(records)
                await self._copy_dead_letters()
                self._signs.well(PART)
            except ConsumerLost as error:
                self._signs.ill(PART)
                logger.warning("consumer lost", extra={"why": str(error)})
                await self._consumer.close()
                await asyncio.sleep(_RETRY_SECONDS)
            except Refused as refusal:
                self._signs.ill(PART)
                logger.warning("notifications wait", extra={"why": refusal.problem.detail})
                await asyncio.sleep(_RETRY_SECONDS)
        await self._consumer.close()

    async def _keep(self, records: list[RawRecord]) -> None:
        """Retry until it is written: the consumer does not deliver these records again."""
        reach("notify.taken")
        while True:
            try:
                await self._enqueue(records)
                break
            except Refused as refusal:
                self._signs.ill(PART)
                logger.warning("records wait", extra={"records": len(records), "why": refusal.problem.detail})
                if self._stop.is_set():
                    return
                await asyncio.sleep(_RETRY_SECONDS)
        reach("notify.rows_kept")
        self._signs.count("notify_records", len(records))
        await self._consumer.commit(records)
        reach("notify.offsets_committed")

    async def _enqueue(self, records: Sequence[RawRecord]) -> None:
        """Store the notifications; together if that works, else record by record.

        Raises Refused: the store is unavailable.
        """
        jobs, bad = sort_out(records)
        try:
            if jobs or bad:
                await self._queue.enqueue(jobs, bad, self._channels)
            self._signs.count("notify_bad_records", len(bad))
        except Exception as error:
            if is_of_the_store(error):
                raise
            if len(records) == 1:
                await self._make_dead_letter(records[0], error)
                return
            for record in records:
                await self._enqueue([record])

    async def _make_dead_letter(self, record: RawRecord, error: Exception) -> None:
        """Make the record a dead letter; if even that fails, the store is at fault."""
        _log_dead(record, error)
        try:
            await self._queue.enqueue([], [BadRecord(record, _why(error))], self._channels)
            self._signs.count("notify_bad_records")
        except Exception as worse:
            if is_of_the_store(worse):
                raise
            raise refuse(StoreReason.DEAD_LETTER_LOST, fault=_why(worse)) from worse

    async def _copy_dead_letters(self) -> None:
        """Copy dead letters for users of the topic; notifications do not depend on it. Raises Refused."""
        if time.monotonic() < self._copy_after:
            return
        self._copy_after = time.monotonic() + _COPY_EVERY_SECONDS
        copies = await self._queue.uncopied(100)
        if not copies:
            return
        try:
            await self._consumer.copy(copies)
        except Exception as error:
            logger.warning("dead letters could not be copied yet", extra={"why": str(error)})
            self._copy_after = time.monotonic() + _COPY_AGAIN_SECONDS
        else:
            await self._queue.mark_copied([copy.dlq_id for copy in copies])


def is_of_the_store(error: Exception) -> bool:
    """Whether the store could accept nothing now, whatever the input (or a test injects a fault here)."""
    return isinstance(error, InjectedFault) or (isinstance(error, Refused) and error.problem.code in _WAITED_FOR)


def sort_out(records: Sequence[RawRecord]) -> tuple[list[NewJob], list[BadRecord]]:
    """Split records into the notifications they require and those that are no events. Never raises."""
    jobs: list[NewJob] = []
    bad: list[BadRecord] = []
    for record in records:
        try:
            job = _job(record)
        except BadEvent as error:
            bad.append(BadRecord(record, str(error)))
        except Exception as error:
            _log_dead(record, error)
            bad.append(BadRecord(record, _why(error)))
        else:
            if job is not None:
                jobs.append(job)
    return jobs, bad


def _job(record: RawRecord) -> NewJob | None:
    event = decode(record.value)
    kind = kind_for(event)
    return NewJob(event.department_id, event.seq, kind, event.token_id, record) if kind else None


def _log_dead(record: RawRecord, error: Exception) -> None:
    place = {"partition": record.partition, "offset": record.offset, "why": _why(error)}
    traceback = None if isinstance(error, Refused) else error
    logger.error("a record could not be processed; it is now a dead letter", exc_info=traceback, extra=place)


def _why(error: Exception) -> str:
    """The error for the dead letter, without text from the record."""
    return error.problem.detail if isinstance(error, Refused) else f"It cannot be processed ({type(error).__name__})."
