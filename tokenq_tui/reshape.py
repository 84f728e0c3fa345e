"""Right-to-left texts in the order in which they are drawn, for terminals that do not reorder them."""

from arabic_reshaper import reshape as joined
from bidi import get_display


def reshape(text: str) -> str:
    """Return a printable text with its letters joined and in the order of the columns of a terminal."""
    return text if text.isascii() else str(get_display(joined(text)))
