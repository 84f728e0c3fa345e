"""Dialogs that ask one question."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from tokenq.locale import texts
from tokenq.printable import printable
from tokenq_tui.console.actions import ACTIONS
from tokenq_tui.console.keys import shown_key
from tokenq_tui.error_boundary import ErrorBoundary

_FRAME = """
{name} {{ align: center middle; background: $background 60%; }}
{name} > .box {{ width: 64; max-width: 96%; height: auto; max-height: 94%; padding: 1 2; background: $panel;
                border: round $secondary; color: $foreground; }}
{name} .quiet {{ color: $quiet; margin-top: 1; }}
{name} Input {{ margin-top: 1; }}
{name} Horizontal {{ height: auto; margin-top: 1; align-horizontal: right; }}
{name} Button {{ margin-left: 2; }}
"""

NOTE_LENGTH = 200
"""Maximum length of a reason."""

_SHOWABLE = r"[^\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*"
"""Characters that may be typed or pasted: the printable ones, and joiners, with which names are written."""


Check = Callable[[str], str]
"""Returns what is wrong with an answer, as a sentence; empty if nothing is."""


def nothing_wrong(_answer: str) -> str:
    """Accept any answer."""
    return ""


class AskText(ErrorBoundary, ModalScreen[str | None]):
    """Ask for a short text; the result is ``None`` if the user cancels."""

    DEFAULT_CSS = _FRAME.format(name="AskText")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(
        self,
        question: str,
        hint: str,
        *,
        longest: int,
        answer: str = "",
        may_be_empty: bool = False,
        check: Check = nothing_wrong,
        refusal: str = "",
    ) -> None:
        super().__init__()
        self._refusal = refusal
        self._may_be_empty, self._check = may_be_empty, check
        self._question, self._hint, self._longest, self._answer = question, hint, longest, printable(answer)

    def compose(self) -> ComposeResult:
        """Yield the question, the field and the hint."""
        with Vertical(classes="box"):
            yield Static(Content.styled(printable(self._question), "bold"), markup=False)
            yield Input(self._answer, max_length=self._longest, restrict=_SHOWABLE)
            yield Static(Content(printable(self._hint)), classes="quiet", markup=False)

    def on_mount(self) -> None:
        """Show why the answer before was refused."""
        if self._refusal:
            self._say_wrong(self._refusal)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the text, or show what is wrong with it."""
        event.stop()
        text = event.value.strip()
        if wrong := self._check(text):
            self._say_wrong(wrong)
        elif text or self._may_be_empty:
            self.dismiss(text)

    def _say_wrong(self, sentence: str) -> None:
        self.query_one(".quiet", Static).update(Content.styled(printable(sentence), "$warning"))


@dataclass(frozen=True)
class Choice:
    """The key of the chosen option, and the note."""

    key: str
    note: str = ""


class Choose(ErrorBoundary, ModalScreen[Choice | None]):
    """Ask for one of several options and, if ``note`` is its placeholder, for a note.

    The result is ``None`` if the user cancels.
    """

    DEFAULT_CSS = (
        _FRAME.format(name="Choose") + "Choose OptionList { margin-top: 1; max-height: 14; background: $panel; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, question: str, options: Sequence[tuple[str, str]], *, note: str = "") -> None:
        super().__init__()
        self._question, self._options, self._note = question, options, note

    def compose(self) -> ComposeResult:
        """Yield the question and the options, or a text if there are none."""
        said = texts()
        with Vertical(classes="box"):
            yield Static(Content.styled(printable(self._question), "bold"), markup=False)
            if self._options:
                shown = (
                    Option(Content(printable(label, 56)), id=f"option-{place}")
                    for place, (_, label) in enumerate(self._options)
                )
                yield OptionList(*shown, markup=False)
                if self._note:
                    yield Input(placeholder=self._note, max_length=NOTE_LENGTH, restrict=_SHOWABLE)
            hint = said.gettext("There is nothing to choose from. Esc goes back.")
            if self._options:
                hint = said.gettext("Enter selects, Esc cancels.")
            if self._options and self._note:
                hint = said.gettext("Enter selects, Tab moves to the text, Esc cancels.")
            yield Static(Content(hint), classes="quiet", markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close with the chosen option."""
        event.stop()
        self._answer()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the highlighted option."""
        event.stop()
        self._answer()

    def _answer(self) -> None:
        note = self.query_one(Input).value.strip() if self._note else ""
        self.dismiss(Choice(self._options[self.query_one(OptionList).highlighted or 0][0], note))


class Confirm(ErrorBoundary, ModalScreen[bool]):
    """Ask yes or no. The key of the action also means yes, so pressing it twice confirms."""

    AUTO_FOCUS = None
    DEFAULT_CSS = _FRAME.format(name="Confirm")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Yes"),
        Binding("n,escape", "dismiss(False)", "No"),
    ]

    def __init__(self, question: str, keys: Sequence[str]) -> None:
        super().__init__()
        self._question = question
        for key in keys:
            self._bindings.bind(key, "dismiss(True)")

    def compose(self) -> ComposeResult:
        """Yield the question and two buttons."""
        with Vertical(classes="box"):
            yield Static(Content.styled(printable(self._question), "bold"), markup=False)
            with Horizontal():
                yield Button(Content(texts().gettext("Yes (y)")), id="yes", variant="warning")
                yield Button(Content(texts().gettext("No (n)")), id="no")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with a click."""
        event.stop()
        self.dismiss(event.button.id == "yes")


class Explain(ErrorBoundary, ModalScreen[None]):
    """Explain why an action is not possible, in place of its dialog, so that typed answers trigger no keys."""

    AUTO_FOCUS = None
    DEFAULT_CSS = _FRAME.format(name="Explain")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter", "dismiss(None)", "Close")]

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self._sentence = sentence

    def compose(self) -> ComposeResult:
        """Yield the sentence and the keys."""
        with Vertical(classes="box"):
            yield Static(Content.styled(printable(self._sentence), "bold"), markup=False)
            yield Static(Content(texts().gettext("Enter or Esc goes back.")), classes="quiet", markup=False)


class Help(ErrorBoundary, ModalScreen[None]):
    """The list of all keys, as the settings have them."""

    DEFAULT_CSS = (
        _FRAME.format(name="Help")
        + """
    Help > .box { max-height: 100%; padding: 0 2; }
    Help .action { margin-top: 0; }
    Help .key { width: 7; padding-right: 2; text-align: right; color: $primary; text-style: bold; }
    Help .help { width: 1fr; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "dismiss(None)", "Close")]

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """Yield one line per action."""
        more = texts().gettext("▲ priority, ‼ urgent, ✓ marked. The manual says how to change keys.")
        with VerticalScroll(classes="box"):
            for action in ACTIONS:
                with Horizontal(classes="action"):
                    yield Static(shown_key(action.name, self._keys), classes="key", markup=False)
                    yield Static(Content(action.shown_help), classes="help", markup=False)
            yield Static(Content(more), classes="quiet", markup=False)
