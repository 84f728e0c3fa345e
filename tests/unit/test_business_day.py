"""Which business day a moment belongs to, in the zones where that is hard."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tokenq_server.domain.business_day import business_day


def day(moment: str, zone: str, rollover: int = 0, not_before: date | None = None) -> str:
    return business_day(datetime.fromisoformat(moment).replace(tzinfo=UTC), zone, rollover, not_before).isoformat()


@pytest.mark.parametrize(
    ("moment", "zone", "rollover", "expected"),
    [
        ("2026-11-22T03:59", "UTC", 4, "2026-11-21"),
        ("2026-11-22T04:00", "UTC", 4, "2026-11-22"),
        ("2026-11-21T18:29", "Asia/Kolkata", 0, "2026-11-21"),
        ("2026-11-21T18:30", "Asia/Kolkata", 0, "2026-11-22"),
        # The night without a midnight: clocks jump from 23:59 to 01:00.
        ("2019-09-08T03:59", "America/Santiago", 0, "2019-09-07"),
        ("2019-09-08T04:00", "America/Santiago", 0, "2019-09-08"),
        # The day that never was.
        ("2011-12-30T09:59", "Pacific/Apia", 0, "2011-12-29"),
        ("2011-12-30T10:00", "Pacific/Apia", 0, "2011-12-31"),
        ("2026-10-25T00:30", "Europe/Berlin", 4, "2026-10-24"),
        ("2026-10-25T03:00", "Europe/Berlin", 4, "2026-10-25"),
        ("2026-03-29T01:59", "Europe/Berlin", 4, "2026-03-28"),
        ("2026-03-29T02:00", "Europe/Berlin", 4, "2026-03-29"),
        # The same for Cairo: 23:59 is followed by 01:00.
        ("2027-04-29T21:59", "Africa/Cairo", 0, "2027-04-29"),
        ("2027-04-29T22:00", "Africa/Cairo", 0, "2027-04-30"),
        # Half an hour's change of clocks; a rollover at two falls into it.
        ("2026-04-04T15:15", "Australia/Lord_Howe", 0, "2026-04-05"),
        ("2026-10-03T15:29", "Australia/Lord_Howe", 2, "2026-10-03"),
        ("2026-10-03T15:30", "Australia/Lord_Howe", 2, "2026-10-04"),
    ],
)
def test_a_moment_has_the_branch_s_local_day(moment: str, zone: str, rollover: int, expected: str) -> None:
    """Numbers restart when the branch's own day begins, not at some server's midnight."""
    assert day(moment, zone, rollover) == expected


def test_a_day_that_is_over_is_not_opened_again() -> None:
    """In St John's, 2010-11-07 00:01 was followed by 2010-11-06 23:01: numbers would have been given twice."""
    before = day("2010-11-07T02:30:30", "America/St_Johns")
    after = day("2010-11-07T02:31:30", "America/St_Johns")
    guarded = day("2010-11-07T02:31:30", "America/St_Johns", 0, date.fromisoformat(before))

    assert (before, after, guarded) == ("2010-11-07", "2010-11-06", "2010-11-07")


def test_a_day_never_goes_backwards_minute_by_minute() -> None:
    """A year of minutes around every change of clocks in Cairo."""
    moment, reached = datetime(2027, 4, 28, tzinfo=UTC), date(2027, 4, 1)
    for _ in range(4 * 24 * 60):
        today = business_day(moment, "Africa/Cairo", 4, reached)

        assert today >= reached

        reached, moment = today, moment + timedelta(minutes=1)
