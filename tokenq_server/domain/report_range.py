"""Which business days a report covers: dates, or words read on the branch's calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tokenq.contract.days import DATE, LAST_WEEK, LONGEST_RANGE, TODAY, YESTERDAY
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.report import ReportReason

_FIRST_YEAR, _LAST_YEAR = 1970, 9998
"""The years of the times that an event may have."""


@dataclass(frozen=True)
class DayRange:
    """Business days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        """Return each day in order."""
        return (self.first + timedelta(days=number) for number in range(self.length))

    @property
    def length(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1


def day_named(text: str | None, today: date) -> date:
    """Return the day that a text names, given the branch's current business day, which is the default.

    Raises:
        Refused: ``invalid``.
    """
    days = _days_named(TODAY if text is None else text, today)
    if days.length > 1:
        raise refuse(ReportReason.SEVEN_DAYS)
    return days.first


def range_named(first: str | None, last: str | None, today: date) -> DayRange:
    """Return the days from ``first`` to ``last``; by default up to today, or today alone.

    ``last-week`` is from Monday to Sunday: its Monday as the first day, its Sunday as the last, or by default.

    Raises:
        Refused: ``invalid``, also for a range that is too long.
    """
    if last is not None and first is None:
        raise refuse(ReportReason.NO_START)
    start, end = (_days_named(TODAY if text is None else text, today) for text in (first, last))
    if last is None and start.length > 1:
        end = start
    days = DayRange(start.first, end.last)
    if days.length < 1:
        raise refuse(ReportReason.BEFORE_ITS_START, first=days.first.isoformat(), last=days.last.isoformat())
    if days.length > LONGEST_RANGE:
        raise refuse(ReportReason.TOO_MANY_DAYS, days=days.length, most=LONGEST_RANGE)
    return days


def _days_named(text: str, today: date) -> DayRange:
    if text == TODAY:
        return DayRange(today, today)
    if text == YESTERDAY:
        return DayRange(today - timedelta(days=1), today - timedelta(days=1))
    if text == LAST_WEEK:
        monday = today - timedelta(days=today.weekday() + 7)
        return DayRange(monday, monday + timedelta(days=6))
    try:
        day = date.fromisoformat(text) if DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise _no_day(text)
    return DayRange(day, day)


def _no_day(text: str) -> Refused:
    return refuse(ReportReason.NO_DAY, day=repr(text))
