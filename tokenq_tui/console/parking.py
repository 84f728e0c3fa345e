"""What a person types to park somebody: ``15 copies``, ``14:30 X-ray``, or only a reason."""

import re
from typing import Any

from tokenq.zones import at_clock

LONGEST = 1440
"""Minutes for which somebody may be set aside."""

_A_TIME = re.compile(r"[0-9]+:[0-9]*|[0-9]{1,2}\.[0-9]{2}")


def parking(typed: str, zone: str) -> dict[str, Any]:
    """The body of the move: minutes or a time of the branch's clock first, if there is one, and the rest is the reason.

    Raises:
        ValueError: what stands first is meant as a time and is none; the text says so.
    """
    first, _, rest = typed.strip().partition(" ")
    reason = rest.strip() or None
    if first.isascii() and first.isdigit():
        if not 0 < int(first) <= LONGEST:
            raise ValueError(f"{first} minutes cannot be: 1 to {LONGEST}.")
        return {"untilMinutes": int(first), "reason": reason}
    if not _A_TIME.fullmatch(first):
        return {"reason": typed.strip() or None}
    try:
        return {"until": at_clock(first, zone).isoformat(), "reason": reason}
    except ValueError:
        raise ValueError(f"{first} is no time. Write it as 14:30.") from None
