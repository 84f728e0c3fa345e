"""Times as the people in a building read them: on the clock of its branch, wherever the machine stands."""

from datetime import date, datetime, time, tzinfo

HERE = "this machine's clock"


def local(moment: datetime, zone: str) -> datetime:
    """The moment on the clock of an IANA zone; on this machine's clock if that is empty or not known here."""
    return moment.astimezone(_zone_info(zone))


def at_clock(text: str, zone: str, *, day: date | None = None) -> datetime:
    """``HH:MM`` of a day (nothing: today) on the clock of a zone, or of this machine's if that is not known here.

    Raises:
        ValueError: it is no time of day.
    """
    known = _zone_info(zone)
    at = time(*datetime.strptime(text, "%H:%M").timetuple()[3:5])
    naive = datetime.combine(day or datetime.now().astimezone(known).date(), at)
    return naive.replace(tzinfo=known) if known else naive.astimezone()


def label(zone: str, now: datetime) -> str:
    """Whose times are shown, where that is not plain: the zone, if this machine's clock shows another time."""
    if not zone:
        return ""
    if _zone_info(zone) is None:
        return HERE
    return zone if local(now, zone).utcoffset() != now.astimezone().utcoffset() else ""


def _zone_info(zone: str) -> tzinfo | None:
    if not zone:
        return None
    # Most commands show no time.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
