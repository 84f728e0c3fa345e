"""Replay a real day with other counters and ratios: same arrivals, simulated calls.

Everybody who came is simulated. Those who were never called (they left, or the day ended) have no service time of their
own; theirs are drawn from the day's other services, always the same ones for a visit, so that settings are comparable.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from tokenq.contract.enums import Priority
from tokenq.contract.report_views import SettingView
from tokenq_server.domain.department import Department
from tokenq_server.domain.figures import Durations, percent
from tokenq_server.domain.history import Visit
from tokenq_server.domain.policy import Ratio
from tokenq_server.domain.simulation import Arrival, Desk, Order, run


def service_times(department: Department, visits: Sequence[Visit]) -> list[int]:
    """Return how long each visit occupies a counter, in seconds: as observed, else drawn from those observed.

    If none was observed, it is the department's expected service time.
    """
    observed = [sum(service.occupied or 0 for service in visit.services) for visit in visits]
    known = sorted(seconds for seconds in observed if seconds) or [department.rules.service_minutes * 60]
    return [
        seconds or random.Random(visit.token_id).choice(known)  # noqa: S311 - the same draw each time, guards nothing
        for visit, seconds in zip(visits, observed, strict=True)
    ]


def simulate_setting(department: Department, visits: Sequence[Visit], counters: int, ratio: Ratio) -> SettingView:
    """Simulate the day's waits with this many counters, open from the first arrival on, and this ratio."""
    took = service_times(department, visits)
    begin = min((visit.came_at for visit in visits), default=None)
    arrivals = [
        Arrival(
            (visit.came_at - (begin or visit.came_at)).total_seconds(),
            department.department_id,
            number,
            Priority(visit.priority),
        )
        for number, visit in enumerate(visits)
    ]
    called = run(
        arrivals,
        [Desk()] * counters,
        {department.department_id: Order(replace(department.policy, ratio=ratio))},
        lambda arrival: float(took[arrival.customer]),
    )
    level = department.rules.service_level_minutes * 60
    waits, classes = Durations(), {name: Durations() for name in Priority}
    in_time = 0
    for arrival in arrivals:
        wait = int(called[arrival.customer] - arrival.at + 0.5)
        waits.add(wait)
        classes[arrival.priority].add(wait)
        in_time += wait <= level
    return {
        "counters": counters,
        "ratio": str(ratio),
        "waiting": waits.view(),
        "classes": {str(name): times.view() for name, times in classes.items()},
        "serviceLevel": percent(in_time, waits.count),
    }
