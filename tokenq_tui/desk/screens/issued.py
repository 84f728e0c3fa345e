"""The number that was just issued, as large as the screen."""

import time
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tokenq.printable import printable, wrapped
from tokenq_tui.bigtext import big
from tokenq_tui.error_boundary import ErrorBoundary
from tokenq_tui.panel import Panel


class _Number(Panel):
    def __init__(self, number: str) -> None:
        super().__init__("", markup=False)
        self._number = number

    def lines(self, width: int, height: int) -> list[Content]:
        """Return the number as large as there is room."""
        rows = big(self._number, width, height) or (printable(self._number, width),)
        above = [Content("")] * ((height - len(rows)) // 2)
        return [*above, *(Content.styled(row.center(width).rstrip(), "bold $primary") for row in rows)]


class IssuedScreen(ErrorBoundary, ModalScreen[None]):
    """Shows a number for some seconds, or until a key or a touch."""

    DEFAULT_CSS = """
    IssuedScreen { background: $background; align: center middle; }
    IssuedScreen Vertical { width: 100%; height: 100%; padding: 1 2; }
    IssuedScreen _Number { height: 1fr; }
    IssuedScreen .words { height: auto; max-height: 50%; text-align: center; width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,escape,space", "close", show=False)]

    def __init__(
        self,
        number: str,
        lines: list[str],
        seconds: float,
        pass_on: Callable[[str], object] | None = None,
        least: float = 0.0,
    ) -> None:
        """``pass_on`` gets the characters that are typed here; without it they are ignored.

        Nobody can close it before ``least`` seconds have passed.
        """
        super().__init__()
        self._least, self._shown_at = least, 0.0
        self._pass_on = pass_on
        self._number, self._lines, self._seconds = number, lines, seconds

    def compose(self) -> ComposeResult:
        """Yield the number and what to know about it."""
        with Vertical():
            yield _Number(self._number)
            yield Static("", classes="words", markup=False)

    def on_mount(self) -> None:
        """Close after a while."""
        self._shown_at = time.monotonic()
        self.set_timer(self._seconds, self._close)

    def on_resize(self) -> None:
        """Wrap the words anew."""
        width = max(self.size.width - 6, 10)
        lines = [line for text in self._lines for line in wrapped(text, width)]
        self.query_one(".words", Static).update(Content("\n").join(map(Content, lines)))

    def on_key(self, event: events.Key) -> None:
        """Serve the next customer at once."""
        if event.is_printable and event.character and event.character != " ":
            event.stop()
            if self._pass_on is not None:
                self._pass_on(event.character)
                self.action_close()

    def on_click(self) -> None:
        """Close."""
        self.action_close()

    def action_close(self) -> None:
        """Close, unless it has just appeared."""
        if time.monotonic() - self._shown_at >= self._least:
            self._close()

    def _close(self) -> None:
        if self.is_current:
            self.dismiss(None)
