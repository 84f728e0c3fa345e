"""What the screen does while somebody is looked for: every letter belongs to the name, and nothing gets in the way."""

from collections.abc import Callable

from textual import events

from tokenq_tui.console.actions import action_named
from tokenq_tui.console.screens.pending_request import PendingRequestScreen
from tokenq_tui.console.widgets.find_line import FindInput, FindLine


class FindingScreen(PendingRequestScreen):
    """Has a :class:`FindLine`."""

    def __init__(self) -> None:
        super().__init__()
        self._held_back: list[Callable[[], object]] = []

    @property
    def is_finding(self) -> bool:
        """Whether what is typed is whom somebody looks for."""
        return self.is_mounted and self.query_one(FindLine).is_open

    def takes(self, event: events.Key) -> bool:
        """Whether a key is the line's; the one that opens it acts here, before those behind it come.

        What was typed in one go with it is still on its way through the list.
        """
        line = self.query_one(FindLine)
        if line.is_open:
            if event.is_printable and event.character:
                event.stop()
                line.take(event.character)
            return True
        if event.key == action_named("find").key:
            event.stop()
            line.open()
            return True
        return False

    def in_turn(self, ask: Callable[[], object]) -> None:
        """Ask something now, or when nobody is looked for any more: what is typed is no answer to it."""
        if self.is_finding:
            self._held_back.append(ask)
        else:
            ask()

    def on_find_line_closed(self) -> None:
        """Ask what had to wait, and offer the keys again."""
        held, self._held_back = self._held_back, []
        for ask in held:
            self.in_turn(ask)
        self.refresh_bindings()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Who goes elsewhere with the mouse has found whom they looked for."""
        if self.is_finding and not isinstance(event.widget, FindInput):
            self.query_one(FindLine).close(keep=True)
