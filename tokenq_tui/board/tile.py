"""One call in a rectangle, as big as it allows: the number, the counter in words, the department beneath."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

from textual.content import Content

from tokenq.printable import cells, printable, spaced
from tokenq_tui.bigtext import HEIGHT, big, columns
from tokenq_tui.panel import Part, line

_PLAIN = 0.15
"""The size of plain text, in that of the smallest big letters."""
_ONLY_ID = 0.2
"""What an id drawn big below its word is worth, beside the same size for all of it."""
_OF_COUNTER = 0.7
"""The number comes first: to be read from afar, it counts more than the counter."""
_GAP, _GAPS = 3, 16
"""The least columns between number and counter, and the part of the width that they are otherwise."""
_LEAST_FOR_NAME = 6
_SEPARATOR = "  ·  "
_BIG_NAME = ((40, 9), (20, 6))
"""From how many rows on the department takes so many of them."""
_ROOMY = 14
"""From how many rows on there is always one between number and counter."""
_SHARES = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)

Rows = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TileText:
    """What a tile says, ready to be drawn. ``counter`` has ``counter_id`` in it; ``note`` is the time and the like.

    Only the department of a call that ``is_alone`` is drawn big: so all tiles look alike.
    """

    number: str
    counter: str
    counter_id: str
    department: str
    note: str
    is_alone: bool = True


@dataclass(frozen=True, slots=True)
class TileStyle:
    """Colours; ``ground`` is that of the whole tile, or empty."""

    number: str
    counter: str
    quiet: str
    ground: str = ""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Rows of one width."""

    rows: Rows
    width: int
    size: float
    worth: float = 1.0


def carrying(text: str, width: int) -> str:
    """Return one line of text with space between its letters, if there is room and its script allows it."""
    wide = spaced(text)
    return wide if columns(text) is not None and cells(wide) <= width else printable(text, width)


def score(text: TileText, width: int, height: int) -> float:
    """How well a call can be read in so many columns and rows."""
    return _body(text, width, height - len(_foot(text, width, height)))[1]


def tile(text: TileText, style: TileStyle, width: int, height: int) -> list[Content]:
    """Return a call as lines that fill the rectangle."""
    foot = _foot(text, width, height)
    body, _ = _body(text, width, height - len(foot))
    parts = {"number": f"bold {style.number}", "counter": f"bold {style.counter}"}
    lines = [line(*((words, parts[role]) for words, role in row)) for row in body]
    if foot and len(lines) + len(foot) < height:
        lines.append(Content(""))
    lines += [line((words, style.quiet)) for words in foot]
    above = max(height - len(lines), 0) // 2
    lines = [Content("")] * above + lines + [Content("")] * max(height - len(lines) - above, 0)
    return [_filled(each, width, style.ground) for each in lines[:height]]


def _filled(content: Content, width: int, ground: str) -> Content:
    # Aligning by style would strip trailing spaces from rows of big letters.
    content = content.truncate(width, ellipsis=True)
    content = content.pad_left(max(width - content.cell_length, 0) // 2)
    content = content.pad_right(max(width - content.cell_length, 0))
    return content.stylize(ground) if ground else content


def _foot(text: TileText, width: int, height: int) -> list[str]:
    """The department and the note: in one line, or the department in big letters where there is room."""
    if height < _LEAST_FOR_NAME:
        return []
    for rows, taken in _BIG_NAME:
        drawn = big(text.department, width, taken - 2) if height >= rows and text.is_alone else None
        if drawn is not None:
            return ["", *drawn, text.note]
    name = carrying(text.department, max(width - cells(text.note) - len(_SEPARATOR), 8)) if text.department else ""
    words = printable(f"{name}{_SEPARATOR}{text.note}" if name and text.note else name or text.note, width)
    return [words]


def _body(text: TileText, width: int, height: int) -> tuple[list[list[Part]], float]:
    """Number and counter above or beside each other, whichever is read better; each row has texts and their roles."""
    if not text.counter:
        number = _number(text, width, height)
        return [[(row, "number")] for row in number.rows], number.size
    best: tuple[list[list[Part]], float] = ([[(printable(text.number, width), "number")]], 0.0)
    for rows, worth in (*_stacked(text, width, height), *_beside(text, width, height)):
        if worth > best[1]:
            best = rows, worth
    return best


def _stacked(text: TileText, width: int, height: int) -> Iterator[tuple[list[list[Part]], float]]:
    for share in range(1, height):
        number, counter = _number(text, width, share), _counter(text, width, height - share, hangs=True)
        taken = len(number.rows) + len(counter.rows)
        if taken <= height - (height >= _ROOMY):
            gap: list[list[Part]] = [[("", "number")]] if taken < height else []
            rows: list[list[Part]] = [[(row, "number")] for row in number.rows]
            yield rows + gap + [[(row, "counter")] for row in counter.rows], _worth(number, counter)


def _beside(text: TileText, width: int, height: int) -> Iterator[tuple[list[list[Part]], float]]:
    for share in _SHARES:
        room, gap = int(width * share), max(width // _GAPS, _GAP)
        number, counter = _number(text, room, height), _counter(text, width - room - gap, height, hangs=False)
        tallest = max(len(number.rows), len(counter.rows))
        if tallest <= height:
            left, right = _evened(number, tallest), _evened(counter, tallest)
            pairs = zip(left, right, strict=True)
            yield [[(a + " " * gap, "number"), (b, "counter")] for a, b in pairs], _worth(number, counter)


def _worth(number: _Drawn, counter: _Drawn) -> float:
    # A counter larger than its number is no gain.
    return number.size * float((min(counter.size, number.size) * counter.worth) ** _OF_COUNTER)


def _evened(drawn: _Drawn, height: int) -> list[str]:
    """Return its rows, all of its width, centred in a height."""
    above = (height - len(drawn.rows)) // 2
    blank = " " * drawn.width
    return [blank] * above + list(drawn.rows) + [blank] * (height - len(drawn.rows) - above)


def _number(text: TileText, width: int, height: int) -> _Drawn:
    return _letters(text.number, width, height) or _plain(text.number, width)


def _counter(text: TileText, width: int, height: int, *, hangs: bool) -> _Drawn:
    """The counter in words: all of it in big letters, or its word in a line above its id.

    Below a number it ``hangs``, so that half a row of air is between them.
    """
    found = [_plain(text.counter, width)]
    if whole := _letters(text.counter, width, height, hangs=hangs):
        found.append(whole)
    if text.counter_id != text.counter and (alone := _letters(text.counter_id, width, height - 1)):
        word = text.counter.removesuffix(text.counter_id).strip()
        above = _plain(word, width)
        wide = max(above.width, alone.width)
        rows = [" " * ((wide - each.width) // 2) + row for each in (above, alone) for row in each.rows]
        lengths = [above.width, *[alone.width] * len(alone.rows)]
        padded = [row + " " * (wide - (wide - length) // 2 - length) for row, length in zip(rows, lengths, strict=True)]
        found.append(_Drawn(tuple(padded), wide, alone.size, _ONLY_ID))
    return max(found, key=lambda drawn: drawn.size * drawn.worth)


def _plain(text: str, width: int) -> _Drawn:
    words = carrying(text, width)
    return _Drawn((words,), cells(words), _PLAIN)


def _letters(text: str, width: int, height: int, *, hangs: bool = False) -> _Drawn | None:
    rows = big(text, width, height, may_be_tall=True, hangs=hangs)
    smallest = columns(text)
    if rows is None or not smallest:
        return None
    return _Drawn(rows, len(rows[0]), sqrt(len(rows[0]) / smallest * (len(rows) * 2 // HEIGHT)))
