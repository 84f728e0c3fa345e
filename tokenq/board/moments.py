"""When a call happened, to the millisecond, so that calls of one second stand in the right order."""

from datetime import UTC, datetime, timedelta

_VERSION = 14
"""Where a UUID's version stands in its text."""
_SECOND = timedelta(seconds=1)


def moment_of(timestamp: datetime, event_id: str) -> datetime:
    """Return the time of an event: its timestamp in whole seconds, refined by the time in its id (UUID version 7).

    Any other id, or one of another second, is ignored: what is on the topic may be forged.
    """
    if len(event_id) < 36 or event_id[_VERSION] != "7":
        return timestamp
    try:
        precise = datetime.fromtimestamp(int(event_id[:8] + event_id[9:13], 16) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return timestamp
    return precise if timedelta() <= precise - timestamp < _SECOND else timestamp
