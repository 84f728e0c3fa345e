"""Parse the input for parking a token: ``15 copies``, ``14:30 X-ray``, or only a reason."""

import re
from typing import Any

from tokenq.contract.numbers import whole_number
from tokenq.locale import texts
from tokenq.zones import at_clock

LONGEST = 1440
"""The maximum parking time in minutes."""

_A_TIME = re.compile(r"[0-9]+:[0-9]*|[0-9]{1,2}\.[0-9]{2}")


def parking(typed: str, zone: str) -> dict[str, Any]:
    """Return the request fields: minutes or a branch time, if the input starts with one, and the rest as the reason.

    Raises:
        ValueError: the first word looks like a time but is invalid; the text is a sentence for the user.
    """
    first, _, rest = typed.strip().partition(" ")
    reason = rest.strip() or None
    if first.isascii() and first.isdigit():
        minutes = whole_number(first)
        if minutes is None or not 0 < minutes <= LONGEST:
            wrong = texts().gettext(
                "{minutes} minutes is out of range: 1 to {longest}.", minutes=first, longest=LONGEST
            )
            raise ValueError(wrong)
        return {"untilMinutes": minutes, "reason": reason}
    if not _A_TIME.fullmatch(first):
        return {"reason": typed.strip() or None}
    try:
        return {"until": at_clock(first, zone).isoformat(), "reason": reason}
    except ValueError:
        raise ValueError(texts().gettext("{text} is not a time. Write it as 14:30.", text=first)) from None
