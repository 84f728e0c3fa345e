"""Rate limits of all processes: counted in Redis, and by this process alone while Redis is unavailable."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.domain.budgets import Standing, Use
from tokenq_server.domain.copies import replace
from tokenq_server.services.memory_counts import MemoryCounts
from tokenq_server.services.ports import LedgerDown, RateCounts

logger = logging.getLogger(__name__)

_REPORT_SECONDS = 1.0
_SAID_AGAIN_AFTER = 60.0
"""Seconds: of a cluster, one part may be away and others answer."""


class Exceeded(NamedTuple):
    """The budget that refuses a request, and the seconds after which it allows one."""

    use: Use
    seconds: int


class RateLimits:
    """Asks Redis, and keeps a copy of every answer: if Redis goes away, this process continues from where it was.

    Without Redis each process allows the whole budget, never more. A budget that ``is_counted_later`` is decided by
    the copy, and Redis is told once a second.
    """

    def __init__(self, shared: RateCounts, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._local = MemoryCounts(clock)
        self.refused: Counter[str] = Counter()
        """How often this process has refused something, by the name of the budget."""
        self._untold: dict[tuple[str, str], Use] = {}
        self._telling: asyncio.Task[None] | None = None
        self._clock = clock
        self._is_said = False
        self._said_at = -_SAID_AGAIN_AFTER

    async def take(self, uses: Sequence[Use]) -> Exceeded | None:
        """Count all the uses and return ``None``; if a budget does not allow one, count none and return which."""
        uses = _counted(uses)
        standings = await self._take(uses)
        waits = [(standing.wait, use) for use, standing in zip(uses, standings, strict=True) if standing.wait > 0]
        if not waits:
            return None
        await self.give_back([use for use, standing in zip(uses, standings, strict=True) if standing.wait <= 0])
        wait, use = max(waits, key=lambda found: found[0])
        self.refused[use.budget.name] += 1
        return Exceeded(use, int(wait) + 1)

    async def take_each(self, uses: Sequence[Use]) -> list[Exceeded | None]:
        """Count each use that its budget allows, in order; return ``None`` for it, or by what it is refused."""
        standings = iter(await self._take(_counted(uses)))
        found = [_exceeded(use, next(standings)) if use.budget.free else None for use in uses]
        self.refused.update(exceeded.use.budget.name for exceeded in found if exceeded)
        return found

    async def give_back(self, uses: Sequence[Use]) -> None:
        """Take back uses that were counted: what they were for did not happen."""
        now, later = _apart([replace(use, cost=-use.cost) for use in _counted(uses)])
        await self._local.add(later)
        self._tell_later(later)
        for use, standing in zip(now, await self._ask(now, self._shared.add), strict=True):
            if standing is None:
                await self._local.add([use])
            else:
                self._local.copy(use, standing)

    @asynccontextmanager
    async def checking(self, uses: Sequence[Use], wrong: Collection[ProblemCode]) -> AsyncIterator[None]:
        """Check what the uses were counted for; they are given back if it was not checked.

        Only refusals with one of the codes ``wrong`` are results of a check: an overload or a lost database is none.
        """
        try:
            yield
        except (Refused, LedgerDown) as error:
            if not isinstance(error, Refused) or error.problem.code not in wrong:
                await self.give_back(uses)
            raise

    async def forget(self, uses: Sequence[Use]) -> None:
        """Start from nothing again."""
        uses = _counted(uses)
        await self._local.forget(uses)
        await self._shared.forget(uses)

    async def remember(self, fact: str, seconds: float) -> None:
        """Remember a fact for so long."""
        await self._local.remember(fact, seconds)
        await self._shared.remember(fact, seconds)

    async def remembers(self, fact: str) -> bool:
        """Whether a fact is remembered, as far as is known."""
        is_known = await self._shared.remembers(fact)
        return await self._local.remembers(fact) if is_known is None else is_known

    async def close(self) -> None:
        """Tell Redis what it does not know yet, and close the connections."""
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling
            await self._tell()
        await self._shared.close()

    async def _take(self, uses: Sequence[Use]) -> list[Standing]:
        now, later = _apart(uses)
        known_later = await self._local.take(later)
        self._tell_later([use for use, standing in zip(later, known_later, strict=True) if standing.wait <= 0])
        known_now: list[Standing] = []
        for use, answer in zip(now, await self._ask(now, self._shared.take), strict=True):
            if answer is None:
                known_now += await self._local.take([use])
            else:
                known_now.append(answer)
                self._local.copy(use, answer)
        of_now, of_later = iter(known_now), iter(known_later)
        return [next(of_later if use.budget.is_counted_later else of_now) for use in uses]

    async def _ask(
        self, uses: Sequence[Use], ask: Callable[[Sequence[Use]], Awaitable[Sequence[Standing | None]]]
    ) -> Sequence[Standing | None]:
        if not uses:
            return []
        answers = await ask(uses)
        self._notice(is_alone=None in answers)
        return answers

    def _notice(self, *, is_alone: bool) -> None:
        now = self._clock()
        if is_alone and not self._is_said and now - self._said_at >= _SAID_AGAIN_AFTER:
            logger.warning("Redis is unavailable: this process counts rate limits alone")
            self._is_said, self._said_at = True, now
        elif self._is_said and not is_alone:
            logger.info("rate limits are counted in Redis again")
            self._is_said = False

    def _tell_later(self, uses: Sequence[Use]) -> None:
        for use in uses:
            key = use.budget.name, use.whose
            before = self._untold.get(key)
            self._untold[key] = replace(use, cost=use.cost + (before.cost if before else 0))
        if self._untold and self._telling is None:
            self._telling = asyncio.create_task(self._tell_soon(), name="rate-limits")

    async def _tell_soon(self) -> None:
        await asyncio.sleep(_REPORT_SECONDS)
        self._telling = None
        await self._tell()

    async def _tell(self) -> None:
        """Tell Redis, and learn what other processes have counted. What it cannot be told stays counted here."""
        untold, self._untold = list(self._untold.values()), {}
        for use, standing in zip(untold, await self._ask(untold, self._shared.add), strict=True):
            if standing is not None:
                self._local.copy(use, standing, is_least=True)


def _exceeded(use: Use, standing: Standing) -> Exceeded | None:
    return Exceeded(use, int(standing.wait) + 1) if standing.wait > 0 else None


def _counted(uses: Sequence[Use]) -> list[Use]:
    """The uses of budgets that are limits; none counts more than its whole budget."""
    return [
        use if use.cost <= use.budget.free else replace(use, cost=use.budget.free) for use in uses if use.budget.free
    ]


def _apart(uses: Sequence[Use]) -> tuple[list[Use], list[Use]]:
    """Split what is counted at once from what is counted later."""
    return [use for use in uses if not use.budget.is_counted_later], [u for u in uses if u.budget.is_counted_later]
