"""Estimated waits: the real policy run in simulated time, with the counters that are open.

Each run draws service times from what was observed today, the remaining time of services in progress, and arrivals that
may be called first. One more customer is imagined in each department; they take nobody's time, so that each waits only
for those who are there. The range covers most runs and is rounded outward to five minutes.
"""

import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from statistics import fmean

from tokenq.contract import words
from tokenq.contract.enums import Priority
from tokenq.contract.views import EstimateView
from tokenq_server.domain.policy import Policy, Turn
from tokenq_server.domain.service_time import ServiceTime, typical
from tokenq_server.domain.simulation import Arrival, Desk, Order, run

RUNS = 12
LONGEST = 120
"""Tokens simulated per class at most; beyond that, the wait is extrapolated."""
_MOST_PEOPLE = 250
"""Customers simulated per branch, across its departments, to keep a forecast cheap."""
_STEP_MINUTES = 5
_LOW, _HIGH = 0.25, 0.75
"""The quantiles of the runs that bound the range."""
_ALWAYS_USEFUL_MINUTES = 30
"""A range this wide helps to plan, wherever it begins."""


@dataclass(frozen=True)
class Estimate:
    """The wait from now as a range of minutes; if unknown, both are ``None`` and ``reason`` says why."""

    low_minutes: int | None
    high_minutes: int | None
    reason: str | None = None

    def view(self) -> EstimateView:
        """The estimate in its wire format."""
        return {"lowMinutes": self.low_minutes, "highMinutes": self.high_minutes, "reason": self.reason}


UNKNOWN = Estimate(None, None, words.NOTHING_KNOWN)
NO_COUNTER = Estimate(None, None, words.NO_COUNTER)
VAGUE = Estimate(None, None, words.VAGUE)
"""A range too wide to plan with: it would be read as a promise and kept by accident."""

Range = tuple[float, float]
"""Lower and upper bound, in seconds."""


@dataclass(frozen=True)
class Forecast:
    """Waits in one department, per class by index in it; the last entry is for a new customer.

    ``counters_open`` counts the counters that serve it; ``service_seconds`` is the mean service time, learned from
    ``services_learned`` services of today.
    """

    counters_open: int
    service_seconds: float
    waits: Mapping[Priority, Sequence[Range]]
    services_learned: int = 0

    def at(self, priority: Priority, index: int) -> Estimate:
        """The estimate for the ``index``-th token of a class, from 1."""
        seconds = self.seconds(priority, index)
        if seconds is None:
            return NO_COUNTER if not self.counters_open else UNKNOWN
        low, high = seconds
        step = _STEP_MINUTES * 60
        return useful(_STEP_MINUTES * floor(low / step), max(_STEP_MINUTES * ceil(high / step), _STEP_MINUTES))

    def seconds(self, priority: Priority, index: int) -> Range | None:
        """The same in unrounded seconds; ``None`` if unknown."""
        waits = self.waits.get(priority)
        if not waits or not self.counters_open:
            return None
        low, high = waits[min(index, len(waits)) - 1]
        further = max(index - len(waits), 0) * self._pace(waits)
        return low + further, high + further

    def _pace(self, waits: Sequence[Range]) -> float:
        """Seconds that each further token adds to the wait, measured at the end of the simulated range."""
        middle = len(waits) // 2
        steps = len(waits) - 1 - middle
        alone = self.service_seconds / self.counters_open
        # A counter that also serves other departments is slower than this department's service time suggests.
        return max(alone, (sum(waits[-1]) - sum(waits[middle])) / 2 / steps) if steps else alone


def useful(low_minutes: int, high_minutes: int) -> Estimate:
    """Return the range as an estimate, or ``VAGUE`` if nobody could plan with it."""
    is_vague = high_minutes > 2 * low_minutes + _ALWAYS_USEFUL_MINUTES
    return VAGUE if is_vague else Estimate(low_minutes, high_minutes)


@dataclass(frozen=True)
class Line:
    """One department as input of an estimate.

    ``waiting`` holds, per class in order, how many seconds each token has waited; ``per_hour`` the arrival rate per
    class.
    """

    department_id: str
    policy: Policy
    turn: Turn
    service: ServiceTime
    waiting: Mapping[Priority, Sequence[float]]
    per_hour: Mapping[Priority, float]


@dataclass(frozen=True)
class OpenCounter:
    """A counter that serves customers; ``held_in`` is the department of its token, held for ``elapsed`` seconds."""

    departments: tuple[str, ...] = ()
    held_in: str | None = None
    elapsed: float = 0.0

    def serves(self, department_id: str) -> bool:
        """Whether it serves this department."""
        return not self.departments or department_id in self.departments


def counters_for(department_id: str, counters: Sequence[OpenCounter]) -> int:
    """Return how many of the counters serve a department."""
    return sum(counter.serves(department_id) for counter in counters)


def forecasts(lines: Sequence[Line], counters: Sequence[OpenCounter], seed: int = 0) -> dict[str, Forecast]:
    """Forecast every department of a branch together, since they share counters. Deterministic for the same input."""
    seen: dict[tuple[str, Priority], list[list[float]]] = {}
    times = {line.department_id: line.service for line in lines}
    like = _simulated_as(lines, counters)
    simulated = [line for line in lines if like[line.department_id] == line.department_id]
    longest = max(min(LONGEST, _MOST_PEOPLE // max(len(simulated), 1)), 1)
    for number in range(RUNS if counters else 0):
        for newcomer in Priority:
            dice = random.Random(f"{seed}:{number}")  # noqa: S311 - draws service times, guards nothing
            for key, waits in _one_run(simulated, counters, times, newcomer, longest, dice).items():
                if key[1] is newcomer:
                    seen.setdefault(key, []).append(waits)
    return {
        line.department_id: Forecast(
            counters_for(line.department_id, counters),
            line.service.mean,
            {priority: _ranges(seen.get((like[line.department_id], priority), [])) for priority in Priority},
            line.service.samples,
        )
        for line in lines
    }


def _simulated_as(lines: Sequence[Line], counters: Sequence[OpenCounter]) -> dict[str, str]:
    """The department whose simulation tells the waits of each one.

    Of those where nobody waits or is expected, one is simulated for all that the same counters serve in the same order.
    """
    profiles = [counter.departments for counter in counters if counter.departments]
    first: dict[Hashable, str] = {}
    found = {}
    for line in lines:
        name = line.department_id
        is_idle = not any(line.waiting.values()) and not any(line.per_hour.values())
        places = tuple(names.index(name) if name in names else None for names in profiles)
        found[name] = first.setdefault((line.policy, places), name) if is_idle else name
    return found


def _one_run(
    lines: Sequence[Line],
    counters: Sequence[OpenCounter],
    times: Mapping[str, ServiceTime],
    newcomer: Priority,
    longest: int,
    dice: random.Random,
) -> dict[tuple[str, Priority], list[float]]:
    """The waits in one simulated run, with one more customer of a class in each department."""
    usual = fmean(line.service.mean for line in lines)
    desks = [Desk(_until_free(counter, times, usual, dice), counter.departments) for counter in counters]
    people: list[Arrival] = []
    mine: dict[tuple[str, Priority], list[int]] = {}
    for line in lines:
        for priority in Priority:
            ages = list(line.waiting.get(priority, ()))[:longest]
            for index, age in enumerate([*ages, 0.0] if priority is newcomer else ages):
                is_imagined = index == len(ages)
                people.append(Arrival(min(-age, 0.0), line.department_id, len(people), priority, is_imagined))
                mine.setdefault((line.department_id, priority), []).append(len(people) - 1)
    first_later = len(people)
    horizon = max((len(people) + 1) * usual / len(counters), usual)
    people += _future_arrivals(lines, horizon, first_later, dice)
    orders = {line.department_id: Order(line.policy, line.turn) for line in lines}
    called = run(people, desks, orders, lambda arrival: times[arrival.department_id].draw(dice))
    return {key: [called.get(customer, horizon) for customer in customers] for key, customers in mine.items()}


def _until_free(counter: OpenCounter, times: Mapping[str, ServiceTime], usual: float, dice: random.Random) -> float:
    """Seconds until a counter is free."""
    if counter.held_in is None:
        return 0.0
    service = times.get(counter.held_in) or typical(usual)
    return service.draw(dice, counter.elapsed)


def _future_arrivals(lines: Sequence[Line], horizon: float, first: int, dice: random.Random) -> list[Arrival]:
    """Arrivals within the horizon, as a Poisson process at today's rate."""
    arrivals: list[Arrival] = []
    for line in lines:
        for priority in (Priority.URGENT, Priority.PRIORITY):
            rate = line.per_hour.get(priority, 0.0) / 3600
            at = dice.expovariate(rate) if rate else horizon
            while at < horizon:
                arrivals.append(Arrival(at, line.department_id, first + len(arrivals), priority))
                at += dice.expovariate(rate)
    return arrivals


def _ranges(runs: Sequence[Sequence[float]]) -> list[Range]:
    """The quantiles over all runs, per index."""
    if not runs:
        return []
    low, high = int(_LOW * (len(runs) - 1)), ceil(_HIGH * (len(runs) - 1))
    ordered = (sorted(waits) for waits in zip(*runs, strict=True))
    return [(waits[low], waits[high]) for waits in ordered]
