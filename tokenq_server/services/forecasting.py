"""Forecasts of waits, kept in memory: made anew beside the batches, read by them in no time.

A branch is forecast as a whole, since its counters serve several departments. A forecast that was dear to make is
made less often.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from tokenq.contract.problems import Refused
from tokenq_server.domain.estimate import Forecast, Line, OpenCounter, counters_for, forecasts
from tokenq_server.services.periodic import Periodic

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 1.0
_QUIET_SECONDS = 15.0
"""Nothing happened, but those who wait have waited longer."""
_PATIENCE_SECONDS = 0.5
"""For so long somebody who changed a counter waits for the forecast with it."""
_LEISURE = 10
"""A forecast that took so long is next made after so many times as long."""
_HASTE = 2
"""The same for one that somebody has asked for, if it takes longer than that one waits for it."""


@dataclass(frozen=True)
class BranchNow:
    """A branch as its forecast needs it."""

    lines: list[Line]
    counters: list[OpenCounter]


class ForecastStore(Protocol):
    """Where the floor is looked at."""

    async def activity(self) -> Mapping[str, int]:
        """Per branch a number that grows with whatever happens in it."""

    async def branch_now(self, branch_id: str) -> BranchNow:
        """The lines, the open counters and what today has taught."""


@dataclass(frozen=True)
class _Made:
    activity: int
    at: float
    seconds: float
    """How long it took to make."""

    @property
    def asked_again(self) -> float:
        """When it may be made again for somebody who asks."""
        return self.at + (_HASTE * self.seconds if self.seconds > _PATIENCE_SECONDS else 0.0)


class Forecasts:
    """The last forecast of every department."""

    def __init__(self, store: ForecastStore) -> None:
        self._store = store
        self._known: dict[str, Forecast] = {}
        self._made: dict[str, _Made] = {}
        self._asked: dict[str, asyncio.Event] = {}
        self._work = Periodic("forecasts", self._make_due, self._pause)

    def of(self, department_id: str) -> Forecast | None:
        """The last forecast, from memory, seconds old; ``None`` while there is none."""
        return self._known.get(department_id)

    async def renew(self, branch_id: str) -> None:
        """Let a branch be forecast anew, now that its counters have changed.

        Which departments a counter serves is known when this returns; what the waits are may take longer than a person
        at a counter should wait for it.
        """
        try:
            branch = await self._store.branch_now(branch_id)
        except Refused:
            return
        except Exception:
            # The change itself is made, whatever becomes of the forecast.
            logger.exception("forecasting failed")
            return
        for line in branch.lines:
            if known := self._known.get(line.department_id):
                count = counters_for(line.department_id, branch.counters)
                self._known[line.department_id] = replace(known, counters_open=count)
        made = self._asked.setdefault(branch_id, asyncio.Event())
        self._work.wake()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(made.wait(), _PATIENCE_SECONDS)

    def start(self) -> None:
        """Begin."""
        self._work.start()

    async def close(self) -> None:
        """End after the round in hand."""
        await self._work.close()

    async def _make_due(self) -> None:
        asked = list(self._asked)
        activities = await self._store.activity()
        for branch_id, activity in activities.items():
            if self._is_due(branch_id, activity):
                await self._make(branch_id, activity)
        for branch_id in asked:
            # A branch without departments has nothing to forecast.
            if branch_id not in activities and (made := self._asked.pop(branch_id, None)):
                made.set()

    def _is_due(self, branch_id: str, activity: int) -> bool:
        made, now = self._made.get(branch_id), time.monotonic()
        if made is None:
            return True
        if branch_id in self._asked:
            return now >= made.asked_again
        is_news = activity != made.activity or now - made.at > _QUIET_SECONDS
        return is_news and now >= made.at + _LEISURE * made.seconds

    def _pause(self) -> float:
        """Seconds until the next round: sooner where one that was asked for has been put off."""
        now = time.monotonic()
        again = [made.asked_again - now for branch_id in self._asked if (made := self._made.get(branch_id))]
        return min([_EVERY_SECONDS, *(seconds for seconds in again if seconds > 0)])

    async def _make(self, branch_id: str, activity: int) -> None:
        asked = self._asked.pop(branch_id, None)
        branch = await self._store.branch_now(branch_id)
        began = time.monotonic()
        fresh = await asyncio.to_thread(forecasts, branch.lines, branch.counters)
        if branch_id not in self._asked:
            # Otherwise the counters have changed meanwhile: it would tell of those before.
            self._known |= fresh
        if asked:
            asked.set()
        now = time.monotonic()
        self._made[branch_id] = _Made(activity, now, now - began)
