"""The sender: leases due notifications, sends them and stores the result. Any number may run side by side."""

import asyncio
import logging
import os
import random
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tokenq.contract.problems import Refused
from tokenq_server.failpoints import reach
from tokenq_server.services.letter_limit import LetterLimit
from tokenq_server.services.notifications import (
    Attempt,
    Channels,
    ClaimedJobs,
    Job,
    NotificationQueue,
    Settlement,
    Verdict,
)
from tokenq_server.services.together import Together
from tokenq_server.services.vital_signs import VitalSigns

logger = logging.getLogger(__name__)

PART = "sender"
"""What the program's vital signs call it."""

_AT_ONCE = 8
"""Notifications sent at the same time, each on a connection of its own."""
_LARGEST_BITE = 64
_BEGUN_WITHIN = 30.0
"""Seconds after which a claimed notification is given back rather than begun: an attempt takes up to two minutes, and
both must end before the lease of three minutes does."""
_IDLE_SECONDS = 0.5
_SETTLE_TRIES = 60
_BACKOFF = (10.0, 60.0, 300.0, 1800.0, 7200.0)
"""Upper bound of the wait before each retry, in seconds; the wait itself is random."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how slowly a notification is retried."""

    waits: tuple[float, ...] = _BACKOFF

    def next_try(self, attempts: int) -> float | None:
        """Return the seconds until the next attempt; ``None`` to give up."""
        if attempts > len(self.waits):
            return None
        return random.uniform(0.1, 1.0) * self.waits[attempts - 1]  # noqa: S311 (spreads load; nobody gains by guessing)


class Sender:
    """Sends notifications from the queue until told to stop; without a ``limit``, any number to one address."""

    def __init__(
        self,
        queue: NotificationQueue,
        channels: Channels,
        stop: asyncio.Event,
        policy: RetryPolicy | None = None,
        limit: LetterLimit | None = None,
        signs: VitalSigns | None = None,
    ) -> None:
        self._queue = queue
        self._channels = {channel.name: channel for channel in channels}
        self._stop = stop
        self._policy = policy or RetryPolicy()
        self._limit = limit
        self._signs = signs or VitalSigns(PART)
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._overtaken = 0
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._settling: Together[Settlement, None] = Together(self._settle, _LARGEST_BITE)

    async def run(self) -> None:
        """Run until told to stop; notifications in progress are finished."""
        bite = _AT_ONCE
        while not self._stop.is_set():
            try:
                claimed = await self._queue.claim(self._owner, bite, list(self._channels.values()))
                if claimed:
                    reach("notify.claimed")
                self._count_overtaken(claimed.overtaken)
                await self._send_all(claimed.to_send)
                self._signs.well(PART)
            except Refused as refusal:
                claimed = ClaimedJobs([], [])
                self._signs.ill(PART)
                logger.warning("notifications wait", extra={"why": refusal.problem.detail})
            except Exception:  # what was claimed is due again when its lease ends
                claimed = ClaimedJobs([], [])
                self._signs.ill(PART)
                logger.exception("notifications wait, since something failed unexpectedly")
            # While there are many, one statement claims many; else nobody waits for those claimed with it.
            bite = min(2 * bite, _LARGEST_BITE) if len(claimed) >= bite else _AT_ONCE
            if not claimed:
                await self._rest()

    async def _send_all(self, jobs: Sequence[Job]) -> None:
        """Send notifications, some at a time. Those not begun soon, or when told to stop, are given back."""
        give_up = time.monotonic() + _BEGUN_WITHIN
        suppressed = await self._limit.suppressed(jobs) if self._limit else [None] * len(jobs)
        pairs = list(zip(jobs, suppressed, strict=True))
        is_begun = await asyncio.gather(*(self._send_in_turn(job, given, give_up) for job, given in pairs))
        left = [pair for pair, begun in zip(pairs, is_begun, strict=True) if not begun]
        if left:
            await self._give_back(left)

    async def _give_back(self, left: Sequence[tuple[Job, Attempt | None]]) -> None:
        await self._queue.give_back([job for job, _ in left], self._owner)
        if self._limit:  # whoever claims them next counts them
            await self._limit.give_back([job for job, suppressed in left if suppressed is None])

    async def _send_in_turn(self, job: Job, suppressed: Attempt | None, give_up: float) -> bool:
        async with self._places:
            if self._stop.is_set() or time.monotonic() > give_up:
                return False
            attempt = suppressed or await self._try(job)
        await self._finish(job, attempt)
        return True

    def _count_overtaken(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self._overtaken += 1
            self._signs.count("notifications_overtaken", channel=job.channel, kind=job.kind)
            logger.info("notification overtaken", extra=_log_fields(job) | {"overtaken_since_start": self._overtaken})

    async def _finish(self, job: Job, attempt: Attempt) -> None:
        """Store and log the result, while the next notification is sent."""
        reach("notify.sent")
        wait = self._policy.next_try(job.attempts) if attempt.verdict is Verdict.RETRY else None
        await self._settling(Settlement(job, attempt, wait))
        reach("notify.settled")
        self._signs.count("notifications", channel=job.channel, kind=job.kind, result=str(attempt.verdict))
        fields = _log_fields(job) | {"attempt": job.attempts}
        if attempt.verdict is Verdict.SENT:
            logger.info("notification sent", extra=fields)
        else:
            logger.warning("notification not sent", extra=fields | {"why": attempt.error, "next_try_seconds": wait})

    async def _try(self, job: Job) -> Attempt:
        """Try once; any error affects only this notification."""
        try:
            channel = self._channels[job.channel]
            return await channel.send(channel.render(job))
        except ValueError as error:
            return Attempt(Verdict.PERMANENT, str(error))
        except Exception as error:
            logger.exception("a notification failed unexpectedly; it is now a dead letter", extra=_log_fields(job))
            return Attempt(Verdict.PERMANENT, f"It cannot be rendered or sent ({type(error).__name__}).")

    async def _settle(self, settlements: Sequence[Settlement]) -> Sequence[None]:
        """Store results, retrying while the database is briefly unavailable: else they would be sent again."""
        for _ in range(_SETTLE_TRIES):
            try:
                await self._queue.settle(settlements, self._owner)
                break
            except Refused:
                await asyncio.sleep(1.0)
        else:
            for each in settlements:
                logger.error("the result of an attempt could not be stored", extra=_log_fields(each.job))
        return [None] * len(settlements)

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), _IDLE_SECONDS)
        except TimeoutError:
            return


def _log_fields(job: Job) -> dict[str, Any]:
    return {"department": job.department_id, "seq": job.seq, "kind": job.kind, "channel": job.channel}
