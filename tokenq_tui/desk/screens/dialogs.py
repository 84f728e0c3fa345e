"""Small dialogs: a customer's details, a number to find, a token that was found, the code to leave."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tokenq.contract.names import PERSON_NAME_LENGTH
from tokenq.contract.views import TokenView
from tokenq.locale import Texts
from tokenq.printable import printable
from tokenq_tui.desk.keystrokes import Keystrokes
from tokenq_tui.desk.state import DeskState, Details, is_printable_again, token_lines
from tokenq_tui.error_boundary import ErrorBoundary

_FRAME = """
{name} {{ align: center middle; background: $background 60%; }}
{name} > .box {{ width: 60; max-width: 96%; height: auto; max-height: 96%; padding: 1 2; background: $panel;
                border: round $secondary; color: $foreground; }}
{name} Input {{ margin-top: 0; }}
{name} Horizontal {{ height: auto; margin-top: 1; align-horizontal: right; }}
{name} Button {{ margin-left: 2; }}
"""
_LONGEST_ADDRESS = 254
_LONGEST_REFERENCE = 300


class DetailsDialog(ErrorBoundary, ModalScreen[Details | None]):
    """Ask for a name and an address; both may stay empty."""

    DEFAULT_CSS = _FRAME.format(name="DetailsDialog")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, details: Details, own: Texts) -> None:
        super().__init__()
        self._details, self._own = details, own

    def compose(self) -> ComposeResult:
        """Yield the fields."""
        own = self._own
        with Vertical(classes="box"):
            yield Static(Content.styled(own.gettext("For the next number"), "bold"), markup=False)
            name = printable(self._details.name)
            yield Input(name, placeholder=own.gettext("Name"), max_length=PERSON_NAME_LENGTH, id="name")
            address = printable(self._details.email)
            yield Input(address, placeholder=own.gettext("E-mail"), max_length=_LONGEST_ADDRESS, id="email")
            with Horizontal():
                yield Button(own.gettext("Close"), id="cancel")
                yield Button(own.gettext("OK"), variant="primary", id="ok")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the second field, or close."""
        event.stop()
        if event.input.id == "name":
            self.query_one("#email", Input).focus()
        else:
            self._close()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Close."""
        event.stop()
        if event.button.id == "ok":
            self._close()
        else:
            self.dismiss(None)

    def _close(self) -> None:
        name, email = (self.query_one(f"#{each}", Input).value.strip() for each in ("name", "email"))
        self.dismiss(Details(name, email))


class AskLine(ErrorBoundary, ModalScreen[str | None]):
    """Ask for one line of text; ``is_secret``: it is not shown, and nobody is waited for."""

    DEFAULT_CSS = _FRAME.format(name="AskLine")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]
    SECONDS = 20.0

    def __init__(self, question: str, *, is_secret: bool = False) -> None:
        super().__init__()
        self._question, self._is_secret = question, is_secret

    def compose(self) -> ComposeResult:
        """Yield question and field."""
        with Vertical(classes="box"):
            yield Static(Content.styled(printable(self._question), "bold"), markup=False)
            yield Input(password=self._is_secret, max_length=_LONGEST_REFERENCE)

    def on_mount(self) -> None:
        """Close a question for a secret after a while."""
        if self._is_secret:
            self.set_timer(self.SECONDS, self._close)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text."""
        event.stop()
        self.dismiss(event.value.strip())

    def _close(self) -> None:
        if self.is_current:
            self.dismiss(None)


class TokenDialog(ErrorBoundary, ModalScreen[str]):
    """Show a token that was found.

    The result is ``PRINT`` to print its ticket again, another number if one was scanned meanwhile, or empty.
    """

    PRINT = "p"
    DEFAULT_CSS = _FRAME.format(name="TokenDialog")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Close")]

    def __init__(self, token: TokenView, state: DeskState, own: Texts, *, has_printer: bool) -> None:
        super().__init__()
        self._token, self._state, self._own = token, state, own
        self._can_print = has_printer and is_printable_again(token)
        self._keystrokes = Keystrokes(self._press, self.dismiss, self.set_timer, self.call_later)

    def compose(self) -> ComposeResult:
        """Yield what is known of it."""
        with Vertical(classes="box"):
            yield Static(Content.styled(printable(self._token["displayNumber"]), "bold $primary"), markup=False)
            for line in token_lines(self._token, self._state, self._own):
                yield Static(Content(printable(line)), markup=False)
            with Horizontal():
                if self._can_print:
                    yield Button(self._own.gettext("Print again"), variant="primary", id="print")
                yield Button(self._own.gettext("Close"), id="close")

    def on_mount(self) -> None:
        """Let Enter close it: a scanner may type Enter twice."""
        self.query_one("#close", Button).focus()

    def on_key(self, event: events.Key) -> None:
        """Take keys and scans."""
        if event.is_printable and event.character:
            event.stop()
            event.prevent_default()
            self._keystrokes.add(event.character)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Close; the Enter behind a scan is not for a button."""
        event.stop()
        if not self._keystrokes.enter():
            self.dismiss(self.PRINT if event.button.id == "print" else "")

    def _press(self, key: str) -> None:
        if key == self.PRINT and self._can_print:
            self.dismiss(key)
