"""Big letters drawn with half blocks, readable across a room.

A glyph is at most five pixels wide and seven high; a terminal cell shows two pixels, one above the other.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

HEIGHT = 7
"""Height of a glyph in pixels."""

_GAP = 1
_TALLEST = (0, 2, 3, 4, 5, 0)
"""How far letters are stretched upward, by their scale; the largest not at all."""
_SHEET = (
    (
        "ABCDEFGHIJKLM",
        ".###. ####. .###. ####. ##### ##### .###. #...# ### ....# #...# #.... #...#",
        "#...# #...# #...# #...# #.... #.... #...# #...# .#. ....# #..#. #.... ##.##",
        "#...# #...# #.... #...# #.... #.... #.... #...# .#. ....# #.#.. #.... #.#.#",
        "##### ####. #.... #...# ####. ####. #.### ##### .#. ....# ##... #.... #.#.#",
        "#...# #...# #.... #...# #.... #.... #...# #...# .#. #...# #.#.. #.... #...#",
        "#...# #...# #...# #...# #.... #.... #...# #...# .#. #...# #..#. #.... #...#",
        "#...# ####. .###. ####. ##### #.... .###. #...# ### .###. #...# ##### #...#",
    ),
    (
        "NOPQRSTUVWXYZ",
        "#...# .###. ####. .###. ####. .#### ##### #...# #...# #...# #...# #...# #####",
        "##..# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# #...# #...# ....#",
        "##..# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# .#.#. .#.#. ...#.",
        "#.#.# #...# ####. #...# ####. .###. ..#.. #...# #...# #.#.# ..#.. ..#.. ..#..",
        "#..## #...# #.... #.#.# #.#.. ....# ..#.. #...# #...# #.#.# .#.#. ..#.. .#...",
        "#..## #...# #.... #..#. #..#. ....# ..#.. #...# .#.#. ##.## #...# ..#.. #....",
        "#...# .###. #.... .##.# #...# ####. ..#.. .###. ..#.. #...# #...# ..#.. #####",
    ),
    (
        "0123456789",
        ".##. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###.",
        "#..# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...#",
        "#..# ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...#",
        "#..# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .####",
        "#..# ..#.. ..#.. ....# ##### ....# #...# .#... #...# ....#",
        "#..# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#.",
        ".##. .###. ##### .###. ...#. .###. .###. .#... .###. .##..",
    ),
    (
        "-–.,:/#+&()'_→ ",
        "... .... . .. . ....# .#.#. ..... .##.. ..# #.. # ..... ....... ..",
        "... .... . .. . ....# .#.#. ..#.. #..#. .#. .#. # ..... ....#.. ..",
        "... .... . .. # ...#. ##### ..#.. #.#.. #.. ..# . ..... .....#. ..",
        "### #### . .. . ..#.. .#.#. ##### .#... #.. ..# . ..... ####### ..",
        "... .... . .. . .#... ##### ..#.. #.#.# #.. ..# . ..... .....#. ..",
        "... .... . .# # #.... .#.#. ..#.. #..#. .#. .#. . ..... ....#.. ..",
        "... .... # #. . #.... .#.#. ..... .##.# ..# #.. . ##### ....... ..",
    ),
)
_GLYPHS = {
    character: tuple(row.split(" ")[place] for row in rows)
    for characters, *rows in _SHEET
    for place, character in enumerate(characters)
}
_CELLS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def big(
    text: str, width: int, height: int, *, may_be_tall: bool = False, hangs: bool = False
) -> tuple[str, ...] | None:
    """Draw ``text`` as large as ``width`` columns and ``height`` rows allow, as rows of equal length.

    Letters become capitals without accents; they ``may_be_tall`` where there are rows but no columns left. Half a row
    that is left over is below them, or above if the text ``hangs``. ``None`` if it does not fit at the smallest size or
    contains a character without a glyph; show plain text instead.
    """
    glyphs = _glyphs_of(text)
    if not glyphs:
        return None
    across = min(width // _pixels(glyphs), height * 2 // HEIGHT)
    if across < 1:
        return None
    down = min(height * 2 // HEIGHT, _TALLEST[min(across, len(_TALLEST) - 1)] or across) if may_be_tall else across
    return _drawn(text, across, down, hangs=hangs)


def columns(text: str) -> int | None:
    """Return how many columns the smallest big letters take; ``None`` if there are none for it."""
    glyphs = _glyphs_of(text)
    return _pixels(glyphs) if glyphs else None


def _pixels(glyphs: Sequence[tuple[str, ...]]) -> int:
    return sum(len(glyph[0]) + _GAP for glyph in glyphs) - _GAP


@lru_cache(maxsize=256)
def _drawn(text: str, across: int, down: int, *, hangs: bool) -> tuple[str, ...]:
    """Draw a text that has glyphs, with so many columns and half rows per pixel."""
    glyphs = _glyphs_of(text) or []
    rows = [(("." * _GAP).join(glyph[line] for glyph in glyphs)) for line in range(HEIGHT)]
    return _half_blocks([_stretch(row, across) for row in rows for _ in range(down)], hangs=hangs)


@lru_cache(maxsize=256)
def _glyphs_of(text: str) -> list[tuple[str, ...]] | None:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).upper()
    glyphs = [_GLYPHS.get(character) for character in plain.strip()]
    present = [glyph for glyph in glyphs if glyph is not None]
    return present if len(present) == len(glyphs) else None


def _stretch(row: str, scale: int) -> list[bool]:
    return [pixel == "#" for pixel in row for _ in range(scale)]


def _half_blocks(pixels: list[list[bool]], *, hangs: bool) -> tuple[str, ...]:
    if len(pixels) % 2:
        blank = [[False] * len(pixels[0])]
        pixels = blank + pixels if hangs else pixels + blank
    return tuple(
        "".join(_CELLS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(pixels[::2], pixels[1::2], strict=True)
    )
