"""Intake: from the topic into the primary queue. Offsets are committed after the rows, so nothing is lost."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from tokenq.contract.events import BadEvent, decode
from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.domain.lettering import kind_for
from tokenq_server.failpoints import reach
from tokenq_server.services.mailing import BadRecord, Copy, InboxLost, MailQueue, NewJob, RawRecord

logger = logging.getLogger(__name__)

_BATCH = 500
_RETRY_SECONDS = 1.0


class Inbox(Protocol):
    """The consumer group on ``token-events``."""

    async def take(self, limit: int, seconds: float) -> list[RawRecord]:
        """Up to ``limit`` records. Raises InboxLost."""

    async def commit(self, records: Sequence[RawRecord]) -> None:
        """Never deliver these again. Raises InboxLost."""

    async def copy(self, copies: Sequence[Copy]) -> None:
        """Put copies into the dead-letter topic. Raises InboxLost."""

    async def close(self) -> None:
        """Leave the group."""


class Intake:
    """Reads records and keeps the letters they call for."""

    def __init__(self, inbox: Inbox, queue: MailQueue, stop: asyncio.Event) -> None:
        self._inbox = inbox
        self._queue = queue
        self._stop = stop

    async def run(self) -> None:
        """Take in records until told to stop."""
        while not self._stop.is_set():
            try:
                records = await self._inbox.take(_BATCH, 0.5)
                if records:
                    await self._keep(records)
                await self._copy_dead_letters()
            except InboxLost as error:
                logger.warning("inbox lost", extra={"why": str(error)})
                await self._inbox.close()
                await asyncio.sleep(_RETRY_SECONDS)
            except Refused as refusal:
                logger.warning("the letters wait", extra={"why": refusal.problem.detail})
                await asyncio.sleep(_RETRY_SECONDS)
        await self._inbox.close()

    async def _keep(self, records: list[RawRecord]) -> None:
        """Write until it is written: records once taken are not taken again by themselves."""
        reach("notify.taken")
        while True:
            try:
                await self._take_in(records)
                break
            except Refused as refusal:
                logger.warning("records wait", extra={"records": len(records), "why": refusal.problem.detail})
                if self._stop.is_set():
                    return
                await asyncio.sleep(_RETRY_SECONDS)
        reach("notify.rows_kept")
        await self._inbox.commit(records)
        reach("notify.offsets_committed")

    async def _take_in(self, records: Sequence[RawRecord]) -> None:
        jobs, bad = sort_out(records)
        try:
            if jobs or bad:
                await self._queue.take_in(jobs, bad)
        except Refused as refusal:
            if refusal.problem.code is not ProblemCode.INVALID:
                raise
            # One record that the database cannot hold must not stop those behind it.
            if len(records) == 1:
                await self._queue.take_in([], [BadRecord(records[0], refusal.problem.detail)])
                return
            for record in records:
                await self._take_in([record])

    async def _copy_dead_letters(self) -> None:
        copies = await self._queue.uncopied(100)
        if copies:
            await self._inbox.copy(copies)
            await self._queue.mark_copied([copy.dlq_id for copy in copies])


def sort_out(records: Sequence[RawRecord]) -> tuple[list[NewJob], list[BadRecord]]:
    """Which letters these records call for, and which of them are no events."""
    jobs: list[NewJob] = []
    bad: list[BadRecord] = []
    for record in records:
        try:
            event = decode(record.value)
        except BadEvent as error:
            bad.append(BadRecord(record, str(error)))
            continue
        if kind := kind_for(event):
            jobs.append(NewJob(event.department_id, event.seq, kind, event.token_id, record))
    return jobs, bad
