"""Black and white pictures as a printer takes them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bitmap:
    """Rows of equal length; a byte is eight dots, the most significant bit on the left, 1 is black."""

    rows: tuple[bytes, ...]


def bitmap_of(dots: Sequence[Sequence[bool]], times: int = 1) -> Bitmap:
    """Return a bitmap of rows of dots, each ``times`` as wide and high."""
    return Bitmap(tuple(row for line in dots for row in [_packed([dot for dot in line for _ in range(times)])] * times))


def _packed(line: Sequence[bool]) -> bytes:
    padded = [*line, *[False] * (-len(line) % 8)]
    eights = (padded[at : at + 8] for at in range(0, len(padded), 8))
    return bytes(sum(dot << (7 - bit) for bit, dot in enumerate(eight)) for eight in eights)
