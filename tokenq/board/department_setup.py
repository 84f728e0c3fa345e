"""What the board knows of a department besides its numbers: its name, its hours, how its branch speaks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tokenq.contract.hours import WEEKDAYS
from tokenq.zones import local

_is_language = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}").fullmatch
_MOST_LANGUAGES = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A department as admins set it up; ``weekly`` and ``exceptions`` are its hours, ``None`` if it has none.

    ``timezone`` is empty until it was told. ``branch_name``, ``languages`` and ``counter_words`` (by language) are its
    branch's.
    """

    name: str = ""
    is_open: bool = True
    timezone: str = ""
    weekly: Mapping[str, tuple[str, ...]] | None = None
    exceptions: Mapping[str, tuple[str, ...]] | None = None
    branch_name: str = ""
    languages: tuple[str, ...] = ()
    counter_words: Mapping[str, str] = field(default_factory=dict)

    def hours_on(self, now: datetime) -> tuple[str, ...] | None:
        """The open times of the local day, such as ``08:00-12:00``; ``None`` where there are no hours."""
        return None if self.weekly is None else self._of(local(now, self.timezone).date())

    def is_closed_at(self, now: datetime) -> bool:
        """Whether no numbers are given out now, by hand or by the hours of the day."""
        if not self.is_open or self.weekly is None:
            return not self.is_open
        here = local(now, self.timezone)
        clock, today = f"{here:%H:%M}", here.date()
        is_open = any(_covers(interval, clock) for interval in self._of(today))
        yesterday = self._of(today - timedelta(days=1))
        return not (is_open or any(_lasts_until(interval, clock) for interval in yesterday))

    def _of(self, day: date) -> tuple[str, ...]:
        if self.exceptions and day.isoformat() in self.exceptions:
            return self.exceptions[day.isoformat()]
        return (self.weekly or {}).get(WEEKDAYS[day.weekday()], ())


def place_from(settings: Any) -> Place:
    """The place that the settings in an event describe; whatever is missing or odd has its default."""
    document = settings if isinstance(settings, dict) else {}
    hours = document.get("hours") if isinstance(document.get("hours"), dict) else None
    return Place(
        name=_text(document.get("name")),
        is_open=document.get("open") is not False,
        timezone=_text(document.get("timezone")),
        weekly=_times(hours.get("weekly")) if hours else None,
        exceptions=_times(hours.get("exceptions")) if hours else None,
        branch_name=_text(document.get("branchName")),
        languages=_languages(document.get("languages")),
        counter_words=_words(document.get("counterWords")),
    )


def is_within(interval: str, clock: str) -> bool:
    """Whether a time of day is in an interval such as ``22:00-06:00``, of today or of the night before."""
    return _covers(interval, clock) or _lasts_until(interval, clock)


def _covers(interval: str, clock: str) -> bool:
    """Whether times that begin today are open at this time of today."""
    start, _, end = interval.partition("-")
    return start <= clock and (clock < end or end <= start)


def _lasts_until(interval: str, clock: str) -> bool:
    """Whether times that began yesterday and end after midnight are still open at this time of today."""
    start, _, end = interval.partition("-")
    return end <= start and clock < end


def _languages(value: Any) -> tuple[str, ...]:
    tags = value if isinstance(value, list) else []
    return tuple(tag for tag in tags[:_MOST_LANGUAGES] if isinstance(tag, str) and _is_language(tag))


def _words(value: Any) -> dict[str, str]:
    words = value if isinstance(value, dict) else {}
    return {tag: word for tag, word in words.items() if isinstance(word, str) and _is_language(tag)}


def _times(value: Any) -> dict[str, tuple[str, ...]]:
    days = value if isinstance(value, dict) else {}
    return {str(day): tuple(map(str, texts)) for day, texts in days.items() if isinstance(texts, list)}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
