"""When forecasts are made anew: after a counter has changed at once, whatever else is in hand."""

import asyncio
from collections.abc import Mapping

from tests.unit.test_estimate import line
from tokenq.contract.words import Priority
from tokenq_server.domain.estimate import NO_COUNTER, OpenCounter
from tokenq_server.services.forecasting import BranchNow, Forecasts


class FakeFloor:
    """One branch with one department."""

    def __init__(self) -> None:
        self.counters: list[OpenCounter] = []
        self.looked = 0

    async def activity(self) -> Mapping[str, int]:
        return {"main": 1}

    async def branch_now(self, branch_id: str) -> BranchNow:
        self.looked += 1
        return BranchNow([line(normal=2)], list(self.counters))


async def test_a_changed_counter_is_in_the_forecast_when_the_change_is_answered() -> None:
    floor = FakeFloor()
    forecasts = Forecasts(floor)
    forecasts.start()
    try:
        await forecasts.renew("main")
        floor.counters = [OpenCounter()]
        await forecasts.renew("main")
        known = forecasts.of("CW")
        assert known
        assert known.at(Priority.NORMAL, 1).high_minutes
        floor.counters = []
        await forecasts.renew("main")
        known = forecasts.of("CW")
        assert known
        assert known.at(Priority.NORMAL, 1) == NO_COUNTER
    finally:
        await forecasts.close()


async def test_many_changes_at_once_are_one_forecast() -> None:
    """Forty counters open at eight o'clock."""
    floor = FakeFloor()
    forecasts = Forecasts(floor)
    forecasts.start()
    try:
        await asyncio.gather(*(forecasts.renew("main") for _ in range(40)))
        assert floor.looked < 40 + 4
    finally:
        await forecasts.close()
