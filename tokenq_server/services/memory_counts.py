"""Rate limits counted by one process alone."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from tokenq_server.domain.budgets import Level, Standing, Use, add, take

Key = TypeVar("Key")
Value = TypeVar("Value")

_REMEMBERED = 50_000
"""Counts and facts kept at most; the oldest are forgotten first."""


class MemoryCounts:
    """Implements ``RateCounts`` in memory: the fallback while Redis is unavailable, and the fake of unit tests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: OrderedDict[tuple[str, str], Level] = OrderedDict()
        self._facts: OrderedDict[str, float] = OrderedDict()

    async def take(self, uses: Sequence[Use]) -> list[Standing]:
        """Count each use that its budget allows."""
        return [self._change(use, take) for use in uses]

    async def add(self, uses: Sequence[Use]) -> list[Standing]:
        """Count the uses whatever the budgets allow; a negative cost gives back."""
        return [self._change(use, add) for use in uses]

    async def forget(self, uses: Sequence[Use]) -> None:
        """Start from nothing again."""
        for use in uses:
            self._levels.pop(_key(use), None)

    async def remember(self, fact: str, seconds: float) -> None:
        """Remember a fact for so long."""
        _put(self._facts, fact, self._clock() + seconds)

    async def remembers(self, fact: str) -> bool:
        """Whether a fact is remembered."""
        return self._facts.get(fact, 0.0) > self._clock()

    async def close(self) -> None:
        """There is nothing to close."""

    def copy(self, use: Use, standing: Standing, *, is_least: bool = False) -> None:
        """Continue from a standing that others have counted; ``is_least``: unless more is counted here."""
        now = self._clock()
        here = self._levels.get(_key(use), Level()).at_time(now, use.budget)
        used = max(standing.used, here.used) if is_least else standing.used
        _put(self._levels, _key(use), Level(used, now, now + standing.pause))

    def _change(self, use: Use, change: Callable[[Level, Use, float], tuple[Level, Standing]]) -> Standing:
        level, standing = change(self._levels.get(_key(use), Level()), use, self._clock())
        _put(self._levels, _key(use), level)
        return standing


def _key(use: Use) -> tuple[str, str]:
    return use.budget.name, use.whose


def _put(into: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    into[key] = value
    into.move_to_end(key)
    while len(into) > _REMEMBERED:
        into.popitem(last=False)
