"""Which columns the waiting list has at which width."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tokenq.locale import N_, texts
from tokenq.locale.waits import wait_short
from tokenq.printable import cells


class Column(StrEnum):
    """What a column shows. ``PERSON`` is everything about one person, in two lines."""

    PLACE = "place"
    MARK = "mark"
    NUMBER = "number"
    NAME = "name"
    CLASS = "class"
    HERE = "here"
    EXPECTED = "expected"
    PERSON = "person"


_TITLES = {
    Column.PLACE: " #",
    Column.NUMBER: N_("Number"),
    Column.NAME: N_("Name"),
    Column.CLASS: N_("Class"),
    Column.HERE: N_("Here for"),
    Column.EXPECTED: N_("Wait"),
}
_SHORT_TITLES = {Column.HERE: N_("Here")}
_WIDE = {Column.PLACE: 5, Column.NUMBER: 12, Column.CLASS: 10, Column.HERE: 9, Column.EXPECTED: 10}
_NARROW = {Column.MARK: 2, Column.NUMBER: 10, Column.HERE: 7, Column.EXPECTED: 10}
_LEAST_WIDE, _LEAST = 62, 40
_SCROLLBAR = 1


@dataclass(frozen=True)
class RowLayout:
    """The columns with their widths, each with a gap of one cell, and the lines of a row."""

    columns: Mapping[Column, int]
    lines: int = 1

    def title(self, column: Column) -> str:
        """The title of a column, not yet translated."""
        if Column.MARK in self.columns and column in _SHORT_TITLES:
            return _SHORT_TITLES[column]
        return _TITLES.get(column, "")


def layout_for(width: int, *, has_estimates: bool) -> RowLayout:
    """Return the columns that fit into ``width``; the name takes what is left."""
    room = width - _SCROLLBAR
    if width < _LEAST:
        return RowLayout({Column.PERSON: max(room, 1)}, lines=2)
    others = dict(_WIDE if width >= _LEAST_WIDE else _NARROW)
    others[Column.EXPECTED] = max(others[Column.EXPECTED], _widest_wait() + 1)
    if not has_estimates:
        del others[Column.EXPECTED]
    widths = {**others, Column.NAME: room - sum(others.values())}
    return RowLayout({column: widths[column] for column in Column if column in widths})


def _widest_wait() -> int:
    """Return how wide a wait may be in the reader's language: a cut one would have no unit."""
    return max(cells(wait_short(low, high, texts())) for low, high in ((20, 70), (30, 150)))
