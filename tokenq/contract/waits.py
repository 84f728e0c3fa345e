"""How waits and durations are rounded before people read them; ``tokenq/locale/waits.py`` has the words of a range.

A range below an hour is told in minutes, from an hour on in hours; hours are rounded outward to halves.
"""

from dataclasses import dataclass
from math import ceil, floor

_HOUR = 60


@dataclass(frozen=True, slots=True)
class WaitRange:
    """A rounded range; each end is in minutes or in hours."""

    low: float
    high: float
    begins_in_minutes: bool
    ends_in_minutes: bool


def rounded(low: int, high: int) -> WaitRange:
    """Return a range of minutes as it is told."""
    if low < _HOUR and high <= 1.5 * _HOUR:
        return WaitRange(low, high, begins_in_minutes=True, ends_in_minutes=True)
    most = ceil(2 * high / _HOUR) / 2
    if low < _HOUR:
        return WaitRange(low, most, begins_in_minutes=True, ends_in_minutes=False)
    return WaitRange(floor(2 * low / _HOUR) / 2, most, begins_in_minutes=False, ends_in_minutes=False)
