"""How people write the number on their paper, and which printed numbers it may mean.

A number may be typed in any case, with or without its separator and its leading zeros. ``p12`` can be read as number
12 of prefix ``P`` or as number 2 of ``P1``: every reading counts, and whoever looks a token up refuses two answers.
"""

import re

from tokenq.contract.paths import TICKET_PAGE

Reading = tuple[str, int]
"""A prefix (empty where only a number is printed) and a number."""

NUMBER_LENGTH = 32
"""The longest text that is read as a number; no printed one is longer."""

_ID = re.compile(r"\s*id\s*:\s*([0-9]{1,19})\s*", re.IGNORECASE)
_LINK = re.compile(rf"(?i:https?)://[^\s?#]+{TICKET_PAGE}/([A-Za-z0-9_-]{{1,64}})/?(?:[?#]\S*)?")
_DIGITS = re.compile(r"[0-9]{1,19}")
_SEPARATED = re.compile(r"([A-Z0-9]{1,8})(?:\s*-\s*|\s+)([0-9]{1,9})")
_JOINED = re.compile(r"[A-Z0-9]{0,8}[0-9]{1,9}")
_WIDEST = 6
"""Digits to which a department can have its numbers filled up."""


def whole_number(text: str) -> int | None:
    """The number that a text of ASCII digits is; ``None`` if it is none, or has more digits than any id."""
    return int(text) if _DIGITS.fullmatch(text) else None


def typed_id(text: str) -> int | None:
    """The token id in ``id:101``; ``None`` if the text is none."""
    match = _ID.fullmatch(text)
    return int(match[1]) if match and text.isascii() else None


def ticket_secret(text: str) -> str | None:
    """Return the secret in a ticket's link, as a scanner types it; ``None`` if the text is none."""
    match = _LINK.fullmatch(text.strip())
    return match[1] if match else None


def readings(text: str) -> frozenset[Reading]:
    """Every way to read a typed or printed number; none if the text can be no number.

    ``CW-012`` has one reading, ``p12`` two, ``62`` those of a bare number and of prefixes made of digits.
    """
    plain = _fold(text)
    if match := _SEPARATED.fullmatch(plain):
        return frozenset({(match[1], int(match[2]))})
    if not _JOINED.fullmatch(plain):
        return frozenset()
    digits = len(plain) - len(plain.rstrip("0123456789"))
    ends = range(max(len(plain) - digits, len(plain) - 9), len(plain))
    return frozenset((plain[:end], int(plain[end:])) for end in ends if end <= 8)


def spellings(text: str) -> list[str]:
    """Every printed number that a typed one may mean, in the ways that departments can print them.

    A blank at the end tells two people apart who had the same number when no number could be refused yet.
    """
    found = {_fold(text)} if readings(text) else set()
    for prefix, number in readings(text):
        for start in (f"{prefix}-", f"{prefix} ", prefix, "") if prefix else ("",):
            found |= {f"{start}{number:0{width}d}" for width in range(1, _WIDEST + 1)}
    return sorted(text + blanks for text in found for blanks in ("", " ", "  ", "   "))


def means(typed: str, printed: str, prefix: str, shown: int) -> bool:
    """Whether a typed number means a printed one, of a department that numbers with ``prefix`` today.

    Where only numbers are printed, the prefix may be typed before one: it says which department's is meant.
    Leading zeros may be left out, but nobody adds any: ``0012`` does not mean 012.
    ``shown`` is the number that was printed, by today's settings. Both only help to take a number apart that is printed
    without a separator; where neither fits, since the settings have changed, every way to read it counts.
    """
    if not is_separated(typed) and _without_separators(typed) == _without_separators(printed):
        return True
    possible = _printed_readings(printed, prefix, shown)
    both = readings(typed) & (possible | {(prefix, number) for start, number in possible if not start})
    return any(_width(typed, reading) <= _width(printed, reading) for reading in both)


def _printed_readings(printed: str, prefix: str, shown: int) -> frozenset[Reading]:
    possible = readings(printed)
    by_number = frozenset(reading for reading in possible if reading[1] == shown)
    by_prefix = frozenset(reading for reading in possible if reading[0] == prefix)
    plain = frozenset(reading for reading in by_number if not reading[0])
    return (by_number & by_prefix) or plain or by_number or by_prefix or possible


def _width(text: str, reading: Reading) -> int:
    """How many digits of a text are its number, leading zeros included."""
    return len(_without_separators(text).removeprefix(reading[0]))


def is_separated(text: str) -> bool:
    """Whether prefix and number stand apart."""
    return _SEPARATED.fullmatch(_fold(text)) is not None


def _fold(text: str) -> str:
    """Capitals, and one kind of dash; nothing if there is a character that no number has."""
    plain = text.strip().translate(_DASHES)
    return plain.upper() if plain.isascii() and len(plain) <= NUMBER_LENGTH else ""


def _without_separators(text: str) -> str:
    return re.sub(r"[\s-]", "", _fold(text))


_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
