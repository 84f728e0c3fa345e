"""A button for each counter action; unavailable ones are dimmed."""

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Grid
from textual.content import Content
from textual.widgets import Button

from tokenq.contract.views import TokenView
from tokenq_tui.console.actions import BUTTONS, action_named
from tokenq_tui.console.availability import is_available
from tokenq_tui.console.keys import shown_key
from tokenq_tui.console.messages import ActionClicked
from tokenq_tui.console.state import State
from tokenq_tui.error_boundary import ErrorBoundary


class ActionButton(ErrorBoundary, Button):
    """A clickable action; keyboard focus stays with the list."""

    DEFAULT_CSS = """
    ActionButton { width: 1fr; min-width: 8; height: 1; border: none; background: $panel !important; color: $foreground;
                   text-style: none; content-align: center middle; }
    ActionButton:hover { background: $secondary 40% !important; color: $foreground; border: none; }
    ActionButton:disabled { background: $surface !important; color: $quiet; opacity: 100%;
                            text-opacity: 100% !important; }
    ActionButton.-main { background: $primary !important; color: $background; text-style: bold; }
    """
    can_focus = False

    def __init__(self, name: str, keys: Mapping[str, str]) -> None:
        label = f"{action_named(name).shown_label} ({shown_key(name, keys)})"
        super().__init__(Content(label), compact=True, name=name)


class ActionBar(ErrorBoundary, Grid):
    """The buttons in two columns."""

    DEFAULT_CSS = """
    ActionBar { grid-size: 2; grid-gutter: 0 1; grid-rows: 1; height: auto; padding: 0 2; }
    ActionBar.-tall { grid-rows: 3; }
    ActionBar.-tall ActionButton { height: 3; }
    ActionBar > #action-call { column-span: 2; }
    ActionBar.-compact { grid-size: 3; padding: 0 1; }
    ActionBar.-compact > #action-call { column-span: 1; }
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Yield the buttons."""
        for name in BUTTONS:
            button = ActionButton(name, self._keys)
            button.id = f"action-{name}"
            yield button

    def show(self, state: State, row: TokenView | None) -> None:
        """Dim unavailable actions and highlight the usual next one."""
        usual, hidden = _usual_action(state), "pause" if state.is_shut else "open"
        for button in self.query(ActionButton):
            name = button.name or ""
            button.disabled = not is_available(action_named(name), state, row)
            button.display = name != hidden
            button.set_class(name == usual and not button.disabled, "-main")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Post which action was clicked."""
        event.stop()
        self.post_message(ActionClicked(event.button.name or ""))


def _usual_action(state: State) -> str:
    if state.held is None:
        return "open" if state.is_paused else "call"
    return "start" if "start" in state.held["moves"] else "serve"
