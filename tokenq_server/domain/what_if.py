"""Replay a real day with other counters and ratios: same arrivals, simulated calls.

Customers who were never called (they left, or the day ended) are not simulated, since their service time is unknown.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from statistics import fmean

from tokenq.contract.enums import Priority
from tokenq.contract.report_views import SettingView
from tokenq_server.domain.department import Department
from tokenq_server.domain.history import Visit
from tokenq_server.domain.policy import Ratio
from tokenq_server.domain.report import percent, times
from tokenq_server.domain.simulation import Arrival, Desk, Order, run


def simulate_setting(department: Department, visits: Sequence[Visit], counters: int, ratio: Ratio) -> SettingView:
    """Simulate the day's waits with this many counters, open from the first arrival on, and this ratio."""
    customers = [visit for visit in visits if visit.services]
    begin = min((visit.came_at for visit in customers), default=datetime.min)
    took = [sum(service.occupied or 0.0 for service in visit.services) for visit in customers]
    usual = (
        fmean(observed)
        if (observed := [seconds for seconds in took if seconds])
        else department.rules.service_minutes * 60
    )
    arrivals = [
        Arrival((visit.came_at - begin).total_seconds(), department.department_id, number, Priority(visit.priority))
        for number, visit in enumerate(customers)
    ]
    order = Order(replace(department.policy, ratio=ratio))
    called = run(
        arrivals,
        [Desk()] * counters,
        {department.department_id: order},
        lambda arrival: took[arrival.customer] or usual,
    )
    waits = {arrival.customer: called[arrival.customer] - arrival.at for arrival in arrivals}
    level = department.rules.service_level_minutes * 60
    return {
        "counters": counters,
        "ratio": str(ratio),
        "waiting": times(waits.values()),
        "classes": {
            str(name): times(waits[arrival.customer] for arrival in arrivals if arrival.priority is name)
            for name in Priority
        },
        "serviceLevel": percent(sum(wait <= level for wait in waits.values()), len(waits)),
    }
