"""Opening hours as people write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenq.contract.hours import ALWAYS, WEEKDAYS, read_hours, write_hours
from tokenq_server.domain.hours import hours_document, hours_from


def test_an_office_with_a_holiday() -> None:
    document = read_hours("Mon-Fri 8:00-12:00, 13:00 - 17:00; sat 09:00-12:00; 2026-12-25, 2026-12-26 closed;")
    office = ["08:00-12:00", "13:00-17:00"]

    assert document == {
        "weekly": {**dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), office), "sat": ["09:00-12:00"]},
        "exceptions": {"2026-12-25": [], "2026-12-26": []},
    }
    assert write_hours(document) == (
        "mon-fri 08:00-12:00, 13:00-17:00; sat 09:00-12:00; 2026-12-25 closed; 2026-12-26 closed"
    )


def test_days_may_be_listed_and_go_over_the_weekend() -> None:
    assert set(read_hours("fri-mon, wed 10:00-11:00")["weekly"]) == {"fri", "sat", "sun", "mon", "wed"}
    assert write_hours(read_hours("fri-mon 10:00-11:00")) == "mon 10:00-11:00; fri-sun 10:00-11:00"


def test_never_and_always() -> None:
    assert read_hours("closed") == {"weekly": {}, "exceptions": {}}
    assert write_hours({"weekly": {}, "exceptions": {}}) == "closed"
    assert set(read_hours(ALWAYS)["weekly"]) == set(WEEKDAYS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (" ; ", "empty"),
        ("mon", "'mon'"),
        ("08:00-12:00", "'08:00-12:00'"),
        ("mon-fry 08:00-12:00", "'mon-fry' is neither a weekday"),
        ("mon 08:00", "write times as"),
        ("mon 08:00-12:00; mon 13:00-14:00", "mon twice"),
        ("mon 08:00-12:00; closed", "'closed'"),
        ("montag 08:00-12:00", "'montag' is neither a weekday"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        read_hours(text)


times = st.lists(st.integers(0, 23), unique=True, max_size=3).map(
    lambda hours: [f"{hour:02d}:00-{hour:02d}:30" for hour in sorted(hours)]
)
days = st.dates().map(str)


@given(st.dictionaries(st.sampled_from(WEEKDAYS), times), st.dictionaries(days, times, max_size=3))
def test_what_is_written_is_read_back_as_the_same_hours(weekly: dict, exceptions: dict) -> None:
    """Any hours survive a file."""
    hours = hours_from({"weekly": weekly, "exceptions": exceptions})
    assert hours_from(read_hours(write_hours(hours_document(hours)))) == hours
