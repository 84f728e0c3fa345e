"""Forecasts of waits, and the present waits, kept in memory: computed beside the batches, which only read them.

A branch is forecast as a whole, since its counters serve several departments. Expensive forecasts are made less often.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from tokenq.contract.problems import Refused
from tokenq_server.domain.estimate import Forecast, Line, OpenCounter, counters_for, forecasts
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.wait_alarms import WaitFigures
from tokenq_server.services.periodic import Periodic

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 1.0
_QUIET_SECONDS = 15.0
"""Seconds between forecasts while nothing happens, since waits grow longer."""
_PATIENCE_SECONDS = 0.5
"""Seconds that a person who changed a counter waits for the new forecast."""
_LEISURE = 20
"""The pause after a forecast, as a multiple of the time it took: it takes a twentieth of a core at most, whether it is
computed or read here or in the database."""
_HASTE = 2
"""The same for a requested forecast, if it takes longer than the person waits for it."""


Waits = Mapping[str, tuple[Rules, WaitFigures]]
"""The present waits per department, and the rules that they are judged by."""


@dataclass(frozen=True)
class BranchNow:
    """A branch as input of its forecast, and how long those who wait in its departments have waited."""

    lines: list[Line]
    counters: list[OpenCounter]
    waits: Waits = field(default_factory=dict)


class ForecastStore(Protocol):
    """Read access to the queues."""

    async def activity(self) -> Mapping[str, int]:
        """Return a number per branch that grows with every change in it."""

    async def branch_now(self, branch_id: str) -> BranchNow:
        """Return the queues, the open counters, today's observed service times and the present waits."""


@dataclass(frozen=True)
class _Made:
    activity: int
    at: float
    seconds: float
    """Seconds it took to read and to compute."""

    @property
    def next_refresh(self) -> float:
        """When a requested forecast may be made again."""
        return self.at + (_HASTE * self.seconds if self.seconds > _PATIENCE_SECONDS else 0.0)


class Forecasts:
    """The last forecast and the waits of every department."""

    def __init__(self, store: ForecastStore) -> None:
        self._store = store
        self._forecasts: dict[str, Forecast] = {}
        self._waits: dict[str, Waits] = {}
        self._made: dict[str, _Made] = {}
        self._asked: dict[str, asyncio.Event] = {}
        self._work = Periodic("forecasts", self._make_due, self._pause)

    def of(self, department_id: str) -> Forecast | None:
        """Return the last forecast from memory, seconds old; ``None`` if there is none yet."""
        return self._forecasts.get(department_id)

    def counters_open(self) -> dict[str, int]:
        """Return how many counters serve each department, seconds old."""
        return {name: forecast.counters_open for name, forecast in self._forecasts.items()}

    def waits(self) -> Waits:
        """Return the waits of all departments from memory, seconds old; a new department has none yet."""
        return {name: waits for branch in self._waits.values() for name, waits in branch.items()}

    async def renew(self, branch_id: str) -> None:
        """Recompute a branch's forecast after its counters have changed.

        On return, the number of counters per department is known; the waits may follow later, so as not to delay the
        counter's operator.
        """
        try:
            branch = await self._store.branch_now(branch_id)
        except Refused:
            return
        except Exception:
            # The change itself has been made, whatever happens to the forecast.
            logger.exception("forecasting failed")
            return
        for line in branch.lines:
            if forecast := self._forecasts.get(line.department_id):
                count = counters_for(line.department_id, branch.counters)
                self._forecasts[line.department_id] = replace(forecast, counters_open=count)
        made = self.refresh(branch_id)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(made.wait(), _PATIENCE_SECONDS)

    def refresh(self, branch_id: str) -> asyncio.Event:
        """Have a branch forecast anew as soon as possible; return what is set when that has been done."""
        made = self._asked.setdefault(branch_id, asyncio.Event())
        self._work.wake()
        return made

    def start(self) -> None:
        """Begin."""
        self._work.start()

    async def close(self) -> None:
        """Stop after the current round."""
        await self._work.close()

    async def _make_due(self) -> None:
        asked = list(self._asked)
        activities = await self._store.activity()
        self._waits = {branch_id: waits for branch_id, waits in self._waits.items() if branch_id in activities}
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
            return now >= made.next_refresh
        is_news = activity != made.activity or now - made.at > _QUIET_SECONDS
        return is_news and now >= made.at + _LEISURE * made.seconds

    def _pause(self) -> float:
        """Seconds until the next round: sooner if a requested forecast was deferred."""
        now = time.monotonic()
        again = [made.next_refresh - now for branch_id in self._asked if (made := self._made.get(branch_id))]
        return min([_EVERY_SECONDS, *(seconds for seconds in again if seconds > 0)])

    async def _make(self, branch_id: str, activity: int) -> None:
        asked = self._asked.pop(branch_id, None)
        began = time.monotonic()
        branch = await self._store.branch_now(branch_id)
        self._waits[branch_id] = branch.waits
        fresh = await asyncio.to_thread(forecasts, branch.lines, branch.counters)
        if branch_id not in self._asked:
            # Otherwise the counters have changed meanwhile, and this forecast is of the ones before.
            self._forecasts |= fresh
        if asked:
            asked.set()
        now = time.monotonic()
        self._made[branch_id] = _Made(activity, now, now - began)
