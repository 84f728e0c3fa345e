"""How the board's rows are shared out, by the size of the screen alone."""

from dataclasses import dataclass
from math import ceil

MOST_TILES = 4

_SMALL, _LARGE = 24, 34
_HUGE = (150, 56)
_CLOCK_WIDTH = 56
_BANNER_SHARES, _PORTRAIT_SHARE = ((_LARGE, 0.53), (_SMALL, 0.6), (0, 0.63)), 0.45
"""The part of the rows below the header, by the screen's height."""
_SMALLEST_BANNER = 7
_TILE = (36, 5)
"""Columns and rows in which a number is drawn big."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of the header and of the banner; the rest is for last calls and departments, side by side or stacked."""

    header: int
    banner: int
    is_portrait: bool


def layout_of(width: int, height: int, band: int = 0) -> Layout:
    """Return the layout for a screen of which a band takes some rows."""
    is_portrait = width < height * 1.5
    header = _header(width, height)
    room = height - header - band
    share = _PORTRAIT_SHARE if is_portrait else next(share for least, share in _BANNER_SHARES if height >= least)
    return Layout(header, min(max(ceil(room * share), _SMALLEST_BANNER), room), is_portrait)


def band_rows(height: int, lines: int) -> int:
    """Return the rows of a band that warns in so many lines."""
    return lines if height < _LARGE or not lines else max(lines, 3)


def tiles_that_fit(width: int, height: int) -> int:
    """Return how many calls can be shown at once, each with a big number, in so many columns and rows."""
    return max(1, min(MOST_TILES, (width // _TILE[0]) * (height // _TILE[1])))


def _header(width: int, height: int) -> int:
    if height < _SMALL or width < _CLOCK_WIDTH:
        return 1
    if width >= _HUGE[0] and height >= _HUGE[1]:
        return 9
    return 4 if height < _LARGE else 6
