"""Budgets: how often something may happen. Pure; ``adapters/redis/limits.lua`` computes the same.

A budget is metered by a leaky bucket: what is used is forgotten evenly with time. So there is no minute at whose end
everything may happen at once. It is the continuous-state leaky bucket of the Generic Cell Rate Algorithm (ITU-T
Recommendation I.371, Annex A).
"""

import math
from dataclasses import dataclass

_ALMOST = 1e-6
"""Less than this is no wait: rounding must not refuse what is just allowed."""
_STEEPEST = 20


@dataclass(frozen=True)
class Budget:
    """How much may be used: ``free`` at once, and after that one more every ``seconds``. 0 free: without limit.

    With ``longest_wait`` nothing is refused for good once the budget is used up, but each further use costs a wait in
    seconds that doubles up to that: for guesses, where the next one may be right. ``is_counted_later``: processes learn
    of each other's uses up to a second late, so that a use costs no round trip.
    """

    name: str
    free: int
    seconds: float
    longest_wait: float = 0.0
    is_counted_later: bool = False


@dataclass(frozen=True)
class Use:
    """A use of a budget; ``whose`` identifies whom it is counted for, and never leaves the process unhashed."""

    budget: Budget
    whose: str
    cost: int = 1


@dataclass(frozen=True)
class Standing:
    """What is used after a request. ``wait``: it was refused, and may be tried again after so many seconds.

    ``pause``: so many seconds must pass before anything more is allowed.
    """

    used: float
    wait: float = 0.0
    pause: float = 0.0


@dataclass(frozen=True)
class Level:
    """What was used ``at`` a time; nothing is allowed before ``free_at``."""

    used: float = 0.0
    at: float = 0.0
    free_at: float = 0.0

    def at_time(self, now: float, budget: Budget) -> "Level":
        """Return the level at a later time."""
        forgotten = max(0.0, now - self.at) / budget.seconds
        return Level(max(0.0, self.used - forgotten), now, self.free_at)


def take(level: Level, use: Use, now: float) -> tuple[Level, Standing]:
    """Count a use if the budget allows it. A use of more than the whole budget needs an unused budget."""
    budget, level = use.budget, level.at_time(now, use.budget)
    if level.free_at > now:
        wait = level.free_at - now
        return level, Standing(level.used, wait, wait)
    if budget.longest_wait:
        used = level.used + use.cost
        over = math.ceil(used - _ALMOST) - budget.free  # what is forgotten in part still counts
        pause = min(2.0 ** min(over, _STEEPEST), budget.longest_wait) if over >= 0 else 0.0
        return Level(used, now, now + pause), Standing(used, pause=pause)
    used = level.used + min(use.cost, budget.free)
    if used > budget.free + _ALMOST:
        return level, Standing(level.used, (used - budget.free) * budget.seconds)
    return Level(used, now), Standing(used)


def add(level: Level, use: Use, now: float) -> tuple[Level, Standing]:
    """Count a use in any case; a negative cost gives back what was allowed, with the pause that it caused."""
    level = level.at_time(now, use.budget)
    free_at = 0.0 if use.cost < 0 else level.free_at
    level = Level(max(0.0, level.used + use.cost), now, free_at)
    return level, Standing(level.used, pause=max(0.0, free_at - now))
