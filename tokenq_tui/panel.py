"""A part of a screen that draws lines of text to fill itself."""

from collections.abc import Iterable, Sequence

from rich.cells import set_cell_size
from textual.content import Content
from textual.widgets import Static

from tokenq_tui.error_boundary import ErrorBoundary

Part = tuple[str, str]
"""A text made printable, and its style."""


class Panel(ErrorBoundary, Static):
    """Draws itself anew when its content or its size changed, and only then."""

    def draw(self) -> None:
        """Compute the lines for the present size and show them."""
        width, height = self.content_size
        if width > 0 and height > 0:
            lines = list(self.lines(width, height))[:height]
            content = Content("\n").join([line.truncate(width) for line in lines])
            if content != self.content or content.spans != getattr(self.content, "spans", None):
                self.update(content, layout=False)

    def lines(self, width: int, height: int) -> Iterable[Content]:
        """The lines that fill ``width`` columns and ``height`` rows."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """Fill the new size."""
        self.draw()


def line(*parts: Part) -> Content:
    """One line from texts and styles."""
    return Content.assemble(*(Content.styled(text, style) for text, style in parts))


def spread(width: int, left: Sequence[Part], right: Sequence[Part]) -> Content:
    """One line with ``left`` at the left end and ``right`` at the right end."""
    start, end = line(*left), line(*right)
    room = max(width - end.cell_length - 1, 0)
    start = start.truncate(room, ellipsis=True)
    return Content.assemble(start, " " * (width - start.cell_length - end.cell_length), end)


def padded(text: str, width: int) -> str:
    """``text`` with blanks up to ``width`` columns, or cut to it; wide characters count twice."""
    return set_cell_size(text, width)
