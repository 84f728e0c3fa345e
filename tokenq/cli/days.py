"""Days as people name them."""

from datetime import date, timedelta

from tokenq.cli.exits import WrongUse


def day_of(text: str | None) -> str | None:
    """``today`` (nothing: the server's current day), ``yesterday`` or a date, as the API writes it.

    Raises:
        WrongUse: it names no day.
    """
    if text is None or text == "today":
        return None
    if text == "yesterday":
        return (date.today() - timedelta(days=1)).isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise WrongUse(f"'{text}' names no day.", "Write today, yesterday or a date such as 2026-11-23.") from None
