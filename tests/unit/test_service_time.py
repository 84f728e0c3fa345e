"""Service times: what today teaches, and that forgotten finishes teach nothing."""

import random
from math import exp
from statistics import fmean

import pytest

from tokenq.contract.enums import Priority
from tokenq_server.domain.estimate import Forecast, Line, OpenCounter, forecasts
from tokenq_server.domain.policy import Policy, Turn
from tokenq_server.domain.service_time import ServiceTime, learned

MORNING = [420.0, 480.0, 540.0, 600.0, 600.0, 660.0, 720.0, 840.0]
"""Eight services of about ten minutes."""


def with_forgotten(minutes: float) -> list[float]:
    """The same morning, on which two people were served and marked as served only later."""
    return [*MORNING[:3], *MORNING[5:], *[minutes * 60] * 2]


def forecast_of(service: ServiceTime) -> Forecast:
    line = Line("CW", Policy(), Turn(), service, {Priority.NORMAL: [60.0] * 12}, {})
    return forecasts([line], [OpenCounter()])["CW"]


@pytest.mark.parametrize("forgotten", [45, 60, 90, 119, 210, 600, 1440])
@pytest.mark.parametrize("limit", [0, 60, 120])
def test_two_forgotten_finishes_of_eight_move_a_forecast_by_less_than_a_fifth(forgotten: float, limit: int) -> None:
    """Whether or not the department says what is long: the estimates, and the capacity that admission reckons with."""
    usual, shaken = learned(MORNING, 10, limit), learned(with_forgotten(forgotten), 10, limit)
    assert 0.8 < shaken.mean / usual.mean < 1.2
    for index in (4, 8, 13):
        before, after = (forecast_of(service).seconds(Priority.NORMAL, index) for service in (usual, shaken))
        assert before
        assert after
        assert all(0.8 < now / then < 1.2 for then, now in zip(before, after, strict=True)), (index, before, after)


def test_on_hardly_any_morning_do_two_forgotten_finishes_matter() -> None:
    """Random mornings with usual services; a mean would more than double."""
    dice = random.Random(7)
    changes = []
    for _ in range(1000):
        services = [600 * exp(dice.gauss(0, 0.3)) for _ in range(8)]
        late = [*services[:6], *(dice.uniform(60, 400) * 60 for _ in range(2))]
        changes.append(learned(late, 10, 120).mean / learned(services, 10, 120).mean)
    assert sum(0.8 < change < 1.2 for change in changes) > 990
    assert 0.97 < fmean(changes) < 1.03


def test_a_service_longer_than_the_department_calls_forgotten_teaches_nothing() -> None:
    assert learned([600.0, 3.5 * 3600], 10, 120) == learned([600.0], 10, 120)
    assert learned([600.0, 3.5 * 3600], 10, 0) != learned([600.0], 10, 0)
    assert learned([3.5 * 3600], 10, 120) == learned([], 10, 120)


def test_today_teaches_more_the_more_it_has_shown() -> None:
    """One odd service must not turn the board's promise over; thirty of them should."""
    assert learned([], 10).mean == 600
    assert 500 < learned([60.0], 10).mean < 600
    assert learned([60.0] * 30, 10).mean < 150


def test_after_ten_services_the_department_s_setting_counts_no_more() -> None:
    """People would be turned away by a guess although the day shows how fast the counters are."""
    quick = [60.0, 62, 64, 66, 68, 68, 70, 72, 74, 75]
    assert 60 < learned(quick, 10).mean < 75
    assert learned(quick, 10).mean == learned(quick, 480).mean
    assert learned(quick[:9], 10).mean > learned(quick, 10).mean


@pytest.mark.parametrize("spread", [0.1, 0.6, 0.9])
def test_the_mean_of_a_whole_day_is_found_though_it_is_learned_from_the_median(spread: float) -> None:
    """Queues grow with the mean, and service times are skewed: their median alone would promise too little."""
    dice = random.Random(3)
    day = [ServiceTime(300, 300 * spread).draw(dice) for _ in range(400)]
    assert 0.85 < learned(day, 5).mean / 300 < 1.15


def test_service_times_drawn_have_the_mean_they_are_drawn_around() -> None:
    dice = random.Random(1)
    drawn = [ServiceTime(300, 180).draw(dice) for _ in range(4000)]
    assert 280 < sum(drawn) / len(drawn) < 320
    assert all(ServiceTime(300, 30).draw(dice, elapsed=400) >= 0 for _ in range(100))
