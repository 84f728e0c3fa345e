"""A screen as SVG, drawn cell by cell: the same every time, without web fonts, half blocks without seams."""

from html import escape
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual._cells import cell_len
from textual.app import App

WIDTH, HEIGHT, MARGIN = 8.4, 18, 14
_BLOCKS = {"█": (0.0, 1.0), "▀": (0.0, 0.5), "▄": (0.5, 0.5)}
_FONT = "ui-monospace,'Cascadia Mono','DejaVu Sans Mono',Menlo,Consolas,monospace"


def svg_of(app: App[object]) -> str:
    """What is on the app's screen now."""
    columns, rows = app.size
    ground = app.theme_variables["background"]
    width, height = columns * WIDTH + 2 * MARGIN, rows * HEIGHT + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"',
        f'font-family="{_FONT}" font-size="14" shape-rendering="crispEdges">',
        f'<rect width="{width:g}" height="{height:g}" rx="10" fill="{ground}"/>',
    ]
    for row, strip in enumerate(app.screen._compositor.render_strips()):
        parts += _row(list(strip), MARGIN + row * HEIGHT)
    return "\n".join([*parts, "</svg>", ""])


def _row(segments: list[Segment], top: float) -> list[str]:
    grounds, marks = [], []
    left = float(MARGIN)
    for segment in segments:
        style = segment.style or Style()
        ink, paper = _colour(style.color, "#e8ecf4"), _colour(style.bgcolor, "")
        if style.reverse:
            ink, paper = paper or "#000000", ink
        if paper:
            grounds.append(_rect(left, top, cell_len(segment.text) * WIDTH, HEIGHT, paper))
        for kind, run in groupby(segment.text, lambda character: character if character in _BLOCKS else ""):
            text = "".join(run)
            length = cell_len(text) * WIDTH
            if kind:
                start, share = _BLOCKS[kind]
                marks.append(_rect(left, top + start * HEIGHT, length, share * HEIGHT, ink))
            elif text.strip():
                marks.append(_text(text, left, top, ink, is_bold=bool(style.bold)))
            left += length
    return grounds + marks


def _text(text: str, left: float, top: float, ink: str, *, is_bold: bool) -> str:
    ahead = len(text) - len(text.lstrip())
    words = text.strip()
    weight = ' font-weight="700"' if is_bold else ""
    where = f'x="{left + ahead * WIDTH:g}" y="{top + 13:g}" textLength="{cell_len(words) * WIDTH:g}"'
    return f'<text {where} fill="{ink}"{weight} xml:space="preserve">{escape(words)}</text>'


def _rect(left: float, top: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" fill="{colour}"/>'


def _colour(colour: object, otherwise: str) -> str:
    return otherwise if colour is None else str(colour.get_truecolor().hex)  # type: ignore[attr-defined]
