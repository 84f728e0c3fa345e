"""A widget that fills itself with lines of text."""

from collections.abc import Iterable, Sequence

from textual.content import Content
from textual.widgets import Static

from tokenq.printable import cells, printable
from tokenq_tui.error_boundary import ErrorBoundary

Part = tuple[str, str]
"""A printable text and its style."""


class Panel(ErrorBoundary, Static):
    """Redraws only when its content or size has changed."""

    def draw(self) -> None:
        """Show the lines for the current size."""
        width, height = self.content_size
        if width > 0 and height > 0:
            lines = list(self.lines(width, height))[:height]
            content = Content("\n").join([line.truncate(width, ellipsis=True) for line in lines])
            if content != self.content or content.spans != getattr(self.content, "spans", None):
                self.update(content, layout=False)

    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Return the lines for ``width`` columns and ``height`` rows."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """Redraw for the new size."""
        self.draw()


def line(*parts: Part) -> Content:
    """Return one line from texts and styles."""
    return Content.assemble(*(Content.styled(text, style) for text, style in parts))


def spread(width: int, left: Sequence[Part], right: Sequence[Part]) -> Content:
    """Return one line with ``left`` and ``right`` at its ends."""
    start, end = line(*left), line(*right)
    room = max(width - end.cell_length - 1, 0)
    start = start.truncate(room, ellipsis=True)
    return Content.assemble(start, " " * (width - start.cell_length - end.cell_length), end)


def padded(text: str, width: int) -> str:
    """Pad or cut ``text`` to ``width`` columns; wide characters count twice."""
    shown = printable(text, width)
    return shown + " " * (width - cells(shown))
