"""Checks of what people type: text that shows what it is, and affects nothing but itself."""

import unicodedata

from pydantic_core import PydanticCustomError

_JOINERS = "\u200c\u200d"
"""Zero-width joiner and non-joiner: needed to write Persian, Hindi and emoji families."""
_INVISIBLE = frozenset(
    _JOINERS
    + "\u115f\u1160\u3164\uffa0"  # Hangul fillers, which are letters
    + "\u2800"  # the Braille pattern without dots
    + "\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f"  # marks that only change how others are shown
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))  # variation selectors
)
"""Characters that show nothing by themselves, though their categories say otherwise."""
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def one_line(text: str) -> str:
    """Check that text is one line that cannot affect a terminal, a log or a mail header."""
    text = unicodedata.normalize("NFC", text).strip()
    if all(character in _INVISIBLE or character.isspace() for character in text):
        raise PydanticCustomError("empty", "must not be empty")
    if any(character not in _JOINERS and unicodedata.category(character) in _UNPRINTABLE for character in text):
        raise PydanticCustomError("unprintable", "must contain printable characters only")
    return no_encoded_word(text)


def no_encoded_word(text: str) -> str:
    """Check that no mail program reads other characters in a text than are there (RFC 2047)."""
    if "=?" in text:
        raise PydanticCustomError("encoded_word", "must not contain '=?'")
    return text
