"""Opening hours: weekly intervals and dated exceptions, in the branch's local time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Interval:
    """From one time of day to another; one that ends at or before its start ends on the next day."""

    start: time
    end: time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True)
class Hours:
    """Per weekday (Monday is 0) the open intervals; a date in ``exceptions`` has its own instead."""

    weekly: Mapping[int, tuple[Interval, ...]] = field(default_factory=dict)
    exceptions: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)


def hours_from(document: Mapping[str, Any]) -> Hours:
    """Hours from their document, ``{"weekly": {"mon": ["08:00-12:00"]}, "exceptions": {"2026-12-25": []}}``."""
    return Hours(
        weekly={WEEKDAYS.index(day): _intervals(texts) for day, texts in document["weekly"].items()},
        exceptions={date.fromisoformat(day): _intervals(texts) for day, texts in document["exceptions"].items()},
    )


def hours_document(hours: Hours) -> dict[str, Any]:
    """The document of hours."""
    return {
        "weekly": {WEEKDAYS[day]: [str(one) for one in hours.weekly[day]] for day in sorted(hours.weekly)},
        "exceptions": {str(day): [str(one) for one in hours.exceptions[day]] for day in sorted(hours.exceptions)},
    }


def _intervals(texts: list[str]) -> tuple[Interval, ...]:
    return tuple(Interval(*(time.fromisoformat(part) for part in text.split("-"))) for text in texts)


@dataclass(frozen=True)
class Opening:
    """Placeholder until the real one lands."""

    is_open: bool
    closes_at: datetime | None = None
    opens_at: datetime | None = None


def opening(hours: Hours | None, now: datetime, timezone: str) -> Opening:
    """Placeholder."""
    return Opening(True)
