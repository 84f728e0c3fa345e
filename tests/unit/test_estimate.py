"""Estimated waits: ranges that follow the policy, the counters and what today has taught."""

from typing import Any

import pytest

from tokenq.contract.enums import Priority
from tokenq_server.domain import estimate
from tokenq_server.domain.estimate import (
    NO_COUNTER,
    VAGUE,
    Estimate,
    Forecast,
    Line,
    OpenCounter,
    forecasts,
    useful,
)
from tokenq_server.domain.policy import Policy, Turn
from tokenq_server.domain.service_time import ServiceTime

STEADY = ServiceTime(300.0, 30.0)


def line(department: str = "CW", normal: int = 0, priority: int = 0, per_hour: float = 0.0) -> Line:
    waiting = {Priority.NORMAL: [60.0] * normal, Priority.PRIORITY: [30.0] * priority}
    return Line(department, Policy(), Turn(), STEADY, waiting, {Priority.PRIORITY: per_hour})


def middle(forecast: Forecast, priority: Priority, index: int) -> float:
    found = forecast.seconds(priority, index)
    assert found is not None
    return sum(found) / 2


def test_without_a_counter_nothing_is_promised() -> None:
    assert forecasts([line(normal=3)], [])["CW"].at(Priority.NORMAL, 2) == NO_COUNTER


def test_the_first_at_a_free_counter_does_not_wait() -> None:
    told = forecasts([line()], [OpenCounter()])["CW"].at(Priority.NORMAL, 1)
    assert (told.low_minutes, told.high_minutes) == (0, 5)


def test_the_wait_grows_with_the_line_and_shrinks_with_the_counters() -> None:
    one = forecasts([line(normal=12)], [OpenCounter()])["CW"]
    three = forecasts([line(normal=12)], [OpenCounter()] * 3)["CW"]
    waits = [middle(one, Priority.NORMAL, index) for index in range(1, 14)]

    assert waits == sorted(waits)
    assert 0.8 < waits[12] / (12 * STEADY.mean) < 1.2
    assert middle(three, Priority.NORMAL, 13) < waits[12] / 2


def test_the_policy_decides_who_waits_how_long() -> None:
    """Two priority to one normal: the last of a few priority people waits less than the last of many normal ones."""
    found = forecasts([line(normal=8, priority=4)], [OpenCounter()])["CW"]

    assert middle(found, Priority.PRIORITY, 4) < middle(found, Priority.NORMAL, 4)


def test_those_who_may_still_come_and_go_before_make_it_longer() -> None:
    quiet = forecasts([line(normal=10)], [OpenCounter()])["CW"]
    busy = forecasts([line(normal=10, per_hour=12)], [OpenCounter()])["CW"]

    assert middle(busy, Priority.NORMAL, 10) > middle(quiet, Priority.NORMAL, 10) * 1.2


def test_a_counter_that_serves_others_first_is_no_help_here() -> None:
    shared = forecasts([line("CW", normal=6), line("HR", normal=6)], [OpenCounter(("HR", "CW"))])
    alone = forecasts([line("CW", normal=6)], [OpenCounter(("HR", "CW"))])

    assert middle(shared["CW"], Priority.NORMAL, 1) > 5 * STEADY.mean
    assert middle(alone["CW"], Priority.NORMAL, 1) == 0
    assert forecasts([line("CW", normal=6)], [OpenCounter(("HR",))])["CW"].at(Priority.NORMAL, 1) == NO_COUNTER


def test_what_is_left_of_a_service_counts() -> None:
    fresh = forecasts([line(normal=1)], [OpenCounter((), "CW", 10.0)])["CW"]
    nearly = forecasts([line(normal=1)], [OpenCounter((), "CW", 280.0)])["CW"]

    assert middle(nearly, Priority.NORMAL, 1) < middle(fresh, Priority.NORMAL, 1) / 2


def test_further_back_than_is_simulated_the_pace_goes_on() -> None:
    found = forecasts([line(normal=200)], [OpenCounter()] * 2)["CW"]
    near, far = (middle(found, Priority.NORMAL, index) for index in (200, 210))

    assert 0.8 < (far - near) / (10 * STEADY.mean / 2) < 1.2


def test_a_large_branch_is_forecast_in_the_end_too() -> None:
    """Forty departments with long lines share their counters: few of each are simulated, all get an answer."""
    lines = [line(f"D{number}", normal=60) for number in range(40)]
    found = forecasts(lines, [OpenCounter()] * 10)
    waits = [middle(found["D0"], Priority.NORMAL, index) for index in (1, 10, 40, 60)]

    assert waits == sorted(waits)
    assert waits[-1] > 30 * STEADY.mean


def test_nobody_waits_for_those_who_are_only_imagined() -> None:
    """A hundred departments share a free counter: whoever comes to one of them does not wait for all the others."""
    lines = [line(f"D{number}", per_hour=0.001) for number in range(100)]
    found = forecasts(lines, [OpenCounter()])
    assert max(middle(found[each.department_id], Priority.NORMAL, 1) for each in lines) < STEADY.mean


def test_departments_where_nobody_waits_have_the_wait_of_their_counters() -> None:
    """Of those that the same counters serve in the same order, one is simulated."""
    names = [f"D{number}" for number in range(6)]
    lines = [line("CW", normal=6), *map(line, names)]
    first, last = OpenCounter(("D0", "D1", "CW")), OpenCounter(("CW", "D2", "D3"), "CW")
    found = forecasts(lines, [first, last])
    waits = [middle(found[name], Priority.NORMAL, 1) for name in names[:4]]

    assert waits[:2] == [0.0, 0.0]
    assert waits[2] == waits[3] > STEADY.mean
    assert {found[name].at(Priority.NORMAL, 1) for name in names[4:]} == {NO_COUNTER}


def test_a_place_with_a_thousand_departments_simulates_those_with_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue of one does not have to stay short because of all the others."""
    simulated = []
    real = estimate._one_run

    def noted(lines: list[Line], *others: Any) -> Any:
        simulated.append(len(lines))
        return real(lines, *others)

    monkeypatch.setattr(estimate, "_one_run", noted)
    found = forecasts([line("CW", normal=150), *(line(f"D{number}") for number in range(999))], [OpenCounter()] * 2)
    assert max(simulated) == 2
    assert len(found["CW"].waits[Priority.NORMAL]) == estimate.LONGEST + 1
    assert len(found) == 1000


def test_the_same_floor_has_the_same_forecast() -> None:
    lines, counters = [line(normal=5, per_hour=3)], [OpenCounter()] * 2
    assert forecasts(lines, counters) == forecasts(lines, counters)


@pytest.mark.parametrize(
    ("low", "high", "is_told"), [(0, 30, True), (0, 35, False), (15, 60, True), (15, 65, False), (430, 470, True)]
)
def test_a_range_too_wide_to_plan_with_is_not_known(low: int, high: int, is_told: bool) -> None:
    assert useful(low, high) == (Estimate(low, high) if is_told else VAGUE)


def test_every_estimate_told_is_useful() -> None:
    """One counter, services that differ by far: what is told stays within the rule, the rest is not known."""
    wild = Line("CW", Policy(), Turn(), ServiceTime(2400.0, 4000.0), {Priority.NORMAL: [60.0] * 9}, {})
    found = forecasts([wild], [OpenCounter()])["CW"]
    estimates = [found.at(Priority.NORMAL, index) for index in range(1, 11)]

    assert VAGUE in estimates
    for told in estimates:
        if told.low_minutes is not None and told.high_minutes is not None:
            assert told.high_minutes <= 2 * told.low_minutes + 30


@pytest.mark.parametrize("ages", [[10.0, 600.0, 300.0, 60.0, 60.0], [0.0, 0.0, 0.1, 0.2, 0.3], [-1.0, 5.0, 0.0]])
def test_the_wait_follows_the_place_and_not_how_long_somebody_has_waited(ages: list[float]) -> None:
    """Whoever was put first waits shortest; of a group, the first number does."""
    queue = Line("CW", Policy(), Turn(), STEADY, {Priority.NORMAL: ages}, {})
    forecast = forecasts([queue], [OpenCounter()])["CW"]
    waits = [middle(forecast, Priority.NORMAL, index) for index in range(1, len(ages) + 1)]
    assert waits == sorted(waits)
    assert waits[0] < 60
