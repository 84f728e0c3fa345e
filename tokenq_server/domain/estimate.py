"""Estimated waits: the real policy run in simulated time, with the counters really open.

Each run draws service times around what today has taught, what is left of the services under way, and those who
may still come and go before. The range is what most runs agree on, rounded outward to five minutes.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, log, sqrt
from statistics import fmean, pstdev

from tokenq.contract.enums import Priority
from tokenq.contract.views import EstimateView
from tokenq_server.domain.policy import Policy, Turn
from tokenq_server.domain.simulation import Arrival, Desk, Order, run

RUNS = 12
LONGEST = 120
"""How many of each class are simulated at most; further back the wait grows by the pace of those before."""
_MOST_PEOPLE = 250
"""So many people of a branch are simulated, however many departments share them out: a forecast must stay cheap."""
_PRIOR_WEIGHT = 5
"""The prior counts as much as so many services seen today."""
_USUAL_SPREAD = 0.6
"""Standard deviation by mean, before today has taught better."""
_STEP_MINUTES = 5
_LOW, _HIGH = 0.25, 0.75
"""The quantiles of the runs that the range goes from and to."""


@dataclass(frozen=True)
class Estimate:
    """The wait from now as a range of minutes; both ``None`` where it is not known, and then why."""

    low_minutes: int | None
    high_minutes: int | None
    reason: str | None = None

    def view(self) -> EstimateView:
        """As on the wire."""
        return {"lowMinutes": self.low_minutes, "highMinutes": self.high_minutes, "reason": self.reason}


UNKNOWN = Estimate(None, None, "nothing is known yet")
NO_COUNTER = Estimate(None, None, "no counter is open")

Range = tuple[float, float]
"""From and to, in seconds."""


@dataclass(frozen=True)
class Forecast:
    """The waits in one department, per class by the place in it; the last entry is who would come now.

    ``counters_open`` counts the counters that serve it, ``service_seconds`` is what one person takes.
    """

    counters_open: int
    service_seconds: float
    waits: Mapping[Priority, Sequence[Range]]

    def at(self, priority: Priority, index: int) -> Estimate:
        """The estimate for the ``index``-th of a class, from 1."""
        found = self.seconds(priority, index)
        if found is None:
            return NO_COUNTER if not self.counters_open else UNKNOWN
        low, high = found
        step = _STEP_MINUTES * 60
        return Estimate(_STEP_MINUTES * floor(low / step), max(_STEP_MINUTES * ceil(high / step), _STEP_MINUTES))

    def seconds(self, priority: Priority, index: int) -> Range | None:
        """The same, not rounded; ``None`` if it is not known."""
        known = self.waits.get(priority)
        if not known or not self.counters_open:
            return None
        low, high = known[min(index, len(known)) - 1]
        further = max(index - len(known), 0) * self._pace(known)
        return low + further, high + further

    def _pace(self, known: Sequence[Range]) -> float:
        """Seconds by which the wait grows from one to the next, at the end of what was simulated."""
        middle = len(known) // 2
        steps = len(known) - 1 - middle
        alone = self.service_seconds / self.counters_open
        # A counter that serves others too is slower than it looks from here.
        return max(alone, (sum(known[-1]) - sum(known[middle])) / 2 / steps) if steps else alone


@dataclass(frozen=True)
class ServiceTime:
    """How long one person occupies a counter, call to end, in seconds."""

    mean: float
    spread: float

    def draw(self, dice: random.Random, elapsed: float = 0.0) -> float:
        """One such time, log-normal; or what is left of one that has taken ``elapsed`` already."""
        sigma = sqrt(log(1 + (self.spread / self.mean) ** 2))
        centre = log(self.mean) - sigma * sigma / 2
        for _ in range(6):
            drawn = exp(dice.gauss(centre, sigma))
            if drawn > elapsed:
                return drawn - elapsed
        return self.mean / 3


def learned(seen: Sequence[float], prior_minutes: float) -> ServiceTime:
    """Today's last service times, in seconds, shrunk towards the department's prior."""
    prior = prior_minutes * 60
    mean = (prior * _PRIOR_WEIGHT + sum(seen)) / (_PRIOR_WEIGHT + len(seen))
    own = pstdev(seen) if len(seen) > 1 else 0.0
    usual = _USUAL_SPREAD * mean
    spread = (usual * _PRIOR_WEIGHT + own * len(seen)) / (_PRIOR_WEIGHT + len(seen))
    return ServiceTime(max(mean, 1.0), max(spread, 0.1))


@dataclass(frozen=True)
class Line:
    """One department as an estimate needs it.

    ``waiting`` holds, per class in order, for how many seconds each has waited; ``per_hour`` how many of each class
    come in an hour.
    """

    department_id: str
    policy: Policy
    turn: Turn
    service: ServiceTime
    waiting: Mapping[Priority, Sequence[float]]
    per_hour: Mapping[Priority, float]


@dataclass(frozen=True)
class OpenCounter:
    """A counter that takes people; ``held_in`` is the department of whom it holds, for ``elapsed`` seconds now."""

    departments: tuple[str, ...] = ()
    held_in: str | None = None
    elapsed: float = 0.0

    def serves(self, department_id: str) -> bool:
        """Whether it takes people of this department."""
        return not self.departments or department_id in self.departments


def counters_for(department_id: str, counters: Sequence[OpenCounter]) -> int:
    """How many of the counters serve a department."""
    return sum(one.serves(department_id) for one in counters)


def forecasts(lines: Sequence[Line], counters: Sequence[OpenCounter], seed: int = 0) -> dict[str, Forecast]:
    """The forecast of every department of a branch, since counters are shared. The same input, the same answer."""
    seen: dict[tuple[str, Priority], list[list[float]]] = {}
    longest = max(min(LONGEST, _MOST_PEOPLE // max(len(lines), 1)), 1)
    for number in range(RUNS if counters else 0):
        for newcomer in Priority:
            dice = random.Random(f"{seed}:{number}")  # noqa: S311 - draws service times, guards nothing
            for key, waits in _one_run(lines, counters, newcomer, longest, dice).items():
                if key[1] is newcomer:
                    seen.setdefault(key, []).append(waits)
    return {
        line.department_id: Forecast(
            counters_for(line.department_id, counters),
            line.service.mean,
            {priority: _ranges(seen.get((line.department_id, priority), [])) for priority in Priority},
        )
        for line in lines
    }


def _one_run(
    lines: Sequence[Line], counters: Sequence[OpenCounter], newcomer: Priority, longest: int, dice: random.Random
) -> dict[tuple[str, Priority], list[float]]:
    """The waits from now of one simulated course of events, with one more person of a class in each department."""
    times = {line.department_id: line.service for line in lines}
    usual = fmean(line.service.mean for line in lines)
    desks = [Desk(_left(one, times, usual, dice), one.departments) for one in counters]
    people: list[Arrival] = []
    mine: dict[tuple[str, Priority], list[int]] = {}
    for line in lines:
        for priority in Priority:
            ages = list(line.waiting.get(priority, ()))[:longest] + ([0.0] if priority is newcomer else [])
            for age in ages:
                people.append(Arrival(-age, line.department_id, len(people), priority))
                mine.setdefault((line.department_id, priority), []).append(len(people) - 1)
    first_later = len(people)
    horizon = max((len(people) + 1) * usual / len(counters), usual)
    people += _later(lines, horizon, first_later, dice)
    orders = {line.department_id: Order(line.policy, line.turn) for line in lines}
    called = run(people, desks, orders, lambda one: times[one.department_id].draw(dice))
    return {key: [called.get(customer, horizon) for customer in customers] for key, customers in mine.items()}


def _left(one: OpenCounter, times: Mapping[str, ServiceTime], usual: float, dice: random.Random) -> float:
    """After how many seconds a counter is free."""
    if one.held_in is None:
        return 0.0
    service = times.get(one.held_in) or ServiceTime(usual, usual * _USUAL_SPREAD)
    return service.draw(dice, one.elapsed)


def _later(lines: Sequence[Line], horizon: float, first: int, dice: random.Random) -> list[Arrival]:
    """Those who may still come and go before somebody: at the rate of today, as in a Poisson process."""
    found: list[Arrival] = []
    for line in lines:
        for priority in (Priority.URGENT, Priority.PRIORITY):
            rate = line.per_hour.get(priority, 0.0) / 3600
            at = dice.expovariate(rate) if rate else horizon
            while at < horizon:
                found.append(Arrival(at, line.department_id, first + len(found), priority))
                at += dice.expovariate(rate)
    return found


def _ranges(runs: Sequence[Sequence[float]]) -> list[Range]:
    """Per place the quantiles over all runs."""
    if not runs:
        return []
    low, high = int(_LOW * (len(runs) - 1)), ceil(_HIGH * (len(runs) - 1))
    ordered = (sorted(waits) for waits in zip(*runs, strict=True))
    return [(waits[low], waits[high]) for waits in ordered]
