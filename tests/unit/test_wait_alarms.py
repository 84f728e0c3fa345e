"""Alarms about waits: when they are on, and how they are told."""

from typing import cast

import pytest

from tokenq.contract.views import QueueView
from tokenq.locale import texts
from tokenq.locale.notices import alarms
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.wait_alarms import WaitAlarm, WaitFigures, wait_alarms
from tokenq_server.services.views import alarm_views

LEVEL, LONGEST = WaitAlarm.SERVICE_LEVEL, WaitAlarm.LONGEST_WAIT


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        (WaitFigures(), []),
        (WaitFigures(10, 2, 1800), []),
        (WaitFigures(10, 3, 1800), [LEVEL]),
        (WaitFigures(10, 2, 2701), [LONGEST]),
        (WaitFigures(1, 1, 9000), [LEVEL, LONGEST]),
    ],
)
def test_an_alarm_is_on_while_its_limit_is_passed(figures: WaitFigures, expected: list[WaitAlarm]) -> None:
    """80 % within 15 minutes, and nobody longer than 45 minutes."""
    assert wait_alarms(figures, Rules(longest_wait_minutes=45)) == expected


def test_figures_that_are_seconds_old_alarm_about_nobody_who_has_gone() -> None:
    assert WaitFigures(3, 3, 3000).among(0) == WaitFigures()
    assert WaitFigures(3, 3, 3000).among(2) == WaitFigures(2, 2, 3000)
    assert WaitFigures(3, 2, 3000).among(9) == WaitFigures(9, 2, 3000)


def test_the_longest_wait_has_no_limit_unless_it_is_set() -> None:
    assert wait_alarms(WaitFigures(10, 0, 90_000), Rules()) == []


def test_alarms_are_told_in_full_and_in_a_title() -> None:
    view = alarm_views(WaitFigures(4, 3, 3000), Rules(longest_wait_minutes=45))
    queue = cast(QueueView, {"alarms": view})
    assert alarms(queue, texts("en")) == [
        "3 customers have waited longer than 15 min: below the service level.",
        "A customer has waited 50 min (limit: 45 min).",
    ]
    assert alarms(queue, texts("en"), is_short=True) == ["3 over 15 min", "longest 50 min"]
    assert alarms(cast(QueueView, {}), texts("en")) == [], "a server of an earlier release"
