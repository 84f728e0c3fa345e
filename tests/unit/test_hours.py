"""Opening hours, on ordinary days and on those that the clock makes strange."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.unit.sessions import refused
from tokenq.contract.hours import WEEKDAYS
from tokenq.contract.problems import ProblemCode
from tokenq_server.domain.hours import Hours, hours_document, hours_from, opening

OFFICE = hours_from(
    {
        "weekly": {day: ["08:00-12:00", "13:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
        "exceptions": {"2026-12-24": ["08:00-12:00"], "2026-12-25": []},
    }
)
BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def daily(interval: str) -> Hours:
    return hours_from({"weekly": {day: [interval] for day in WEEKDAYS}})


ALL_DAY = daily("00:00-24:00")


def test_without_hours_a_place_is_always_open() -> None:
    assert opening(None, at("2026-11-23T03:00"), BERLIN).is_open


@pytest.mark.parametrize(
    ("now", "is_open", "changes"),
    [
        ("2026-11-23T07:59:59", False, "2026-11-23T08:00"),
        ("2026-11-23T08:00", True, "2026-11-23T12:00"),
        ("2026-11-23T12:00", False, "2026-11-23T13:00"),
        ("2026-11-23T16:59:59", True, "2026-11-23T17:00"),
        ("2026-11-27T17:00", False, "2026-11-30T08:00"),
        ("2026-12-24T12:00", False, "2026-12-28T08:00"),
    ],
)
def test_a_week_at_the_office(now: str, is_open: bool, changes: str) -> None:
    """Open from the first second on, closed from the last; a holiday and a weekend are passed over."""
    found = opening(OFFICE, at(now), BERLIN)

    assert found.is_open is is_open
    assert (found.closes_at if is_open else found.opens_at) == at(changes)


def test_a_night_shift_belongs_to_the_day_it_began_on() -> None:
    """Friday 22:00 to 02:00 is open on Saturday at one."""
    night = hours_from({"weekly": {"fri": ["22:00-02:00"]}})
    found = opening(night, at("2026-11-28T01:00"), BERLIN)

    assert (found.is_open, found.closes_at) == (True, at("2026-11-28T02:00"))
    assert not opening(night, at("2026-11-28T02:00"), BERLIN).is_open


def test_midnight_does_not_close_what_is_open_all_night() -> None:
    night = hours_from({"weekly": {"fri": ["18:00-24:00"], "sat": ["00:00-06:00"]}})
    assert opening(night, at("2026-11-27T23:00"), BERLIN).closes_at == at("2026-11-28T06:00")
    assert opening(ALL_DAY, at("2026-11-27T23:59:59"), BERLIN).is_open


@pytest.mark.parametrize("times", [["00:00-24:00"], ["06:00-18:00", "18:00-06:00"]])
def test_who_never_closes_has_no_closing_time(times: list[str]) -> None:
    found = opening(hours_from({"weekly": dict.fromkeys(WEEKDAYS, times)}), at("2026-11-27T12:00"), BERLIN)
    assert (found.is_open, found.closes_at) == (True, None)


def test_who_never_closes_but_for_one_day_closes_for_that_day() -> None:
    """A past holiday says nothing about the days to come."""
    week = hours_document(ALL_DAY)["weekly"]
    ahead = hours_from({"weekly": week, "exceptions": {"2026-12-25": [], "2025-12-25": []}})
    past = hours_from({"weekly": week, "exceptions": {"2025-12-25": []}})

    assert opening(ahead, at("2026-11-27T12:00"), BERLIN).closes_at == at("2026-12-25T00:00")
    assert opening(ahead, at("2026-12-25T12:00"), BERLIN).opens_at == at("2026-12-26T00:00")
    assert opening(past, at("2026-11-27T12:00"), BERLIN).closes_at is None


def test_a_place_that_opens_once_more_is_looked_for_a_year_ahead() -> None:
    """Closed for rebuilding: the day of the opening is told; one that is further away is not."""
    for day, opens in (("2027-12-01", at("2027-12-01T09:00")), ("2028-12-01", None)):
        hours = hours_from({"exceptions": {day: ["09:00-12:00"]}})
        assert opening(hours, at("2026-11-27T12:00"), BERLIN).opens_at == opens


def test_closed_for_good_has_no_next_opening() -> None:
    assert opening(hours_from({"weekly": {}, "exceptions": {}}), at("2026-11-27T12:00"), BERLIN).opens_at is None


@pytest.mark.parametrize(
    ("zone", "now", "hours", "closes"),
    [
        # Spring in Berlin: 02:30 does not exist; who closes then closes at the jump.
        (BERLIN, "2026-03-29T00:59:00+00:00", "01:00-02:30", "2026-03-29T01:00:00+00:00"),
        # Autumn in Berlin: 02:30 comes twice; who closes then closes at the second.
        (BERLIN, "2026-10-25T00:45:00+00:00", "01:00-02:30", "2026-10-25T01:30:00+00:00"),
        # Cairo has no midnight in spring: who opens at midnight opens at the jump, one in the morning.
        ("Africa/Cairo", "2027-04-29T22:00:00+00:00", "00:00-05:00", "2027-04-30T02:00:00+00:00"),
        ("America/Santiago", "2019-09-08T04:00:00+00:00", "00:00-05:00", "2019-09-08T08:00:00+00:00"),
        # St John's fell back over midnight, so the evening of the 6th came again.
        ("America/St_Johns", "2010-11-07T02:45:00+00:00", "22:00-23:30", "2010-11-07T03:00:00+00:00"),
        ("Asia/Kolkata", "2026-11-23T04:00:00+00:00", "09:00-17:00", "2026-11-23T11:30:00+00:00"),
        # Lord Howe moves by half an hour.
        ("Australia/Lord_Howe", "2026-10-03T15:29:00+00:00", "01:00-02:15", "2026-10-03T15:30:00+00:00"),
        ("UTC", "2026-11-23T09:00:00+00:00", "09:00-17:00", "2026-11-23T17:00:00+00:00"),
    ],
)
def test_strange_nights(zone: str, now: str, hours: str, closes: str) -> None:
    found = opening(daily(hours), datetime.fromisoformat(now), zone)
    assert (found.is_open, found.closes_at) == (True, datetime.fromisoformat(closes))


def test_a_day_that_never_was_has_no_hours() -> None:
    """Samoa went from the 29th to the 31st of December 2011."""
    found = opening(daily("09:00-17:00"), at("2011-12-29T18:00", "Pacific/Apia"), "Pacific/Apia")
    assert found.opens_at == at("2011-12-31T09:00", "Pacific/Apia")


@pytest.mark.parametrize("zone", [BERLIN, "America/St_Johns", "Africa/Cairo", "Pacific/Apia", "Australia/Lord_Howe"])
def test_around_the_clock_is_open_at_every_minute_of_every_transition(zone: str) -> None:
    """Whatever the clock does, who never closes is never closed."""
    start = {"America/St_Johns": "2010-11-06", "Africa/Cairo": "2027-04-29", "Pacific/Apia": "2011-12-29"}
    now = datetime.fromisoformat(start.get(zone, "2026-10-24")).replace(tzinfo=UTC)
    for _ in range(4 * 24 * 4):
        assert opening(ALL_DAY, now, zone).is_open, now
        now += timedelta(minutes=15)


def test_what_changes_next_really_changes_then() -> None:
    """At the moment told, the answer turns; a second before it does not."""
    for hours in (OFFICE, daily("22:00-03:00")):
        now = at("2026-10-23T00:00")
        for _ in range(20):
            found = opening(hours, now, BERLIN)
            change = found.closes_at if found.is_open else found.opens_at
            assert change is not None
            assert opening(hours, change - timedelta(seconds=1), BERLIN).is_open is found.is_open
            assert opening(hours, change, BERLIN).is_open is not found.is_open
            now = change


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"weekly": {"Monday": []}}, "hours.weekly.Monday"),
        ({"weekly": {"mon": ["8-12"]}}, "hours.weekly.mon"),
        ({"weekly": {"mon": ["08:00-12:00", "11:00-13:00"]}}, "hours.weekly.mon"),
        ({"weekly": {"mon": ["22:00-02:00", "23:00-24:00"]}}, "hours.weekly.mon"),
        ({"exceptions": {"2026-02-30": []}}, "hours.exceptions.2026-02-30"),
    ],
)
def test_wrong_hours_are_refused_with_the_day(document: dict, path: str) -> None:
    with refused(ProblemCode.INVALID) as refusal:
        hours_from(document)
    assert refusal.value.problem.extra["path"] == path


def test_hours_go_through_their_document_unchanged() -> None:
    assert hours_from(hours_document(OFFICE)) == OFFICE
    assert hours_from(hours_document(ALL_DAY)) == ALL_DAY
    assert hours_document(ALL_DAY)["weekly"]["mon"] == ["00:00-24:00"]
    assert hours_document(daily("18:00-00:00"))["weekly"]["mon"] == ["18:00-24:00"]


def test_a_day_without_times_is_a_day_that_is_not_named() -> None:
    """Two ways to say the same compare as equal, so no change is seen where there is none."""
    assert hours_from({"weekly": {"mon": []}}) == hours_from({"weekly": {}})
