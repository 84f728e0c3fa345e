"""The terminal's own encoder: any text made safe to show in one cell or line of a terminal.

Used at the last step before a character reaches a terminal, by the CLI, the console and the board.
Control characters (C0, C1, ESC), bidirectional and zero-width controls, tags, surrogates and private-use
characters cannot pass; long runs of combining marks are cut, so one text stays one row high.
"""

import unicodedata

_REPLACEMENT = "\ufffd"
_MAX_MARKS = 2
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_TOO_WIDE = frozenset("\ufdfd\U0001242b\U00012219")


def printable(value: object, width: int | None = None) -> str:
    """Show ``value`` on a terminal without letting it act on the terminal.

    ``width`` limits the answer to so many characters, with ``…`` as the last one when it was cut.
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return _cut(text, width)
    if width is not None:
        text = text[: width * 8]
    shown: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MAX_MARKS:
            continue
        if category in _HIDDEN or character in _TOO_WIDE:
            shown.append(" " if character in "\t\n\r" else _REPLACEMENT)
        else:
            shown.append(character)
    return _cut("".join(shown), width)


def _cut(text: str, width: int | None) -> str:
    if width is None or len(text) <= width:
        return text
    return text[: max(width - 1, 0)] + "…"
