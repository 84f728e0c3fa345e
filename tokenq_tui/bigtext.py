"""Big letters drawn with half blocks, readable across a room.

A glyph is at most five pixels wide and seven high; a terminal cell shows two pixels, one above the other.
"""

import unicodedata
from functools import lru_cache

HEIGHT = 7
"""Height of a glyph in pixels."""

_GAP = 1
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
        ".###. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###.",
        "#...# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...#",
        "#..## ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...#",
        "#.#.# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .####",
        "##..# ..#.. ..#.. ....# ##### ....# #...# .#... #...# ....#",
        "#...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#.",
        ".###. .###. ##### .###. ...#. .###. .###. .#... .###. .##..",
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


@lru_cache(maxsize=64)
def big(text: str, width: int, height: int) -> tuple[str, ...] | None:
    """Draw ``text`` as large as ``width`` columns and ``height`` rows allow, as rows of equal length.

    Letters become capitals without accents. ``None`` if it does not fit at the smallest size or contains a character
    without a glyph; show plain text instead.
    """
    glyphs = _glyphs_of(text)
    if not glyphs:
        return None
    pixels = sum(len(glyph[0]) + _GAP for glyph in glyphs) - _GAP
    scale = min(width // pixels, height * 2 // HEIGHT)
    if scale < 1:
        return None
    rows = [(("." * _GAP).join(glyph[line] for glyph in glyphs)) for line in range(HEIGHT)]
    return _half_blocks([_stretch(row, scale) for row in rows for _ in range(scale)])


def _glyphs_of(text: str) -> list[tuple[str, ...]] | None:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).upper()
    glyphs = [_GLYPHS.get(character) for character in plain.strip()]
    present = [glyph for glyph in glyphs if glyph is not None]
    return present if len(present) == len(glyphs) else None


def _stretch(row: str, scale: int) -> list[bool]:
    return [pixel == "#" for pixel in row for _ in range(scale)]


def _half_blocks(pixels: list[list[bool]]) -> tuple[str, ...]:
    if len(pixels) % 2:
        pixels = [*pixels, [False] * len(pixels[0])]
    return tuple(
        "".join(_CELLS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(pixels[::2], pixels[1::2], strict=True)
    )
