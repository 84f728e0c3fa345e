"""Waits in words: minutes below an hour, hours from an hour on, the same on every screen, ticket and letter."""

import pytest

from tests.screens.console_seeds import token
from tokenq.cli.tokens import sentence, waits
from tokenq.contract.views import EstimateView
from tokenq.contract.waits import duration, wait_range, wait_sentence
from tokenq_server.adapters.channels.templates import _wait
from tokenq_tui.console.state import expected_wait

RANGES = [
    (0, 5, "0-5 min", "0 to 5 minutes"),
    (45, 90, "45-90 min", "45 to 90 minutes"),
    (55, 95, "55 min to 2 h", "55 minutes to 2 hours"),
    (60, 75, "1-1.5 h", "1 to 1.5 hours"),
    (60, 60, "1 h", "1 hour"),
    (125, 175, "2-3 h", "2 to 3 hours"),
    (430, 470, "7-8 h", "7 to 8 hours"),
]


@pytest.mark.parametrize(("low", "high", "short", "full"), RANGES)
def test_a_range_from_an_hour_on_is_told_in_hours_everywhere(low: int, high: int, short: str, full: str) -> None:
    estimate: EstimateView = {"lowMinutes": low, "highMinutes": high, "reason": None}
    assert (wait_range(low, high), wait_sentence(low, high)) == (short, full)
    assert waits(estimate) == expected_wait(estimate) == short
    assert _wait(estimate) == full
    assert f"about {short}  (" in sentence(token("CW", 3, position=2, estimate=estimate))


@pytest.mark.parametrize("low", range(0, 400, 5))
@pytest.mark.parametrize("width", [5, 20, 60, 115])
def test_words_never_promise_less_than_the_range(low: int, width: int) -> None:
    """Rounding goes outward only."""
    text = wait_range(low, low + width)
    if text.endswith("h") and " to " not in text:
        first, _, last = text.removesuffix(" h").partition("-")
        assert float(first) * 60 <= low
        assert float(last or first) * 60 >= low + width


def test_durations_read_well() -> None:
    assert [duration(minutes) for minutes in (-3, 0, 12.9, 99, 125, 180, 605)] == [
        "0 min",
        "0 min",
        "12 min",
        "99 min",
        "2 h 05",
        "3 h",
        "10 h 05",
    ]
