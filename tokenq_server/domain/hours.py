"""Opening hours: weekly intervals and dated exceptions, in the branch's local time.

A time skipped by daylight saving means the moment of the change; a time that occurs twice means the earlier one for
opening and the later one for closing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tokenq.contract.hours import WEEKDAYS
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.setup import SetupReason
from tokenq.contract.views import HoursDocument

_INTERVAL = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)")
_LOOK_AHEAD = 400
"""Days to look ahead. A department closed for longer than this has no next opening."""


@dataclass(frozen=True)
class Interval:
    """An interval between two times of day; if it ends at or before its start, it ends on the next day."""

    start: time
    end: time

    @property
    def is_all_day(self) -> bool:
        """Whether it lasts from midnight to midnight."""
        return self.start == self.end == time.min

    def __str__(self) -> str:
        end = f"{self.end:%H:%M}" if self.end > time.min else "24:00"
        return f"{self.start:%H:%M}-{end}"


@dataclass(frozen=True)
class Hours:
    """Open intervals per weekday (Monday is 0); a date in ``exceptions`` has its own instead."""

    weekly: Mapping[int, tuple[Interval, ...]] = field(default_factory=dict)
    exceptions: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)

    def of(self, day: date) -> tuple[Interval, ...]:
        """The intervals that start on a day."""
        return self.exceptions[day] if day in self.exceptions else self.weekly.get(day.weekday(), ())

    def never_close_from(self, day: date) -> bool:
        """Whether every day from this one on is open around the clock. Cheap: checked at each issue."""
        coming = (times for when, times in self.exceptions.items() if when >= day)
        return len(self.weekly) == len(WEEKDAYS) and all(
            len(times) == 1 and times[0].is_all_day for times in (*self.weekly.values(), *coming)
        )


@dataclass(frozen=True)
class Opening:
    """Whether it is open, and when that changes next, in UTC (``None``: not within the search limit)."""

    is_open: bool
    closes_at: datetime | None = None
    opens_at: datetime | None = None


def opening(hours: Hours | None, now: datetime, timezone: str) -> Opening:
    """Whether a place with these hours is open at ``now`` (timezone-aware). Without hours it always is."""
    if hours is None:
        return Opening(True)
    zone, closes_at = ZoneInfo(timezone), None
    if hours.never_close_from(now.astimezone(zone).date() - timedelta(days=1)):
        return Opening(True)
    for start, end in _open_periods(hours, now, zone):
        if closes_at is not None:
            # Merge adjacent intervals: midnight does not close a place that is open all night.
            if start > closes_at:
                break
            closes_at = max(closes_at, end)
        elif start <= now < end:
            closes_at = end
        elif start > now:
            return Opening(False, opens_at=start)
    if closes_at is None:
        return Opening(False)
    is_in_sight = closes_at < now + timedelta(days=_LOOK_AHEAD - 2)
    return Opening(True, closes_at=closes_at if is_in_sight else None)


def _open_periods(hours: Hours, now: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The open periods from the day before ``now`` on, in UTC, by start."""
    first = now.astimezone(zone).date() - timedelta(days=1)
    for ahead in range(_LOOK_AHEAD):
        day = first + timedelta(days=ahead)
        for interval in sorted(hours.of(day), key=lambda interval: interval.start):
            last = day if interval.end > interval.start else day + timedelta(days=1)
            start, end = _moment(day, interval.start, zone, fold=0), _moment(last, interval.end, zone, fold=1)
            if start < end:
                yield start, end


def _moment(day: date, at: time, zone: ZoneInfo, *, fold: int) -> datetime:
    local = datetime.combine(day, at, zone)
    early, late = local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if early > late:
        # The clock skips this time: the change lies between the two readings.
        return _jump(late, early, zone)
    return late if fold else early


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the zone's offset changes between two moments."""
    offset = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def hours_from(document: Mapping[str, Any]) -> Hours:
    """Parse an hours document, ``{"weekly": {"mon": ["08:00-12:00"]}, "exceptions": {"2026-12-25": []}}``.

    Raises:
        Refused: ``invalid``; ``path`` names the day that is wrong.
    """
    weekly, exceptions = document.get("weekly", {}), document.get("exceptions", {})
    for day in weekly:
        if day not in WEEKDAYS:
            raise _wrong_hours(f"weekly.{day}", SetupReason.NO_WEEKDAY, day=day, weekdays=WEEKDAYS)
    return Hours(
        weekly={WEEKDAYS.index(day): _intervals(f"weekly.{day}", texts) for day, texts in weekly.items() if texts},
        exceptions={_date(day): _intervals(f"exceptions.{day}", texts) for day, texts in exceptions.items()},
    )


def hours_document(hours: Hours) -> HoursDocument:
    """Return the document of these hours."""
    return {
        "weekly": {WEEKDAYS[day]: [str(interval) for interval in hours.weekly[day]] for day in sorted(hours.weekly)},
        "exceptions": {
            str(day): [str(interval) for interval in hours.exceptions[day]] for day in sorted(hours.exceptions)
        },
    }


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _wrong_hours(f"exceptions.{text}", SetupReason.NO_DATE, day=text) from None


def _intervals(path: str, texts: list[str]) -> tuple[Interval, ...]:
    for text in texts:
        if not _INTERVAL.fullmatch(text):
            raise _wrong_hours(path, SetupReason.NO_HOURS, hours=text)
    intervals = sorted((_interval(text) for text in texts), key=lambda interval: interval.start)
    for interval, following in pairwise(intervals):
        if interval.end <= interval.start or interval.end > following.start:
            raise _wrong_hours(path, SetupReason.HOURS_OVERLAP, first=str(interval), second=str(following))
    return tuple(intervals)


def _interval(text: str) -> Interval:
    start, _, end = text.partition("-")
    return Interval(time.fromisoformat(start), time.fromisoformat(end if end != "24:00" else "00:00"))


def _wrong_hours(path: str, reason: SetupReason, **params: Any) -> Refused:
    return refuse(reason, {"path": f"hours.{path}"}, **params)
