"""Waits in words: minutes below an hour, hours from an hour on, the same on every screen, ticket and letter."""

import pytest

from tests.screens.console_seeds import token
from tokenq.cli.tokens import sentence, wait_of_newcomer, waits
from tokenq.contract.views import EstimateView
from tokenq.locale import SOURCE, texts
from tokenq.locale.waits import duration, wait_range, wait_sentence
from tokenq_server.adapters.channels.templates import _wait
from tokenq_server.domain.estimate import NO_COUNTER, useful
from tokenq_tui.console.times import expected_wait, why_no_estimate

ENGLISH = texts(SOURCE)
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
    assert (wait_range(low, high, ENGLISH), wait_sentence(low, high, ENGLISH)) == (short, full)
    assert waits(estimate) == expected_wait(estimate) == short
    assert _wait(estimate, "en") == full
    assert f"about {short}  (" in sentence(token("CW", 3, position=2, estimate=estimate))


def test_a_new_customer_has_either_an_estimate_or_the_reason_why_there_is_none() -> None:
    """A wait that is called estimated is not unknown in the same line."""
    assert wait_of_newcomer(useful(10, 20).view()) == "Estimated wait for a new customer: 10-20 min."
    for unknown, reason in (
        (useful(0, 95), "the wait varies too much to estimate"),
        (NO_COUNTER, "no counter is open"),
    ):
        assert wait_of_newcomer(unknown.view()) == f"There is no estimate for a new customer: {reason}."
    assert wait_of_newcomer(None) == ""


@pytest.mark.parametrize("estimate", [useful(10, 20).view(), useful(0, 95).view()])
def test_no_place_shows_both_a_wait_and_why_it_is_unknown(estimate: EstimateView) -> None:
    """Console, ticket and letter show a range or nothing; only the console's title says why."""
    shown, reason = expected_wait(estimate), why_no_estimate(estimate)
    assert bool(shown) != bool(reason)
    assert bool(_wait(estimate, "en")) == bool(shown)
    assert ("about" in sentence(token("CW", 3, position=2, estimate=estimate))) == bool(shown)


@pytest.mark.parametrize("low", range(0, 400, 5))
@pytest.mark.parametrize("width", [5, 20, 60, 115])
def test_words_never_promise_less_than_the_range(low: int, width: int) -> None:
    """Rounding goes outward only."""
    text = wait_range(low, low + width, ENGLISH)
    if text.endswith("h") and " to " not in text:
        first, _, last = text.removesuffix(" h").partition("-")
        assert float(first) * 60 <= low
        assert float(last or first) * 60 >= low + width


def test_durations_read_well() -> None:
    assert [duration(minutes, texts("en")) for minutes in (-3, 0, 12.9, 99, 125, 180, 605)] == [
        "0 min",
        "0 min",
        "12 min",
        "1 h 39",
        "2 h 05",
        "3 h",
        "10 h 05",
    ]
