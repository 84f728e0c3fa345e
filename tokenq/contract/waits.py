"""How waits and durations are told to people: the only place for these words.

A range below an hour is told in minutes, from an hour on in hours; hours are rounded outward to halves.
"""

from math import ceil, floor

_HOUR = 60


def wait_range(low: int, high: int) -> str:
    """Return a range of minutes in short: ``10-20 min``, ``2-3 h``, ``50 min to 2.5 h``."""
    return _range(low, high, "min", "h", "h", "-")


def wait_sentence(low: int, high: int) -> str:
    """Return a range of minutes in full: ``10 to 20 minutes``, ``2 to 3 hours``, ``50 minutes to 2.5 hours``."""
    return _range(low, high, "minutes", "hour", "hours", " to ")


def wait_short(low: int, high: int) -> str:
    """Return a range for a narrow column, in one unit: ``10-20 min``, ``0.5-2.5 h``."""
    if high <= 1.5 * _HOUR and low < _HOUR:
        return wait_range(low, high)
    least, most = floor(2 * low / _HOUR) / 2, ceil(2 * high / _HOUR) / 2
    return f"{most:g} h" if least == most else f"{least:g}-{most:g} h"


def duration(minutes: float) -> str:
    """Return a duration: ``59 min``, ``3 h``, ``2 h 05``; never negative."""
    whole = max(0, int(minutes))
    if whole < _HOUR:
        return f"{whole} min"
    hours, rest = divmod(whole, _HOUR)
    return f"{hours} h {rest:02d}" if rest else f"{hours} h"


def _range(low: int, high: int, minutes: str, hour: str, hours: str, dash: str) -> str:
    if low < _HOUR and high <= 1.5 * _HOUR:
        return f"{low}{dash}{high} {minutes}"
    most = ceil(2 * high / _HOUR) / 2
    if low < _HOUR:
        return f"{low} {minutes} to {most:g} {hours}"
    least = floor(2 * low / _HOUR) / 2
    if least == most:
        return f"{most:g} {hour if most == 1 else hours}"
    return f"{least:g}{dash}{most:g} {hours}"
