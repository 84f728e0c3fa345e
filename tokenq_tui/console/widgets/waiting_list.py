"""The waiting tokens, in the order of calling."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.text import Text
from textual.widgets import DataTable

from tokenq.contract.enums import Priority
from tokenq.contract.views import TokenView
from tokenq.printable import printable
from tokenq_tui.console.state import waited_for
from tokenq_tui.error_boundary import ErrorBoundary

_WIDE = 60
_SIGNS = {Priority.URGENT: " ‼", Priority.PRIORITY: " ▲"}
_NARROW_FIXED, _WIDE_FIXED = 31, 42
_TIGHT, _TIGHT_FIXED = 36, 16
"""Below ``_TIGHT`` columns a row is the number and the name."""


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
        super().__init__(cursor_type="row", zebra_stripes=False, show_row_labels=False)
        self._tokens: Sequence[TokenView] = ()
        self._shown: list[tuple[str, ...]] = []
        self._laid_out_for = 0
        self._names: Mapping[str, str] = {}

    @property
    def marked(self) -> int | None:
        """The token id of the selected row."""
        return self._tokens[self.cursor_row]["tokenId"] if 0 <= self.cursor_row < len(self._tokens) else None

    @property
    def tokens(self) -> Sequence[TokenView]:
        """The tokens in the list."""
        return self._tokens

    def mark(self, token_id: int) -> None:
        """Select the row of a token, if it is in the list."""
        for place, token in enumerate(self._tokens):
            if token["tokenId"] == token_id:
                self.move_cursor(row=place, animate=False)

    def show(self, tokens: Sequence[TokenView], now: datetime, names: Mapping[str, str]) -> None:
        """Show these tokens, with the department's ``names`` of classes; redraw only on a change."""
        self._names = names
        columns = _columns(self.size.width)
        rows = [_cells(token, now, names, columns) for token in tokens]
        if rows == self._shown and self.size.width == self._laid_out_for:
            self._tokens = tokens
            return
        marked, place = self.marked, self.cursor_row
        self._lay_out(columns)
        for cells in rows:
            self.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in cells))
        self._tokens, self._shown = tokens, rows
        ids = [token["tokenId"] for token in tokens]
        place = ids.index(marked) if marked in ids else min(place, len(ids) - 1)
        self.move_cursor(row=max(place, 0), animate=False)

    def on_resize(self) -> None:
        """Lay the columns out for the new width, and keep the selected row in view."""
        self.show(self._tokens, datetime.now().astimezone(), self._names)
        self.move_cursor(row=self.cursor_row, animate=False, scroll=True)

    def _lay_out(self, columns: Mapping[str, int]) -> None:
        if self._laid_out_for == self.size.width:
            self.clear()
            return
        self.clear(columns=True)
        self._laid_out_for = self.size.width
        for title, width in columns.items():
            self.add_column(title, width=width)


def _columns(width: int) -> dict[str, int]:
    """Return the columns that fit into a list of this width, and their widths; the name takes what is left."""
    if width < _TIGHT:
        return {"Number": 11, "Name": max(width - _TIGHT_FIXED, 4)}
    fixed = _WIDE_FIXED if width >= _WIDE else _NARROW_FIXED
    columns = {"#": 3, "Number": 11, "Name": max(width - fixed, 4), "Class": 9, "Waits": 7}
    return columns if width >= _WIDE else {title: each for title, each in columns.items() if title != "Class"}


def _cells(token: TokenView, now: datetime, names: Mapping[str, str], columns: Mapping[str, int]) -> tuple[str, ...]:
    sign = _SIGNS.get(Priority(token["priority"]), "") if token["priority"] in set(Priority) else ""
    number = printable(token["displayNumber"], 9) + sign
    name = printable(token["name"] or "", 60)
    texts = {
        "#": str(token["position"] or ""),
        "Number": number,
        "Name": name,
        "Class": printable(names.get(token["priority"], token["priority"]), 9),
        "Waits": waited_for(token, now),
    }
    return tuple(texts[title] for title in columns)
