"""A line at the bottom of the waiting list: who is typed into it is marked in the list."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tokenq.contract.names import PERSON_NAME_LENGTH
from tokenq.printable import printable
from tokenq_tui.console.search import is_meant
from tokenq_tui.console.widgets.waiting_list import WaitingList
from tokenq_tui.error_boundary import ErrorBoundary

_SHOWN = 40


class FindInput(ErrorBoundary, Input):
    """What is typed; the keys beside letters are the line's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Keep", key_display="⏎"),
        Binding("escape", "give_up", "Back", key_display="esc"),
        Binding("down,tab", "step(1)", "Next match", key_display="↓"),
        Binding("up,shift+tab", "step(-1)", "Previous", key_display="↑"),
    ]

    def action_give_up(self) -> None:
        """Find nobody after all."""
        self._line.close(keep=False)

    def action_step(self, by: int) -> None:
        """Go to another match."""
        self._line.step(by)

    @property
    def _line(self) -> "FindLine":
        return next(one for one in self.ancestors if isinstance(one, FindLine))


class FindLine(ErrorBoundary, Vertical):
    """Open from :meth:`open` to :meth:`close`; takes no room otherwise."""

    DEFAULT_CSS = """
    FindLine { display: none; height: auto; background: $panel; padding: 0 1; }
    FindLine Horizontal { height: 1; }
    FindLine #find-sign { width: 2; color: $primary; text-style: bold; }
    FindLine FindInput { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
    FindLine #find-said { height: auto; max-height: 3; color: $quiet; }
    """

    class Closed(Message):
        """The line has been closed."""

    def __init__(self, waiting: WaitingList) -> None:
        super().__init__()
        self._list = waiting
        self._before: int | None = None
        self._found: list[int] = []
        self._is_cut = False

    @property
    def is_open(self) -> bool:
        """Whether what is typed is typed here."""
        return bool(self.display)

    def compose(self) -> ComposeResult:
        """The sign of the key, the field, and what came of it."""
        with Horizontal():
            yield Static("/", id="find-sign", markup=False)
            yield FindInput(
                max_length=PERSON_NAME_LENGTH, placeholder="number or name", compact=True, select_on_focus=False
            )
        yield Static("", id="find-said", markup=False)

    def open(self) -> None:
        """Ask for whom to look."""
        if not self.is_open:
            self._before = self._list.marked
            self.display = True
            self._list.add_class("-finding")
            self._input.value = ""
            self._look()
        # At once: the next key is on its way already.
        self.screen.set_focus(self._input)

    def close(self, *, keep: bool) -> None:
        """Go back to the list; without ``keep`` who was marked before is marked again."""
        if not self.is_open:
            return
        self.display = False
        self._list.remove_class("-finding")
        if not keep and self._before is not None:
            self._list.mark(self._before)
        self.screen.set_focus(self._list)
        self.post_message(self.Closed())

    def take(self, typed: str) -> None:
        """A letter that came another way."""
        self.screen.set_focus(self._input)
        self._input.insert_text_at_cursor(typed)

    def list_changed(self, *, is_cut: bool) -> None:
        """The list holds others, or in another order; ``is_cut``: there are more than it shows."""
        self._is_cut = is_cut
        if self.is_open:
            self._look()

    def step(self, by: int) -> None:
        """Mark the match ``by`` places further, round and round."""
        if self._found:
            marked = self._list.marked
            place = self._found.index(marked) if marked in self._found else -1
            self._list.mark(self._found[(place + by) % len(self._found)])
            self._say()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Mark the first who is meant."""
        event.stop()
        if self.is_open:
            self._look(anew=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep who is marked; where nobody is meant, nobody else may be taken for them."""
        event.stop()
        if self._found or not event.value.strip():
            self.close(keep=True)

    def _look(self, *, anew: bool = False) -> None:
        typed = self._input.value
        self._found = [one["tokenId"] for one in self._list.tokens if is_meant(typed, one)]
        if self._found and (anew or self._list.marked not in self._found):
            self._list.mark(self._found[0])
        self._say()

    def _say(self) -> None:
        typed, said = self._input.value.strip(), self.query_one("#find-said", Static)
        if not typed:
            said.update(Content("Type a number or a name."))
        elif self._found:
            marked = self._list.marked
            place = self._found.index(marked) + 1 if marked in self._found else 1
            said.update(Content(f"{place} of {len(self._found)}"))
        else:
            where = f"among the first {len(self._list.tokens)}" if self._is_cut else "here"
            said.update(Content.styled(f"Nobody {where} matches '{printable(typed, _SHOWN)}'.", "$warning"))

    @property
    def _input(self) -> FindInput:
        return self.query_one(FindInput)
