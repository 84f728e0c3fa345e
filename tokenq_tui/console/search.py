"""Match what the user typed against a waiting token: a part of its number or name."""

import re

from tokenq.contract.spelling import folded
from tokenq.contract.views import TokenView

_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


def matches(typed: str, token: TokenView) -> bool:
    """Return whether the number (separators and leading zeros are optional) or the name contains what was typed."""
    pattern = folded(typed)
    if not pattern:
        return False
    if pattern in folded(token["name"] or ""):
        return True
    short, number = _compact(pattern), _compact(folded(token["displayNumber"]))
    # 'cw0' is the beginning of CW-012, and 'cw12' means the same number.
    return bool(short) and (short in number or _without_leading_zeros(short) in _without_leading_zeros(number))


def _compact(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _without_leading_zeros(compact: str) -> str:
    return _LEADING_ZEROS.sub("", compact)
