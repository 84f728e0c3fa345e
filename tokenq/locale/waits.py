"""Waits in the words of a language: the only place for these words."""

from collections.abc import Callable
from math import floor
from typing import TYPE_CHECKING

from tokenq.contract.waits import rounded
from tokenq.locale import Texts

if TYPE_CHECKING:
    from tokenq.contract.views import EstimateView

_HOUR = 60


def duration(minutes: float, texts: Texts) -> str:
    """Return a duration: ``59 min``, ``3 h``, ``2 h 05``; never negative."""
    whole = max(0, int(minutes))
    if whole < _HOUR:
        return texts.gettext("{minutes} min", minutes=whole)
    hours, rest = divmod(whole, _HOUR)
    if not rest:
        return texts.gettext("{hours} h", hours=hours)
    minutes_left = f"{rest:02d}"
    return texts.gettext("{hours} h {minutes}", hours=hours, minutes=minutes_left)


def wait_range(low: int, high: int, texts: Texts) -> str:
    """Return a range of minutes in short: ``10-20 min``, ``2-3 h``, ``50 min to 2.5 h``."""
    told = rounded(low, high)
    least, most = _figure(told.low), _figure(told.high)
    if told.ends_in_minutes:
        return texts.gettext("{low}-{high} min", low=least, high=most)
    if told.begins_in_minutes:
        return texts.gettext("{minutes} min to {hours} h", minutes=least, hours=most)
    if least == most:
        return texts.gettext("{hours} h", hours=most)
    return texts.gettext("{low}-{high} h", low=least, high=most)


def wait_short(low: int, high: int, texts: Texts) -> str:
    """Return a range for a narrow column, in one unit: ``10-20 min``, ``0.5-2.5 h``."""
    told = rounded(low, high)
    if told.begins_in_minutes and not told.ends_in_minutes:
        least, most = _figure(floor(2 * low / _HOUR) / 2), _figure(told.high)
        return texts.gettext("{low}-{high} h", low=least, high=most)
    return wait_range(low, high, texts)


def wait_sentence(low: int, high: int, texts: Texts) -> str:
    """Return a range of minutes in full: ``10 to 20 minutes``, ``2 to 3 hours``, ``50 minutes to 2.5 hours``."""
    told = rounded(low, high)
    least, most = _figure(told.low), _figure(told.high)
    if told.ends_in_minutes:
        return texts.gettext("{low} to {high} minutes", low=least, high=most)
    if told.begins_in_minutes:
        return texts.gettext("{minutes} minutes to {hours} hours", minutes=least, hours=most)
    if least == most:
        return texts.gettext("1 hour") if told.high == 1 else texts.gettext("{hours} hours", hours=most)
    return texts.gettext("{low} to {high} hours", low=least, high=most)


def estimated(estimate: "EstimateView | None", texts: Texts, say: Callable[[int, int, Texts], str] = wait_range) -> str:
    """Return an estimate as ``say`` says it; empty if the wait is unknown."""
    if estimate is None or estimate["lowMinutes"] is None or estimate["highMinutes"] is None:
        return ""
    return say(estimate["lowMinutes"], estimate["highMinutes"], texts)


def _figure(number: float) -> str:
    return f"{number:g}"
