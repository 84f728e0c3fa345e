"""Map a moment to a business day."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def business_day(now: datetime, timezone: str, rollover_hour: int, not_before: date | None = None) -> date:
    """Return the branch's business day at ``now``: its local date, with days starting at ``rollover_hour``.

    ``now`` is timezone-aware. The result is never before ``not_before`` (the current day), so that a clock or time zone
    that steps back does not reopen a finished day.
    """
    local = now.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    day = (local - timedelta(hours=rollover_hour)).date()
    return day if not_before is None else max(day, not_before)
