"""Days as typed on the command line. Words are sent as they are: the server reads them on the branch's calendar."""

from datetime import date

from tokenq.cli.exits import WrongUse
from tokenq.contract.days import DATE, LAST_WEEK, TODAY, WORDS

_WRITE = "Write today, yesterday or a date such as 2026-11-23."
_WRITE_RANGE = "Write today, yesterday, last-week or a date such as 2026-11-23."


def day_of(typed: str | None) -> str | None:
    """Return a day as the API reads it; ``None`` is the department's current day.

    Raises:
        WrongUse: it is not a valid day, or it is seven.
    """
    day = range_end_of(typed, _WRITE)
    if day == LAST_WEEK:
        raise WrongUse("last-week is seven days; one day is needed here.", _WRITE)
    return None if day == TODAY else day


def range_end_of(typed: str | None, hint: str = _WRITE_RANGE) -> str | None:
    """Return the first or last day of a range as the API reads it. Raises WrongUse."""
    if typed is None:
        return None
    text = typed.strip().lower()
    if text in WORDS:
        return text
    try:
        if DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise WrongUse(f"'{typed}' is not a valid day.", hint)
