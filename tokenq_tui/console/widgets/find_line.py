"""The search line below the waiting list; it selects matching rows in the list."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tokenq.contract.names import PERSON_NAME_LENGTH
from tokenq.locale import texts
from tokenq.printable import printable
from tokenq_tui.console.search import found_elsewhere, matches
from tokenq_tui.console.state import State, is_cut
from tokenq_tui.console.widgets.waiting_list import WaitingList
from tokenq_tui.error_boundary import ErrorBoundary

_SHOWN, _LONGEST = 40, 200


class FindInput(ErrorBoundary, Input):
    """The search field."""

    def __init__(self) -> None:
        said = texts()
        super().__init__(
            max_length=PERSON_NAME_LENGTH,
            placeholder=said.gettext("number or name"),
            compact=True,
            select_on_focus=False,
        )
        # Bound here, since the footer shows them in the reader's language.
        for keys, action, description, shown in (
            ("enter", "submit", said.gettext("Keep"), "⏎"),
            ("escape", "give_up", said.gettext("Close"), "esc"),
            ("down,tab", "step(1)", said.gettext("Next match"), "↓"),
            ("up,shift+tab", "step(-1)", said.gettext("Previous"), "↑"),
        ):
            self._bindings.bind(keys, action, description, key_display=shown)

    def action_give_up(self) -> None:
        """Cancel the search."""
        self._line.close(keep=False)

    def action_step(self, by: int) -> None:
        """Select another match."""
        self._line.step(by)

    @property
    def _line(self) -> "FindLine":
        return next(node for node in self.ancestors if isinstance(node, FindLine))


class FindLine(ErrorBoundary, Vertical):
    """Visible from :meth:`open` to :meth:`close`."""

    DEFAULT_CSS = """
    FindLine { display: none; height: auto; background: $panel; padding: 0 1; }
    FindLine Horizontal { height: 1; }
    FindLine #find-sign { width: 2; color: $primary; text-style: bold; }
    FindLine FindInput { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
    FindLine #find-result { height: auto; max-height: 3; color: $quiet; }
    """

    class Closed(Message):
        """The search was closed."""

    def __init__(self, waiting: WaitingList) -> None:
        super().__init__()
        self._list = waiting
        self._before: int | None = None
        self._matches: list[int] = []
        self._state = State()

    @property
    def is_open(self) -> bool:
        """Whether a search is open."""
        return bool(self.display)

    def compose(self) -> ComposeResult:
        """Yield the prompt, the field and the result."""
        with Horizontal():
            yield Static("/", id="find-sign", markup=False)
            yield FindInput()
        yield Static("", id="find-result", markup=False)

    def open(self) -> None:
        """Start a search."""
        if not self.is_open:
            self._before = self._list.current
            self.display = True
            self._list.add_class("-finding")
            self._input.value = ""
            self._search()
        # Focus immediately, since the next key may already be queued.
        self.screen.set_focus(self._input)

    def close(self, *, keep: bool) -> None:
        """Return to the list; without ``keep``, restore the previous selection."""
        if not self.is_open:
            return
        self.display = False
        self._list.remove_class("-finding")
        if not keep and self._before is not None:
            self._list.select(self._before)
        self.screen.set_focus(self._list)
        self.post_message(self.Closed())

    def take(self, typed: str) -> None:
        """Insert a character that was delivered to another widget."""
        self.screen.set_focus(self._input)
        self._input.insert_text_at_cursor(typed)

    def list_changed(self, state: State) -> None:
        """Search again after the list has changed."""
        self._state = state
        if self.is_open:
            self._search()

    def step(self, by: int) -> None:
        """Select the match ``by`` positions further, wrapping around."""
        if self._matches:
            current = self._list.current
            place = self._matches.index(current) if current in self._matches else -1
            self._list.select(self._matches[(place + by) % len(self._matches)])
            self._say()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Select the first match."""
        event.stop()
        if self.is_open:
            self._search(from_start=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close and keep the selection; without a match, stay open so that no wrong row is used."""
        event.stop()
        if self._matches or not event.value.strip():
            self.close(keep=True)

    def _search(self, *, from_start: bool = False) -> None:
        typed = self._input.value
        self._matches = [token["tokenId"] for token in self._list.tokens if matches(typed, token)]
        if self._matches and (from_start or self._list.current not in self._matches):
            self._list.select(self._matches[0])
        self._say()

    def _say(self) -> None:
        typed, result = self._input.value.strip(), self.query_one("#find-result", Static)
        if not typed:
            result.update(Content(texts().gettext("Type a number or a name.")))
        elif self._matches:
            current = self._list.current
            place = self._matches.index(current) + 1 if current in self._matches else 1
            result.update(Content(texts().gettext("{place} of {number}", place=place, number=len(self._matches))))
        else:
            result.update(Content.styled(printable(self._none_matches(typed), _LONGEST), "$warning"))

    def _none_matches(self, typed: str) -> str:
        said, shown = texts(), printable(typed, _SHOWN)
        if places := found_elsewhere(typed, self._state):
            return said.gettext("Not in this list: {places}.", places=places)
        if is_cut(self._state):
            number = len(self._list.tokens)
            return said.gettext("Nobody among the first {number} matches '{typed}'.", number=number, typed=shown)
        return said.gettext("Nobody here matches '{typed}'.", typed=shown)

    @property
    def _input(self) -> FindInput:
        return self.query_one(FindInput)
