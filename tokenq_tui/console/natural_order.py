"""The order in which people expect names with numbers: 1, 2, 11, Window 2, Window 10."""

import re

_NUMBERS = re.compile(r"([0-9]+)")


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key in which runs of digits count as numbers and come before words."""
    parts = (part for part in _NUMBERS.split(name.casefold()) if part)
    return tuple((0, int(part), part) if part[0].isdigit() and part.isascii() else (1, 0, part) for part in parts)
