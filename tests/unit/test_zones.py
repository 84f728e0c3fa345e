import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from tokenq.zones import HERE, at_clock, label, local

NOON = datetime(2026, 8, 7, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def machine_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("zone", "clock"), [("Europe/Berlin", "14:00"), ("Asia/Kolkata", "17:30"), ("", "21:00"), ("Mars/Base", "21:00")]
)
def test_a_time_is_told_on_the_branchs_clock_and_on_the_machines_where_no_zone_is_known(zone: str, clock: str) -> None:
    assert f"{local(NOON, zone):%H:%M}" == clock


def test_a_time_that_is_typed_is_one_of_the_branchs_clock() -> None:
    day = date(2026, 8, 7)
    assert at_clock("14:00", "Europe/Berlin", day=day) == NOON
    assert at_clock("21:00", "", day=day) == NOON
    assert at_clock("00:30", "Asia/Kolkata").astimezone(UTC).strftime("%H:%M") == "19:00"


@pytest.mark.parametrize("text", ["25:99", "", "noon", "14", "24:00", "1:2:3"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        at_clock(text, "Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "told"), [("Europe/Berlin", "Europe/Berlin"), ("Asia/Seoul", ""), ("", ""), ("Mars/Base", HERE)]
)
def test_the_zone_is_named_only_where_the_machines_clock_shows_another_time(zone: str, told: str) -> None:
    assert label(zone, NOON) == told
