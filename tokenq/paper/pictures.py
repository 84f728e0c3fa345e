"""Text and logos as bitmaps, by Pillow."""

from pathlib import Path

from PIL import Image, ImageDraw, features

from tokenq.locale import texts
from tokenq.paper.bitmap import Bitmap
from tokenq.paper.fonts import Run, runs_of

_SMALLEST = 10
_MARGIN = 3
_TALLEST_LOGO = 480
_INK = 128
"""Grey values below this are black."""


def text_bitmap(
    text: str, size: int, width: int, *, font: Path | None, language: str, is_bold: bool = False
) -> tuple[Bitmap, str]:
    """Draw one printable line ``size`` dots high or less, so that it fits ``width``; return the letters no font has."""
    while True:
        runs, missing = runs_of(text, size, font, language)
        image = _drawn(runs, is_right_to_left=texts(language).is_right_to_left, is_bold=is_bold)
        if image.width <= width or size <= _SMALLEST:
            return _bitmap(image.crop((0, 0, min(image.width, width), image.height))), missing
        size = max(_SMALLEST, min(size - 1, size * width // image.width))


def _drawn(runs: list[Run], *, is_right_to_left: bool, is_bold: bool) -> Image.Image:
    """Draw runs side by side on one baseline."""
    if not runs:
        return Image.new("L", (8, 8), 255)
    stroke = int(is_bold)
    direction = "rtl" if is_right_to_left and features.check("raqm") else None
    widths = [int(font.getlength(text, direction=direction)) + 2 * _MARGIN for text, font in runs]
    ascents, descents = zip(*(font.getmetrics() for _, font in runs), strict=True)
    image = Image.new("L", (sum(widths), max(ascents) + max(descents) + 2 * stroke), 255)
    draw, left = ImageDraw.Draw(image), 0
    placed = list(zip(runs, widths, strict=True))
    for (text, font), width in reversed(placed) if is_right_to_left else placed:
        origin = (left + _MARGIN, max(ascents) + stroke)
        draw.text(origin, text, 0, font, anchor="ls", direction=direction, stroke_width=stroke)
        left += width
    return image


def logo_bitmap(path: Path, width: int) -> Bitmap | None:
    """Return a picture file, at most ``width`` dots wide; ``None`` if it cannot be read."""
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    image.thumbnail((width, _TALLEST_LOGO))
    paper = Image.new("RGBA", image.size, "white")
    return _bitmap(Image.alpha_composite(paper, image).convert("1"))


def _bitmap(image: Image.Image) -> Bitmap:
    black = image.convert("L").point(lambda grey: 255 if grey < _INK else 0).convert("1", dither=Image.Dither.NONE)
    across = (image.width + 7) // 8
    content = black.tobytes()
    return Bitmap(tuple(content[at : at + across] for at in range(0, len(content), across)))
