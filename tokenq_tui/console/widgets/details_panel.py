"""The details of people, on wide screens: the history of who is at our counter and of the selected row; served last."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from textual.content import Content
from typing_extensions import override

from tokenq.contract.views import TokenView
from tokenq.locale import texts
from tokenq.printable import printable
from tokenq.zones import local
from tokenq_tui.console.details import Details
from tokenq_tui.console.state import State
from tokenq_tui.console.token_history import history_lines
from tokenq_tui.panel import Panel, line, padded

_LEAST = 2
"""The least lines of a section besides its title."""


class DetailsPanel(Panel):
    """Sections, each with a title, the latest first; they share the height evenly."""

    DEFAULT_CSS = """
    DetailsPanel { display: none; color: $foreground; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._state, self._details = State(), Details()
        self._row: TokenView | None = None

    def show(self, state: State, row: TokenView | None, details: Details) -> None:
        """Show the people in question."""
        self._state, self._row, self._details = state, row, details
        self.draw()

    @override
    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Yield as many sections as there is room for."""
        sections = [section for section in self._sections(width) if section]
        sections = sections[: max(height // (_LEAST + 2), 1)]
        for place, section in enumerate(sections):
            room = (height + 1) // len(sections) - 1
            # What a section does not need is not given to the others, so that they stay in their places.
            yield from section[:room]
            if place < len(sections) - 1:
                yield from [Content("")] * (room + 1 - min(room, len(section)))

    def _sections(self, width: int) -> Iterable[Sequence[Content]]:
        said = texts()
        if held := self._state.held:
            yield self._history(said.gettext("AT YOUR COUNTER"), held, width)
        if self._row:
            yield self._history(said.gettext("SELECTED"), self._row, width)
        yield self._served(width)

    def _history(self, title: str, token: TokenView, width: int) -> Sequence[Content]:
        number, name = printable(token["displayNumber"], 16), printable(token["name"] or "", width)
        head = line((f"{title}  ", "bold $secondary"), (number, "$accent"), (f"  {name}", "$quiet"))
        record = self._details.records.get(token["tokenId"])
        if record is None:
            return head, line(("…", "$quiet"))
        lines = reversed(history_lines(record, self._state.zone))
        return head, *(line((f"{time}  ", "$quiet"), (printable(words, width), "")) for time, words in lines)

    def _served(self, width: int) -> Sequence[Content]:
        if self._details.wanted.department != self._state.selected or not self._details.served:
            return ()
        rows = [self._served_line(token, width) for token in self._details.served]
        return line((texts().gettext("SERVED LAST"), "bold $secondary")), *rows

    def _served_line(self, token: TokenView, width: int) -> Content:
        served = token["servedAt"]
        time = f"{local(datetime.fromisoformat(served), self._state.zone):%H:%M}" if served else "–"
        return line(
            (f"{time}  ", "$quiet"),
            (padded(printable(token["displayNumber"], 16), 11), "$accent"),
            (printable(token["name"] or "", max(width - 18, 1)), ""),
        )
