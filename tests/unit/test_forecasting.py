"""When forecasts are made anew: after a counter has changed at once, whatever else is in hand."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.test_estimate import line
from tokenq.contract.enums import Priority
from tokenq_server.domain.estimate import NO_COUNTER, OpenCounter
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.wait_alarms import WaitFigures
from tokenq_server.services import forecasting as module
from tokenq_server.services.forecasting import BranchNow, Forecasts


class FakeFloor:
    """One branch with one department."""

    def __init__(self) -> None:
        self.counters: list[OpenCounter] = []
        self.looked = 0
        self.is_slow = False
        self.is_empty = False

    async def activity(self) -> Mapping[str, int]:
        return {} if self.is_empty else {"main": 1}

    async def branch_now(self, branch_id: str) -> BranchNow:
        self.looked += 1
        if self.is_slow:
            raise RuntimeError("canceling statement due to statement timeout")
        if branch_id != "main":
            return BranchNow([], [])
        return BranchNow([line(normal=2)], list(self.counters), {"CW": (Rules(), WaitFigures(2, 1, 1200))})


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


async def test_a_refresh_does_not_wait_for_the_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EVERY_SECONDS", 3600.0)
    floor = FakeFloor()
    forecasts = Forecasts(floor)
    forecasts.start()
    try:
        await forecasts.renew("main")
        floor.counters = [OpenCounter()]
        await forecasts.refresh("main").wait()
        assert forecasts.counters_open() == {"CW": 1}
    finally:
        await forecasts.close()


async def test_the_waits_of_a_branch_are_kept_until_its_last_department_goes() -> None:
    """Queues and metrics read them here: nobody's look at a queue reads everyone who waits."""
    floor = FakeFloor()
    forecasts = Forecasts(floor)
    await forecasts._make_due()
    assert forecasts.waits() == {"CW": (Rules(), WaitFigures(2, 1, 1200))}
    assert floor.looked == 1
    floor.is_empty = True
    await forecasts._make_due()
    assert forecasts.waits() == {}


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


async def test_a_change_is_answered_though_its_forecast_fails(caplog: pytest.LogCaptureFixture) -> None:
    """It is made already: a failure would be a lie, and is for the log."""
    floor = FakeFloor()
    floor.is_slow = True
    await Forecasts(floor).renew("main")
    assert "forecasting failed" in caplog.text


async def test_nobody_waits_for_the_forecast_of_a_branch_without_departments() -> None:
    floor = FakeFloor()
    forecasts = Forecasts(floor)
    forecasts.start()
    try:
        await forecasts.renew("empty")
        assert forecasts._asked == {}
    finally:
        await forecasts.close()


async def test_a_dear_forecast_is_put_off_though_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a morning on which all counters open would be spent on simulating."""
    clock: Any = SimpleNamespace(now=100.0)

    def dear(*_: object) -> dict[str, Any]:
        clock.now += 3.0
        return {}

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(module, "forecasts", dear)
    forecasts = Forecasts(FakeFloor())
    await forecasts._make_due()
    forecasts._asked["main"] = asyncio.Event()
    assert not forecasts._is_due("main", 2)
    clock.now += 5.5
    assert not forecasts._is_due("main", 2)
    assert 0 < forecasts._pause() < 1, "the next round begins when it may be made"
    clock.now += 0.6
    assert forecasts._is_due("main", 2)
    assert forecasts._pause() == 1, "the database may be away: no reason to ask it all the time"
    await forecasts._make_due()
    assert not forecasts._is_due("main", 2)
    clock.now += 59
    assert not forecasts._is_due("main", 3), "one that nobody asked for has more time"
    clock.now += 2
    assert forecasts._is_due("main", 3)
