"""The notice that says what was just done or what went wrong; it covers nothing and disappears by itself."""

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from tokenq.printable import printable
from tokenq_tui.error_boundary import ErrorBoundary

_SHORT, _LONG = 3.0, 8.0
"""Seconds for which a message and a failure stay."""


class Notice(ErrorBoundary, Static):
    """Shows only the latest notice; its space comes from the list above it, never from the buttons."""

    DEFAULT_CSS = """
    Notice { display: none; height: auto; max-height: 50%; padding: 0 1; background: $panel; color: $foreground;
             border-left: outer $success; }
    Notice.-trouble { border-left: outer $error; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._timer: Timer | None = None

    def say(self, *sentences: str, is_trouble: bool = False, stays: bool = False) -> None:
        """Show these sentences, one per line, in place of the previous ones; ``stays``: until the next notice."""
        self.update(Content("\n".join(printable(sentence, 300) for sentence in sentences if sentence)))
        self.set_class(is_trouble, "-trouble")
        self.display = True
        if self._timer is not None:
            self._timer.stop()
        self._timer = None if stays else self.set_timer(_LONG if is_trouble else _SHORT, self.hide)

    def hide(self) -> None:
        """Hide the notice."""
        self.display = False
