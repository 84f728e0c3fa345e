"""Which texts are valid names, and how people write a token's name."""

import re

DEPARTMENT_ID = r"^[A-Z][A-Z0-9]{0,7}$"
BRANCH_ID = r"^[a-z][a-z0-9-]{0,31}$"
USERNAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
IDEMPOTENCY_KEY = r"^[\x21-\x7e]{1,255}$"
COUNTER_ID_LENGTH = 16
MOST_COUNTERS = 64
"""So many counters are simulated at most."""
PERSON_NAME_LENGTH = 120
EMAIL_LENGTH = 254
PASSWORD_LENGTH = (8, 128)

EMAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"
"""One plain addr-spec: no quoted local parts, no comments, no address literals, no lists."""

_DISPLAY_NUMBER = re.compile(r"^\s*([A-Za-z]{1,8}|[A-Za-z][A-Za-z0-9]{0,7}-)[- ]?0*([0-9]{1,9})\s*$")


def token_reference(text: str) -> int | tuple[str, int] | None:
    """Read how a person named a token.

    ``"101"`` is a token id; ``"CW-012"``, ``"cw12"`` and ``"A1-7"`` are a prefix and a number,
    answered as ``("CW", 12)``. Anything else is ``None``.
    """
    if text.strip().isascii() and text.strip().isdigit():
        return int(text)
    match = _DISPLAY_NUMBER.match(text)
    if match is None:
        return None
    return match[1].rstrip("-").upper(), int(match[2])
