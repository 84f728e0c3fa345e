"""Match what the user typed against a waiting token: a part of its number or name."""

import re
import unicodedata

from tokenq.contract.views import TokenView

_DROPPED = frozenset({"Mn", "Me", "Cf"})
"""Accents and invisible joiners."""
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


def matches(typed: str, token: TokenView) -> bool:
    """Return whether the number (separators and leading zeros are optional) or the name contains what was typed."""
    pattern = _fold(typed)
    if not pattern:
        return False
    if pattern in _fold(token["name"] or ""):
        return True
    short, number = _compact(pattern), _compact(_fold(token["displayNumber"]))
    # 'cw0' is the beginning of CW-012, and 'cw12' means the same number.
    return bool(short) and (short in number or _without_leading_zeros(short) in _without_leading_zeros(number))


def _fold(text: str) -> str:
    """Lower-case letters without accents, and single spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = (character for character in decomposed if unicodedata.category(character) not in _DROPPED)
    return " ".join("".join(bare).casefold().split())


def _compact(folded: str) -> str:
    return "".join(character for character in folded if character.isalnum())


def _without_leading_zeros(compact: str) -> str:
    return _LEADING_ZEROS.sub("", compact)
