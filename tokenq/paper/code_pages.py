"""Code pages that ticket printers have, by the numbers of Epson's ESC/POS that nearly all of them use."""

CODE_PAGES = ((0, "cp437"), (19, "cp858"), (16, "cp1252"))
"""The number for ``ESC t``, and Python's name: PC437 (every printer's default), PC858 and WPC1252."""

_CODES_OF_COMMANDS = frozenset([*range(0x20), 0x7F])


def encoded(text: str) -> tuple[int, bytes] | None:
    """Return the first code page that has all of a text, and the text in it; ``None`` if there is none.

    No byte of it can be a command.
    """
    for number, name in CODE_PAGES:
        try:
            content = text.encode(name)
        except UnicodeEncodeError:
            continue
        if _CODES_OF_COMMANDS.isdisjoint(content):
            return number, content
    return None
