"""Days as typed on the command line."""

from datetime import date, timedelta

from tokenq.cli.exits import WrongUse


def day_of(text: str | None) -> str | None:
    """Convert ``today``, ``yesterday`` or a date to the API's format; ``None`` is the server's current day.

    Raises:
        WrongUse: it is not a day.
    """
    if text is None or text == "today":
        return None
    if text == "yesterday":
        return (date.today() - timedelta(days=1)).isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise WrongUse(f"'{text}' is not a day.", "Write today, yesterday or a date such as 2026-11-23.") from None
