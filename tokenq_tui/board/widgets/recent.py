"""The last calls: when, which number, to which counter; in letters as large as the columns allow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from textual.content import Content

from tokenq.board.picture import Call, Picture
from tokenq.contract.enums import AT_COUNTER
from tokenq.printable import cells
from tokenq.zones import local
from tokenq_tui.bigtext import HEIGHT, big
from tokenq_tui.board.widgets.banner import name_of
from tokenq_tui.board.wording import Wording
from tokenq_tui.panel import Panel, Part, line, padded


class _Look(Enum):
    """A text in big letters, in plain ones, or its last part big behind the plain rest."""

    BIG = "big"
    PLAIN = "plain"
    SPLIT = "split"


_GAP = 3
_LEAST_BIG = 3
"""Fewer calls than that are not worth larger letters."""
_LARGEST = 3
_COLUMNS = ((_Look.BIG,) * 3, (_Look.PLAIN, _Look.BIG, _Look.BIG), (_Look.PLAIN, _Look.BIG, _Look.SPLIT))
"""How time, number and counter look, from the best on."""
_NUMBER, _COUNTER = 14, 24
_TIME = 5


@dataclass(frozen=True, slots=True)
class _Row:
    time: str
    number: str
    counter: str
    department: str
    is_over: bool


class Recent(Panel):
    """Lists calls, newest first; finished ones are dimmed."""

    DEFAULT_CSS = """
    Recent { padding: 0 2; color: $foreground; }
    """

    def __init__(self, most: int) -> None:
        super().__init__(markup=False)
        self._most = most
        self._rows: Sequence[_Row] = ()
        self._title = self._none = ""

    def show(self, calls: Sequence[Call], picture: Picture, zone: str, say: Wording) -> None:
        """List these calls, with times in a time zone."""
        rows = tuple(_row_of(call, picture, zone, say) for call in calls[: self._most])
        shown = (rows, say.title("Last calls"), say.gettext("None yet"))
        if shown != (self._rows, self._title, self._none):
            self._rows, self._title, self._none = shown
            self.draw()

    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Yield a title and as many calls as fit."""
        yield line((self._title, "bold $secondary"))
        if not self._rows:
            yield line((self._none, "$quiet"))
        elif height > 1:
            yield from _table(self._rows, width, height - 1)


def _row_of(call: Call, picture: Picture, zone: str, say: Wording) -> _Row:
    department = picture.department(call.department_id)
    return _Row(
        f"{local(call.at, zone):%H:%M}",
        say.data(call.number.strip(), _NUMBER),
        say.data(say.counter(call.counter, department.counter_words if department else {}), _COUNTER),
        name_of(department, call.department_id, say),
        call.state not in AT_COUNTER,
    )


def _table(rows: Sequence[_Row], width: int, height: int) -> list[Content]:
    """The largest letters that leave room for some calls, in the same columns for all."""
    wanted = min(len(rows), _LEAST_BIG)
    for looks in _COLUMNS:
        for scale in range(_LARGEST, 0, -1):
            shown = rows[: height // _tall(scale)]
            drawn = _big_table(shown, width, scale, looks) if len(shown) >= wanted else None
            if drawn:
                return drawn
    return [_plain_row(row, rows, width) for row in rows[:height]]


def _tall(scale: int) -> int:
    """Rows of one call: its letters, and at least half a row between two of them."""
    return scale * HEIGHT // 2 + 1


def _big_table(rows: Sequence[_Row], width: int, scale: int, looks: Sequence[_Look]) -> list[Content] | None:
    """The calls in letters of a scale; ``None`` where there is no room for that."""
    table = [[_cell(part, look, scale) for part, look in zip(_styled(row), looks, strict=True)] for row in rows]
    if not all(map(all, table)):
        return None
    widths = [max(each[0].cell_length for each in column if each) for column in zip(*table, strict=True)]
    if sum(widths) + _GAP * (len(widths) - 1) > width:
        return None
    return [_joined(row, widths, place) for row in table for place in range(_tall(scale))]


def _joined(row: Sequence[list[Content] | None], widths: Sequence[int], place: int) -> Content:
    cells_ = [(cell[place], wide) for cell, wide in zip(row, widths, strict=True) if cell]
    return Content(" " * _GAP).join([content.pad_right(wide - content.cell_length) for content, wide in cells_])


def _styled(row: _Row) -> Sequence[Part]:
    over = row.is_over
    return (
        (row.time, "$quiet"),
        (row.number, "$quiet" if over else "bold $primary"),
        (row.counter, "$quiet" if over else "bold $accent"),
    )


def _cell(part: Part, look: _Look, scale: int) -> list[Content] | None:
    """A text as lines of equal width; ``None`` if it cannot be drawn."""
    text, style = part
    plain, _, last = text.rpartition(" ") if look is _Look.SPLIT else (text, "", "")
    letters = text if look is _Look.BIG else last
    rows = big(letters, 10_000, _tall(scale)) if letters else ("",)
    if rows is None:
        return None
    plain = "" if look is _Look.BIG else f"{plain} " if last else plain
    before = cells(plain)
    left = [plain if place == max(_tall(scale) // 2 - 1, 0) else "" for place in range(_tall(scale))]
    right = [*rows, *[""] * (_tall(scale) - len(rows))]
    wide = len(rows[0])
    pairs = zip(left, right, strict=True)
    return [line((a + " " * (before - cells(a)) + b + " " * (wide - len(b)), style)) for a, b in pairs]


def _plain_row(row: _Row, rows: Sequence[_Row], width: int) -> Content:
    """One line: the time, number and counter in columns, the department where there is room for it."""
    (_, _), (_, style), (_, counter_style) = _styled(row)
    numbers, counters = max(cells(each.number) for each in rows), max(cells(each.counter) for each in rows)
    left = max(width - _TIME - numbers - counters - 3 * _GAP, 0)
    department = row.department if cells(row.department) <= left else ""
    return line(
        (row.time + " " * _GAP, "$quiet"),
        (padded(row.number, numbers) + " " * _GAP, style),
        (padded(row.counter, counters) if department else row.counter, counter_style),
        (" " * _GAP + department if department else "", "$quiet"),
    )
