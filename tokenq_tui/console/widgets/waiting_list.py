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
        is_wide = self.size.width >= _WIDE
        self._names = names
        rows = [_cells(token, now, names, is_wide) for token in tokens]
        if rows == self._shown and self.size.width == self._laid_out_for:
            self._tokens = tokens
            return
        marked, place = self.marked, self.cursor_row
        self._lay_out(is_wide)
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

    def _lay_out(self, is_wide: bool) -> None:
        if self._laid_out_for == self.size.width:
            self.clear()
            return
        self.clear(columns=True)
        self._laid_out_for = self.size.width
        room = max(self.size.width - (_WIDE_FIXED if is_wide else _NARROW_FIXED), 4)
        self.add_column("#", width=3)
        self.add_column("Number", width=11)
        self.add_column("Name", width=room)
        if is_wide:
            self.add_column("Class", width=9)
        self.add_column("Waits", width=7)


def _cells(token: TokenView, now: datetime, names: Mapping[str, str], is_wide: bool) -> tuple[str, ...]:
    sign = _SIGNS.get(Priority(token["priority"]), "") if token["priority"] in set(Priority) else ""
    number = printable(token["displayNumber"], 9) + sign
    name = printable(token["name"] or "", 60)
    priority = (printable(names.get(token["priority"], token["priority"]), 9),) if is_wide else ()
    return (str(token["position"] or ""), number, name, *priority, waited_for(token, now))
