"""A row of actions or languages that can be touched."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tokenq.printable import cells, printable
from tokenq_tui.error_boundary import ErrorBoundary

_AROUND, _NARROWEST, _GAP = 2, 8, 1


def bar_width(labels: Iterable[tuple[str, str]]) -> int:
    """Return the columns of a bar with these keys and labels."""
    texts = [f"{key} {label}" if key else label for key, label in labels]
    return sum(max(cells(text) + _AROUND, _NARROWEST) + _GAP for text in texts) + _GAP


class Touchable(ErrorBoundary, Static):
    """A label that posts a message when it is touched."""

    DEFAULT_CSS = """
    Touchable { width: auto; min-width: 8; height: 3; padding: 0 1; margin-right: 1; background: $panel;
                content-align: center middle; }
    Touchable:hover { background: $line; }
    Touchable.-chosen { background: $accent; color: $background; text-style: bold; }
    Bar.-tight Touchable { min-width: 4; margin-right: 0; }
    """

    def __init__(self, label: str, message: Message, *, key: str = "", is_chosen: bool = False) -> None:
        sign = "bold" if is_chosen else "bold $primary"
        shown = Content.assemble(Content.styled(key, sign), " " if key else "", printable(label, 30))
        super().__init__(shown, markup=False, classes="-chosen" if is_chosen else "")
        self._message = message

    def on_click(self) -> None:
        """Post the message."""
        self.post_message(self._message)


class Bar(ErrorBoundary, Horizontal):
    """Shows some of them; as many as fit."""

    DEFAULT_CSS = """
    Bar { height: 3; padding: 0 1; background: $background; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[Touchable] = []

    def compose(self) -> ComposeResult:
        """Yield what is shown."""
        yield from self._shown

    async def show(self, touchables: Iterable[Touchable]) -> None:
        """Show others."""
        self._shown = list(touchables)
        await self.recompose()
