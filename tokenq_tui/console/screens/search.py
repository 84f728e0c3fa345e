"""The screen's search mode: all typed characters belong to the search, and no dialog interrupts it."""

from collections.abc import Callable

from textual import events

from tokenq_tui.console.actions import action_named
from tokenq_tui.console.keys import keys_of
from tokenq_tui.console.screens.pending_request import PendingRequestScreen
from tokenq_tui.console.widgets.find_line import FindInput, FindLine


class FindingScreen(PendingRequestScreen):
    """A screen with a :class:`FindLine`."""

    def __init__(self) -> None:
        super().__init__()
        self._held_back: list[Callable[[], object]] = []

    @property
    def is_finding(self) -> bool:
        """Whether a search is open."""
        return self.is_mounted and self.query_one(FindLine).is_open

    def takes(self, event: events.Key) -> bool:
        """Return whether the search consumes a key.

        The key that opens the search acts here, so that characters typed right after it go to the search, too.
        """
        line = self.query_one(FindLine)
        if line.is_open:
            if event.is_printable and event.character:
                event.stop()
                line.take(event.character)
            return True
        if event.key in keys_of(action_named("find"), self.state.keys):
            event.stop()
            line.open()
            return True
        return False

    def in_turn(self, ask: Callable[[], object]) -> None:
        """Open a dialog now or after the search, so that search input does not answer it."""
        if self.is_finding:
            self._held_back.append(ask)
        else:
            ask()

    def on_find_line_closed(self) -> None:
        """Open the dialogs that had to wait, and enable the keys again."""
        held, self._held_back = self._held_back, []
        for ask in held:
            self.in_turn(ask)
        self.refresh_bindings()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Clicking elsewhere ends the search and keeps the selection."""
        if self.is_finding and not isinstance(event.widget, FindInput):
            self.query_one(FindLine).close(keep=True)
