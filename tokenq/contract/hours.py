"""Opening hours as people write them: ``mon-fri 08:00-12:00, 13:00-17:00; sat 09:00-12:00; 2026-12-25 closed``.

Parts are separated by semicolons; a part names days or dates and then when it is open. ``closed`` alone is never open.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenq.contract.views import HoursDocument

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = "mon-sun 00:00-24:00"
CLOSED = "closed"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PART = re.compile(r"(?P<days>[a-z]{3}.*?|[0-9]{4}-[0-9]{2}-[0-9]{2}.*?)\s+(?P<open>closed|[0-9]{1,2}:.*)")
_INTERVAL = re.compile(r"([0-9]{1,2}:[0-9]{2})\s*-\s*([0-9]{1,2}:[0-9]{2})")


def read_hours(text: str) -> "HoursDocument":
    """The document of hours that a person wrote; it says nothing yet about whether they make sense.

    Raises:
        ValueError: it cannot be read; the text says which part, as the end of a sentence.
    """
    weekly: dict[str, list[str]] = {}
    exceptions: dict[str, list[str]] = {}
    parts = [part for part in (part.strip().lower() for part in text.split(";")) if part]
    if not parts:
        raise ValueError("must not be empty")
    for part in parts if parts != [CLOSED] else []:
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"cannot be read at '{part}'; write it as mon-fri 08:00-12:00, 13:00-17:00")
        for day in _days(match["days"], part):
            target = exceptions if _DATE.fullmatch(day) else weekly
            if day in target:
                raise ValueError(f"names {day} twice")
            target[day] = _intervals(match["open"], part)
    return {"weekly": weekly, "exceptions": exceptions}


def write_hours(document: "HoursDocument") -> str:
    """Hours as a person would write them; :func:`read_hours` reads them back."""
    weekly, exceptions = document["weekly"], document["exceptions"]
    parts = [f"{days} {', '.join(times)}" for days, times in _runs(weekly)] or [CLOSED] * (not exceptions)
    parts += [f"{day} {', '.join(times) or CLOSED}" for day, times in sorted(exceptions.items())]
    return "; ".join(parts)


def _days(text: str, part: str) -> list[str]:
    days: list[str] = []
    for item in (item.strip() for item in text.split(",")):
        if _DATE.fullmatch(item):
            days.append(item)
            continue
        first, _, last = (end.strip() for end in item.partition("-"))
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise ValueError(
                f"cannot be read at '{part}': '{item}' is neither a weekday ({', '.join(WEEKDAYS)}) nor a date"
            )
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        days += WEEKDAYS[start : end + 1] if start <= end else WEEKDAYS[start:] + WEEKDAYS[: end + 1]
    return days


def _intervals(text: str, part: str) -> list[str]:
    if text == CLOSED:
        return []
    matches = [_INTERVAL.fullmatch(interval.strip()) for interval in text.split(",")]
    if not all(matches):
        raise ValueError(f"cannot be read at '{part}'; write times as 08:00-12:00, 13:00-17:00")
    return [f"{match[1].zfill(5)}-{match[2].zfill(5)}" for match in matches if match]


def _runs(weekly: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Sequence[str]]]:
    """Neighbouring days with the same times, as ``mon-fri``."""
    for times, group in groupby(WEEKDAYS, key=lambda day: list(weekly.get(day, []))):
        days = list(group)
        if times:
            yield (f"{days[0]}-{days[-1]}" if len(days) > 1 else days[0]), times
