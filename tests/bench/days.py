"""Days in simulated time: the longest waits, and the error of estimates. Nothing here measures a clock.

``python -m tests.bench fairness`` and ``python -m tests.bench estimates``.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from statistics import fmean

from tokenq.contract.enums import Priority
from tokenq_server.domain.estimate import Line, OpenCounter, forecasts
from tokenq_server.domain.policy import Policy, Ratio, Turn
from tokenq_server.domain.service_time import learned
from tokenq_server.domain.simulation import Arrival, Desk, Order, run

HOURS = 9
_WEIGHTS = {Priority.NORMAL: 0.7, Priority.PRIORITY: 0.27, Priority.URGENT: 0.03}
_SHAPE = (1.3, 1.2, 1.1, 1.0, 0.7, 0.8, 1.1, 1.0, 0.8)
"""Relative arrivals in each hour of the day."""


@dataclass(frozen=True)
class Day:
    """Arrivals, the time each occupied a counter, and the number of counters."""

    arrivals: tuple[Arrival, ...]
    service: tuple[float, ...]
    counters: int


def day(customers: int, load: float, seed: int, mean_minutes: float = 6.0) -> Day:
    """A day with that many customers; ``load`` is the work that arrives divided by the capacity of the counters."""
    dice = random.Random(seed)
    hours = dice.choices(range(HOURS), _SHAPE, k=customers)
    times = sorted(3600 * (hour + dice.random()) for hour in hours)
    classes = dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=customers)
    service = tuple(max(dice.lognormvariate(0, 0.6) * mean_minutes * 60 / 1.2, 20.0) for _ in times)
    counters = ceil(sum(service) / (HOURS * 3600) / load)
    arrivals = tuple(
        Arrival(at, "CW", number, name) for number, (at, name) in enumerate(zip(times, classes, strict=True))
    )
    return Day(arrivals, service, counters)


def waits(workday: Day, policy: Policy) -> dict[Priority, list[float]]:
    """The waits in minutes, per class, sorted."""
    called = _called(workday, policy)
    found: dict[Priority, list[float]] = {name: [] for name in Priority}
    for arrival in workday.arrivals:
        found[arrival.priority].append((called[arrival.customer] - arrival.at) / 60)
    return {name: sorted(values) for name, values in found.items()}


def fairness() -> str:
    """A day of 2,000 customers at 2:1, and the same day with strict priority."""
    rows = [f"{'2 000 customers in a day':34}{'class':>9}{'people':>8}{'half':>7}{'90 %':>7}{'longest':>9}  (minutes)"]
    policies = {
        "2:1, nobody above 60 min": Policy(Ratio(2, 1), timedelta(minutes=60)),
        "2:1, no maximum": Policy(Ratio(2, 1), timedelta(days=1)),
        "strict priority, no maximum": Policy(Ratio(99, 1), timedelta(days=1)),
    }
    for load in (0.9, 1.0, 1.15):
        workday = day(2000, load, seed=1)
        for title, policy in policies.items():
            for name, values in waits(workday, policy).items():
                half, nine = values[len(values) // 2], values[int(len(values) * 0.9)]
                label = f"load {load}, {title}"
                rows.append(f"{label:34}{name:>9}{len(values):>8}{half:>7.1f}{nine:>7.1f}{values[-1]:>9.1f}")
    return "\n".join(rows)


def estimates(days: int = 3) -> str:
    """The error of our estimates, and that of the naive one: people ahead times the mean service time."""
    rows = [f"{'mean error in minutes':34}{'people':>8}{'ours':>8}{'naive':>8}{'ahead*mean/counters':>21}{'within':>9}"]
    for load in (0.85, 0.95, 1.05):
        ours, naive, shared, within = _errors([day(400, load, seed) for seed in range(days)])
        text = f"{f'load {load}':34}{len(ours):>8}{fmean(ours):>8.2f}{fmean(naive):>8.2f}{fmean(shared):>21.2f}"
        rows.append(f"{text}{100 * sum(within) / len(within):>8.0f}%")
    return "\n".join(rows)


def _called(workday: Day, policy: Policy) -> dict[int, float]:
    return run(
        workday.arrivals, [Desk()] * workday.counters, {"CW": Order(policy)}, lambda who: workday.service[who.customer]
    )


def _errors(days: Sequence[Day]) -> tuple[list[float], list[float], list[float], list[bool]]:
    ours: list[float] = []
    naive: list[float] = []
    shared: list[float] = []
    within: list[bool] = []
    for workday in days:
        policy = Policy()
        called = _called(workday, policy)
        for who in workday.arrivals:
            line, counters, mean, ahead = _seen_by(workday, who, called, policy)
            found = forecasts([line], counters, seed=who.customer)["CW"]
            estimate = found.at(who.priority, len(line.waiting.get(who.priority, ())) + 1)
            if estimate.low_minutes is None or estimate.high_minutes is None:
                continue
            waited = (called[who.customer] - who.at) / 60
            ours.append(abs((estimate.low_minutes + estimate.high_minutes) / 2 - waited))
            naive.append(abs(ahead * mean / 60 - waited))
            shared.append(abs(ahead * mean / 60 / workday.counters - waited))
            within.append(estimate.low_minutes <= waited <= estimate.high_minutes)
    return ours, naive, shared, within


def _seen_by(
    workday: Day, who: Arrival, called: dict[int, float], policy: Policy
) -> tuple[Line, list[OpenCounter], float, int]:
    """The queue when a customer arrives: who waits, who is being served since when, service times so far."""
    before = [each for each in workday.arrivals if each.customer < who.customer]
    line = [each for each in before if called[each.customer] > who.at]
    busy = [
        each
        for each in before
        if called[each.customer] <= who.at < called[each.customer] + workday.service[each.customer]
    ]
    done = [each for each in before if called[each.customer] + workday.service[each.customer] <= who.at]
    last = sorted(done, key=lambda each: called[each.customer])[-30:]
    service = learned([workday.service[each.customer] for each in last], prior_minutes=10)
    waiting = {name: [who.at - each.at for each in line if each.priority is name] for name in Priority}
    hour = [each for each in before if each.at > who.at - 3600]
    per_hour = {name: float(sum(each.priority is name for each in hour)) for name in Priority}
    turn = Turn()
    for each in sorted(before, key=lambda each: called[each.customer]):
        if called[each.customer] <= who.at:
            turn = turn.after(each.priority, policy.ratio)
    counters = [OpenCounter((), "CW", who.at - called[each.customer]) for each in busy]
    counters += [OpenCounter()] * (workday.counters - len(counters))
    ahead = len(line)
    return replace(Line("CW", policy, turn, service, waiting, per_hour)), counters, service.mean, ahead
