"""Which business day a moment belongs to."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def business_day(now: datetime, timezone: str, rollover_hour: int, not_before: date | None = None) -> date:
    """The branch's business day at ``now``: its local date, where a day begins at ``rollover_hour``.

    ``now`` is an aware time. The answer never lies before ``not_before`` (the day already reached), since
    a clock or a time zone can step backwards but a day that is over is not opened again.
    """
    local = now.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    day = (local - timedelta(hours=rollover_hour)).date()
    return day if not_before is None else max(day, not_before)
