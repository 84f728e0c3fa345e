"""The waiting tokens, in the order of calling."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from rich.text import Text
from textual.widgets import DataTable

from tokenq.contract.enums import Priority
from tokenq.contract.views import TokenView
from tokenq.locale import texts
from tokenq.locale.words import class_word
from tokenq.printable import printable
from tokenq_tui.console.times import expected_wait, expected_wait_short, here_for
from tokenq_tui.console.widgets.row_layout import Column, RowLayout, layout_for
from tokenq_tui.error_boundary import ErrorBoundary

_SIGNS = {Priority.URGENT: " ‼", Priority.PRIORITY: " ▲"}
_MARK = "✓"


class WaitingList(ErrorBoundary, DataTable[Text]):
    """The waiting tokens as rows; the selection follows its token when the order changes."""

    DEFAULT_CSS = """
    WaitingList { height: 1fr; background: $background; overflow-x: hidden; scrollbar-size: 0 1; }
    WaitingList:focus { background-tint: $foreground 0%; }
    WaitingList > .datatable--header { background: $background; color: $quiet; text-style: none; }
    WaitingList > .datatable--cursor { background: $panel; color: $foreground; text-style: bold; }
    WaitingList:focus > .datatable--cursor, WaitingList.-finding > .datatable--cursor { background: $secondary 40%; }
    """

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False, show_row_labels=False, cell_padding=0)
        # What Enter does is an action of the screen, whose key can be changed.
        self._bindings.key_to_bindings.pop("enter", None)
        self._tokens: Sequence[TokenView] = ()
        self._rows: list[tuple[str, ...]] = []
        self._layout: RowLayout | None = None
        self._now = datetime.now().astimezone()
        self._names: Mapping[str, str] = {}
        self._marks: Collection[int] = ()

    @property
    def current(self) -> int | None:
        """The token id of the selected row."""
        return self._tokens[self.cursor_row]["tokenId"] if 0 <= self.cursor_row < len(self._tokens) else None

    @property
    def tokens(self) -> Sequence[TokenView]:
        """The tokens in the list."""
        return self._tokens

    def select(self, token_id: int) -> None:
        """Select the row of a token, if it is in the list."""
        for place, token in enumerate(self._tokens):
            if token["tokenId"] == token_id:
                self.move_cursor(row=place, animate=False)

    def show(
        self, tokens: Sequence[TokenView], now: datetime, names: Mapping[str, str], marks: Collection[int] = ()
    ) -> None:
        """Show these tokens, with the department's ``names`` of classes and with ``marks``; redraw only on a change."""
        self._now, self._names, self._marks = now, names, marks
        has_estimates = any(expected_wait(token["estimate"]) for token in tokens)
        layout = layout_for(self.size.width, has_estimates=has_estimates)
        rows = [tuple(self._cells(token, layout)) for token in tokens]
        if rows == self._rows and layout == self._layout:
            self._tokens = tokens
            return
        current, place = self.current, self.cursor_row
        self._lay_out(layout)
        for cells in rows:
            self.add_row(*(Text(cell, no_wrap=True) for cell in cells), height=layout.lines)
        self._tokens, self._rows = tokens, rows
        ids = [token["tokenId"] for token in tokens]
        place = ids.index(current) if current in ids else min(place, len(ids) - 1)
        self.move_cursor(row=max(place, 0), animate=False)

    def on_resize(self) -> None:
        """Lay the columns out for the new width, and keep the selected row in view."""
        self.show(self._tokens, self._now, self._names, self._marks)
        self.move_cursor(row=self.cursor_row, animate=False, scroll=True)

    def _lay_out(self, layout: RowLayout) -> None:
        if layout == self._layout:
            self.clear()
            return
        self.clear(columns=True)
        self._layout, self.show_header = layout, layout.lines == 1
        for column, width in layout.columns.items():
            title = layout.title(column)
            # The text of nothing is the catalogue's own head.
            self.add_column(printable(texts().gettext(title) if title else "", width - 1), width=width)

    def _cells(self, token: TokenView, layout: RowLayout) -> Iterable[str]:
        mark = _MARK if token["tokenId"] in self._marks else ""
        if layout.lines > 1:
            yield _two_lines(token, self._now, mark, layout.columns[Column.PERSON])
            return
        texts_by_column = {
            Column.PLACE: f"{mark or ' '}{token['position'] or ''}",
            Column.MARK: mark,
            Column.NUMBER: _number(token),
            Column.NAME: token["name"] or "",
            Column.CLASS: class_word(token["priority"], self._names, texts()),
            Column.HERE: here_for(token, self._now),
            Column.EXPECTED: expected_wait_short(token["estimate"]),
        }
        for column, width in layout.columns.items():
            # The last cell is the gap before the next column.
            yield printable(texts_by_column[column], width - 1)


def _number(token: TokenView) -> str:
    sign = _SIGNS.get(Priority(token["priority"]), "") if token["priority"] in set(Priority) else ""
    return printable(token["displayNumber"], 9) + sign


def _two_lines(token: TokenView, now: datetime, mark: str, width: int) -> str:
    """Return a person in two plain lines: who, and since and until when."""
    said, here, wait = texts(), here_for(token, now), expected_wait_short(token["estimate"])
    first = f"{mark or ' '} {_number(token)}  {printable(token['name'] or '', width)}"
    if wait:
        second = said.gettext("here for {time}, wait {wait}", time=here, wait=wait)
    else:
        second = said.gettext("here for {time}", time=here)
    return f"{printable(first, width)}\n{printable('    ' + second, width)}"
