"""The departments: how many are waiting, and which number is at which counter."""

from collections.abc import Iterable, Sequence

from textual.content import Content

from tokenq.board.picture import Picture
from tokenq.printable import cells, printable
from tokenq_tui.board.widgets.cards import BIG_HEADS, Card, filled
from tokenq_tui.board.wording import Wording
from tokenq_tui.panel import Panel, line, spread

_CARD, _ROW = 26, 38
_GUTTER = 3
_MOST_SEATS = 8

Band = Sequence[Card]
"""Departments side by side."""


class Departments(Panel):
    """One card per department; if there are too many, two lines or one per department, on rotating pages."""

    DEFAULT_CSS = """
    Departments { padding: 0 2; border-left: solid $line; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._cards: Sequence[Card] = ()
        self._turn = 0
        self._warnings: Sequence[str] = ()
        self._say = Wording()

    def show(self, picture: Picture, turn: int, say: Wording) -> None:
        """Show the departments and warnings; the counter ``turn`` selects the page."""
        cards, warnings = tuple(Card(each, say) for each in picture.departments), _warnings(picture, say)
        if (cards, turn, warnings, say) != (self._cards, self._turn, self._warnings, self._say):
            self._cards, self._turn, self._warnings, self._say = cards, turn, warnings, say
            self.draw()

    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Return a title and cards or lines; if space is short, idle departments share the last line."""
        below = [line((printable(warning, width), "$warning")) for warning in self._warnings]
        room = height - len(below)
        shown = self._fitting(self._cards, width, room)
        idle = [] if shown else [card for card in self._cards if card.is_idle]
        if idle:
            below.insert(0, line((_names(idle, width, self._say), "$quiet")))
            busy = [card for card in self._cards if not card.is_idle]
            shown = self._fitting(busy, width, room - 1) or self._page(busy, width, room - 1)
        shown = shown or self._page(self._cards, width, room)
        return [*shown, *[Content("")] * (height - len(shown) - len(below)), *below] if below else shown

    def _title(self) -> Content:
        return line((self._say.title("Waiting"), "bold $secondary"))

    def _page(self, cards: Band, width: int, height: int) -> list[Content]:
        """One line per department; all pages have about as many."""
        columns = _columns(width, _ROW, len(cards))
        pages = max(-(-len(cards) // (columns * max(height - 1, 1))), 1)
        page = self._turn % pages
        first, last = len(cards) * page // pages, len(cards) * (page + 1) // pages
        shown = cards[first:last]
        row_width = (width - _GUTTER * (columns - 1)) // columns
        of = f"{page + 1}/{pages}" if pages > 1 else ""
        rows = [spread(width, [(self._say.title("Waiting"), "bold $secondary")], [(of, "$quiet")])]
        for at in range(0, len(shown), columns):
            rows.append(Content(" " * _GUTTER).join([each.short(row_width) for each in shown[at : at + columns]]))
        return rows

    def _fitting(self, cards: Band, width: int, height: int) -> list[Content]:
        """Return cards, or two lines each, as large as possible; empty if they do not fit."""
        columns = _columns(width, _CARD, len(cards))
        bands = [cards[at : at + columns] for at in range(0, len(cards), columns)]
        if not bands:
            return [self._title(), line((self._say.gettext("No numbers yet"), "$quiet"))]
        if large := _large(cards, width, height - 1):
            return [self._title(), *large]
        for head in (*BIG_HEADS, 1):
            natural = [head + min(max(card.rows_below for card in band), _MOST_SEATS) for band in bands]
            if sum(natural) + len(natural) < height:
                return self._full(bands, natural, head, width)
        share = (height - 1) // len(bands) - 1
        if share >= 2:
            return self._full(bands, _share_rows(natural, share, height - 1), 1, width)
        return self._pairs(bands, width) if len(bands) * 2 < height else []

    def _full(self, bands: Sequence[Band], rows: Sequence[int], head: int, width: int) -> list[Content]:
        columns = max(map(len, bands))
        card_width = (width - _GUTTER * (columns - 1)) // columns
        is_worded = _are_worded(bands, card_width)
        lines = [self._title()]
        for band, height in zip(bands, rows, strict=True):
            cards = [card.full(card_width, head, height, is_worded=is_worded) for card in band]
            lines += [Content(" " * _GUTTER).join(row) for row in zip(*cards, strict=True)]
            lines.append(Content(""))
        return lines

    def _pairs(self, bands: Sequence[Band], width: int) -> list[Content]:
        columns = max(map(len, bands))
        card_width = (width - _GUTTER * (columns - 1)) // columns
        is_worded = _are_worded(bands, card_width)
        lines = [self._title()]
        for band in bands:
            pairs = [(card.head(card_width, is_worded=is_worded), card.in_a_row(card_width)) for card in band]
            lines += [
                Content(" " * _GUTTER).join([filled(content, card_width) for content in row])
                for row in zip(*pairs, strict=True)
            ]
        return lines


def _are_worded(bands: Sequence[Band], width: int) -> bool:
    """Whether all counts have their word: either all of them, or none."""
    return all(card.has_room_for_word(width) for band in bands for card in band)


def _large(cards: Band, width: int, height: int) -> list[Content]:
    """All departments below each other, with names in big letters; empty if they do not fit."""
    drawn = [card.large(width) for card in cards]
    lines = [row for rows in drawn for row in rows or ()]
    return lines if all(drawn) and len(lines) <= height else []


def _names(cards: Band, width: int, say: Wording) -> str:
    """Name the departments without customers, as many as fit."""
    names = [card.name for card in cards]
    text = say.gettext("Nobody waits: {departments}", departments=", ".join(names))
    while cells(text) > width and len(names) > 1:
        names.pop()
        told = f"{', '.join(names)} +{len(cards) - len(names)}"
        text = say.gettext("Nobody waits: {departments}", departments=told)
    return printable(text, width)


def _warnings(picture: Picture, say: Wording) -> list[str]:
    """Requested departments without any events, and unknown event types."""
    missing = [say.gettext("No data for {departments}.", departments=few(picture.unknown))] if picture.unknown else []
    odd = picture.unknown_events
    return missing + ([say.gettext("Unknown event {events}.", events=few(odd))] if odd else [])


def few(names: Sequence[str]) -> str:
    """Name the first of several."""
    return ", ".join(names[:3]) + (f" +{len(names) - 3}" if len(names) > 3 else "")


def _share_rows(natural: Sequence[int], share: int, height: int) -> list[int]:
    """Return the rows of each band: its share, plus what others leave over, from the top."""
    rows = [min(needed, share) for needed in natural]
    spare = height - sum(rows) - len(rows)
    for index, needed in enumerate(natural):
        more = max(min(needed - rows[index], spare), 0)
        rows[index] += more
        spare -= more
    return rows


def _columns(width: int, needed: int, count: int) -> int:
    """How many stand side by side: as many as fit, but bands of about one length."""
    most = max(1, min((width + _GUTTER) // (needed + _GUTTER), count))
    return -(-count // -(-count // most)) if count else 1
