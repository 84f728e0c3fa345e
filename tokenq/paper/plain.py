"""A ticket as plain text, for a terminal or for a printer that takes text."""

from collections.abc import Callable, Iterable, Sequence

from tokenq.installed import command_to_add
from tokenq.paper.codes import modules_of
from tokenq.paper.layout import Code, Line, Logo, Number, Part
from tokenq.printable import cells, printable, spaced, wrapped

_QUIET_ZONE = 2
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def as_text(parts: Iterable[Part], columns: int, *, on_paper: bool, note: Callable[[str], object]) -> str:
    """Draw a ticket; ``note`` gets a sentence about what is left out. ``on_paper``: ink is dark, not light."""
    rule = "-" * columns
    lines = [rule]
    for part in parts:
        match part:
            case Line(text):
                lines += [_centred(line, columns) for line in wrapped(text, columns)]
            case Number(text):
                lines += [_centred(line, columns) for line in wrapped(_large(printable(text), columns), columns)]
            case Code():
                lines += _qr(part, columns, on_paper, note)
            case Logo():
                pass
    return "\n".join([*lines, rule])


def _large(number: str, columns: int) -> str:
    """The number with spaces between its letters, if that fits on a line."""
    return large if cells(large := spaced(number)) <= columns else number


def _centred(line: str, columns: int) -> str:
    return (" " * ((columns - cells(line)) // 2) + line).rstrip()


def _qr(code: Code, columns: int, on_paper: bool, note: Callable[[str], object]) -> list[str]:
    for content in (code.content, code.short):
        modules = modules_of(content, columns)
        if modules is None:
            note(f"The ticket has no QR code; to add it: {command_to_add('print')}")
            return []
        if modules:
            border = min((columns - len(modules)) // 2, _QUIET_ZONE)
            indent = " " * ((columns - len(modules)) // 2 - border)
            return [indent + row for row in half_blocks(_with_border(modules, border), on_paper=on_paper)]
    note("The ticket has no QR code: its number is too long for the paper.")
    return []


def _with_border(modules: Sequence[Sequence[bool]], border: int) -> list[list[bool]]:
    width = len(modules) + 2 * border
    empty = [[False] * width for _ in range(border)]
    return [*empty, *([*[False] * border, *row, *[False] * border] for row in modules), *empty]


def half_blocks(modules: Sequence[Sequence[bool]], *, on_paper: bool) -> list[str]:
    """Draw two rows of modules per line of text; ink is dark on paper and light on a (dark) terminal."""
    inked = [[dark is on_paper for dark in row] for row in modules]
    if len(inked) % 2:
        inked.append([False] * len(inked[0]))
    return [
        "".join(_BLOCKS[over, under] for over, under in zip(inked[at], inked[at + 1], strict=True))
        for at in range(0, len(inked), 2)
    ]
