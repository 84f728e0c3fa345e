"""Small screens that ask one thing and go away again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from tokenq.printable import printable
from tokenq_tui.console.actions import ACTIONS
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
"""Characters that a reason may have."""

_SHOWABLE = r"[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]*"
"""What may be typed or pasted: the field shows it as it is."""


Check = Callable[[str], str]
"""What is wrong with an answer, as a sentence; empty if nothing is."""


def nothing_wrong(_answer: str) -> str:
    """Whatever was typed will do."""
    return ""


class AskText(ErrorBoundary, ModalScreen[str | None]):
    """Ask for one short text; the answer is ``None`` when the person would rather not."""

    DEFAULT_CSS = _FRAME.format(name="AskText")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Not now")]

    def __init__(
        self,
        question: str,
        hint: str,
        *,
        longest: int,
        answer: str = "",
        may_be_empty: bool = False,
        check: Check = nothing_wrong,
    ) -> None:
        super().__init__()
        self._may_be_empty, self._check = may_be_empty, check
        self._question, self._hint, self._longest, self._answer = question, hint, longest, printable(answer)

    def compose(self) -> ComposeResult:
        """The question, the field, the hint."""
        with Vertical(classes="box"):
            yield Static(Content.styled(printable(self._question), "bold"), markup=False)
            yield Input(self._answer, max_length=self._longest, restrict=_SHOWABLE)
            yield Static(Content(printable(self._hint)), classes="quiet", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, unless the field is empty or something is wrong with the text, which is said then."""
        event.stop()
        text = event.value.strip()
        if wrong := self._check(text):
            self.query_one(".quiet", Static).update(Content.styled(printable(wrong), "$warning"))
        elif text or self._may_be_empty:
            self.dismiss(text)


@dataclass(frozen=True)
class Choice:
    """The key of what was chosen, and what was noted with it."""

    key: str
    note: str = ""


class Choose(ErrorBoundary, ModalScreen[Choice | None]):
    """Ask for one of several, and for a note if a question for one is given.

    The answer is ``None`` when the person would rather not.
    """

    DEFAULT_CSS = (
        _FRAME.format(name="Choose") + "Choose OptionList { margin-top: 1; max-height: 14; background: $panel; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Not now")]

    def __init__(self, question: str, options: Sequence[tuple[str, str]], *, note: str = "") -> None:
        super().__init__()
        self._question, self._options, self._note = question, options, note

    def compose(self) -> ComposeResult:
        """The question and the options, or that there is none."""
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
            hint = "There is nobody and nothing to choose. Esc goes back."
            if self._options:
                hint = f"Enter chooses, {'Tab goes to the reason, ' if self._note else ''}Esc does not."
            yield Static(Content(hint), classes="quiet", markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        event.stop()
        self._answer()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with what is marked in the list."""
        event.stop()
        self._answer()

    def _answer(self) -> None:
        note = self.query_one(Input).value.strip() if self._note else ""
        self.dismiss(Choice(self._options[self.query_one(OptionList).highlighted or 0][0], note))


class Confirm(ErrorBoundary, ModalScreen[bool]):
    """Ask yes or no. The key that asked also says yes, so a sure hand presses it twice."""

    AUTO_FOCUS = None
    DEFAULT_CSS = _FRAME.format(name="Confirm")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "Yes"),
        Binding("n,escape", "dismiss(False)", "No"),
    ]

    def __init__(self, question: str, key: str) -> None:
        super().__init__()
        self._question, self._key = question, key
        self._bindings.bind(key, "dismiss(True)")

    def compose(self) -> ComposeResult:
        """The question and two buttons."""
        with Vertical(classes="box"):
            yield Static(Content.styled(printable(self._question), "bold"), markup=False)
            with Horizontal():
                yield Button(Content("Yes (y)"), id="yes", variant="warning")
                yield Button(Content("No (n)"), id="no")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer by mouse."""
        event.stop()
        self.dismiss(event.button.id == "yes")


class Tell(ErrorBoundary, ModalScreen[None]):
    """Say that something cannot be done, where a question was expected: what is typed meanwhile must press no keys."""

    AUTO_FOCUS = None
    DEFAULT_CSS = _FRAME.format(name="Tell")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter", "dismiss(None)", "Close")]

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self._sentence = sentence

    def compose(self) -> ComposeResult:
        """The sentence and how to go on."""
        with Vertical(classes="box"):
            yield Static(Content.styled(printable(self._sentence), "bold"), markup=False)
            yield Static(Content("Enter or Esc goes back."), classes="quiet", markup=False)


class Help(ErrorBoundary, ModalScreen[None]):
    """Every key and what it does."""

    DEFAULT_CSS = _FRAME.format(name="Help")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "dismiss(None)", "Close")]

    def compose(self) -> ComposeResult:
        """One line for each action."""
        lines = [
            Content.assemble(Content.styled(f"{each.shown_key:>4}  ", "bold $primary"), each.help) for each in ACTIONS
        ]
        more = "ctrl+p searches all of this. ▲ priority, ‼ urgent."
        with VerticalScroll(classes="box"):
            yield Static(Content("\n").join(lines), markup=False)
            yield Static(Content(more), classes="quiet", markup=False)
