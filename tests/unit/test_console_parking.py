from datetime import datetime

import pytest

from tokenq_tui.console.parking import parking


@pytest.mark.parametrize(
    ("typed", "body"),
    [
        ("", {"reason": None}),
        ("15 copies", {"untilMinutes": 15, "reason": "copies"}),
        ("15", {"untilMinutes": 15, "reason": None}),
        ("copies at 14:30", {"reason": "copies at 14:30"}),
        ("3rd floor", {"reason": "3rd floor"}),
        ("2. floor", {"reason": "2. floor"}),
    ],
)
def test_minutes_come_first_and_the_rest_is_the_reason(typed, body):
    assert parking(typed, "") == body


def test_a_time_is_one_of_the_branchs_clock():
    body = parking("14:30 X-ray", "Asia/Kolkata")
    assert body["reason"] == "X-ray"
    assert datetime.fromisoformat(body["until"]).strftime("%H:%M %z") == "14:30 +0530"


@pytest.mark.parametrize("typed", ["25:99 foo", "14:60", "8:", "0 foo", "1441", "12.30", "9" * 5000])
def test_what_is_meant_as_a_time_and_is_none_is_no_reason(typed):
    with pytest.raises(ValueError, match=typed.split()[0]):
        parking(typed, "UTC")
