"""Whether somebody who waits is meant by what a person typed: a part of the number or of the name."""

import re
import unicodedata

from tokenq.contract.views import TokenView

_DROPPED = frozenset({"Mn", "Me", "Cf"})
"""Accents, and joiners that nobody types."""
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


def is_meant(typed: str, token: TokenView) -> bool:
    """Whether the number, with or without separators and leading zeros, or the name contains what was typed."""
    wanted = _folded(typed)
    if not wanted:
        return False
    if wanted in _folded(token["name"] or ""):
        return True
    short, number = _compact(wanted), _compact(_folded(token["displayNumber"]))
    # While 'cw0' is typed it is the beginning of CW-012, and 'cw12' is the same.
    return bool(short) and (short in number or _shortest(short) in _shortest(number))


def _folded(text: str) -> str:
    """Small letters without accents, and single blanks."""
    bare = (one for one in unicodedata.normalize("NFKD", text.casefold()) if unicodedata.category(one) not in _DROPPED)
    return " ".join("".join(bare).casefold().split())


def _compact(folded: str) -> str:
    return "".join(one for one in folded if one.isalnum())


def _shortest(compact: str) -> str:
    return _LEADING_ZEROS.sub("", compact)
