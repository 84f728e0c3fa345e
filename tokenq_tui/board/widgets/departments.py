"""The departments: how many are waiting, and which number is at which counter."""

import textwrap
from collections.abc import Iterable, Sequence

from textual.content import Content

from tokenq.board.picture import Call, DepartmentPicture, Picture
from tokenq.contract.enums import TokenState
from tokenq.printable import cells, printable
from tokenq_tui.bigtext import big
from tokenq_tui.panel import Panel, Part, line, padded, spread

_CARD, _ROW = 26, 38
_GUTTER = 3
_MOST_SEATS = 8
_BIG_HEAD = 5
_NUMBER, _COUNTER = 14, 16

Band = Sequence[DepartmentPicture]
"""Departments side by side."""


class Departments(Panel):
    """One card per department; if there are too many, two lines or one per department, on rotating pages."""

    DEFAULT_CSS = """
    Departments { padding: 0 2; border-left: solid $line; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._departments: Sequence[DepartmentPicture] = ()
        self._turn = 0
        self._warnings: Sequence[str] = ()
        self._doubts: Sequence[str] = ()

    def show(self, picture: Picture, turn: int) -> None:
        """Show the departments and warnings; the counter ``turn`` selects the page."""
        warnings, doubts = _warnings(picture), _doubts(picture)
        shown = (picture.departments, turn, warnings, doubts)
        if shown != (self._departments, self._turn, self._warnings, self._doubts):
            self._departments, self._turn, self._warnings, self._doubts = shown
            self.draw()

    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Return a title and cards or lines; if space is short, idle departments share the last line."""
        doubts = [part for text in self._doubts for part in textwrap.wrap(text, max(width, 1))]
        below = [line((printable(warning, width), "$warning")) for warning in (*doubts, *self._warnings)]
        room = height - len(below)
        shown = _fitting(self._departments, width, room)
        idle = [] if shown else [department for department in self._departments if _is_idle(department)]
        if idle:
            below.insert(0, _idle_line(idle, width))
            busy = [department for department in self._departments if not _is_idle(department)]
            shown = _fitting(busy, width, room - 1) or list(self._page(busy, width, room - 1))
        shown = shown or list(self._page(self._departments, width, room))
        return [*shown, *[Content("")] * (height - len(shown) - len(below)), *below] if below else shown

    def _page(self, departments: Band, width: int, height: int) -> Iterable[Content]:
        columns = _columns(width, _ROW, len(departments))
        per_page = columns * max(height - 1, 1)
        pages = max(-(-len(departments) // per_page), 1)
        page = self._turn % pages
        shown = departments[page * per_page : (page + 1) * per_page]
        row_width = (width - _GUTTER * (columns - 1)) // columns
        yield spread(width, [("WAITING", "bold $secondary")], [(f"{page + 1}/{pages}" if pages > 1 else "", "$quiet")])
        for at in range(0, len(shown), columns):
            yield Content(" " * _GUTTER).join([_short(each, row_width) for each in shown[at : at + columns]])


def _fitting(departments: Band, width: int, height: int) -> list[Content]:
    """Return cards, or two lines each, as large as possible; empty if they do not fit."""
    columns = _columns(width, _CARD, len(departments))
    bands = [departments[at : at + columns] for at in range(0, len(departments), columns)]
    for head in (_BIG_HEAD, 1):
        natural = [head + min(max(map(_rows_needed, band)), _MOST_SEATS) for band in bands]
        if sum(natural) + len(natural) < height:
            return list(_cards(bands, natural, head, width))
    share = (height - 1) // len(bands) - 1
    if share >= 2:
        return list(_cards(bands, _share_rows(natural, share, height - 1), 1, width))
    return list(_pairs(bands, width)) if len(bands) * 2 < height else []


def _is_idle(department: DepartmentPicture) -> bool:
    return not department.waiting and not department.at_counters


def _idle_line(departments: Band, width: int) -> Content:
    """Name the departments without customers, as many as fit."""
    names = [printable(department.department_id) for department in departments]
    text = f"empty: {' '.join(names)}"
    while len(text) > width and len(names) > 1:
        names.pop()
        text = f"empty: {' '.join(names)} +{len(departments) - len(names)}"
    return line((text, "$quiet"))


def _warnings(picture: Picture) -> list[str]:
    """Requested departments without any events, and unknown event types."""
    missing = [f"No data for {_few(picture.unknown)}."] if picture.unknown else []
    return missing + ([f"Unknown event {_few(picture.unknown_events)}."] if picture.unknown_events else [])


def _doubts(picture: Picture) -> list[str]:
    """Departments of which calls may be missing, as a sentence to whoever waits for one."""
    few = _few(picture.doubtful)
    return [f"Some calls of {few} may be missing. Please ask at the front desk."] if few else []


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _share_rows(natural: Sequence[int], share: int, height: int) -> list[int]:
    """Return the rows of each band: its share, plus what others leave over, from the top."""
    rows = [min(needed, share) for needed in natural]
    spare = height - sum(rows) - len(rows)
    for index, needed in enumerate(natural):
        more = max(min(needed - rows[index], spare), 0)
        rows[index] += more
        spare -= more
    return rows


def _rows_needed(department: DepartmentPicture) -> int:
    """Return the rows below the head: recent calls and notes."""
    return len(department.recent) + department.is_closed + bool(department.paused) + bool(department.expired)


def _columns(width: int, needed: int, count: int) -> int:
    return max(1, min((width + _GUTTER) // (needed + _GUTTER), count))


def _pairs(bands: Sequence[Band], width: int) -> Iterable[Content]:
    yield line(("WAITING", "bold $secondary"))
    columns = max((len(band) for band in bands), default=1)
    card_width = (width - _GUTTER * (columns - 1)) // columns
    for band in bands:
        pairs = [(_head(department, card_width), _in_a_row(department, card_width)) for department in band]
        for row in zip(*pairs, strict=True):
            yield Content(" " * _GUTTER).join([_fill_right(content, card_width) for content in row])


def _cards(bands: Sequence[Band], rows: Sequence[int], head: int, width: int) -> Iterable[Content]:
    yield line(("WAITING", "bold $secondary"))
    if not bands:
        yield line(("no numbers yet", "$quiet"))
    if head > 1:
        yield Content("")
    columns = max((len(band) for band in bands), default=1)
    card_width = (width - _GUTTER * (columns - 1)) // columns
    for band, height in zip(bands, rows, strict=True):
        cards = [_card(department, card_width, head, height) for department in band]
        for row in zip(*cards, strict=True):
            yield Content(" " * _GUTTER).join(row)
        yield Content("")


def _card(department: DepartmentPicture, width: int, head: int, rows: int) -> list[Content]:
    seats = department.recent
    head_lines = _big_head(department, width) if head > 1 else [_head(department, width)]
    head_lines += [line(note) for note in _notes(department, width) if rows > head]
    if head > 1 and department.hours and not department.is_closed:
        head_lines.append(line((printable(f"today {', '.join(department.hours)}", width), "$quiet")))
    room = max(rows - len(head_lines), 0)
    shown = [_seat(call, width, 0) for call in seats[:room]]
    if len(seats) > room > 0:
        shown[-1] = _seat(seats[room - 1], width, len(seats) - room)
    lines = [*head_lines, *shown][:rows]
    return [_fill_right(content, width) for content in [*lines, *[Content("")] * (rows - len(lines))]]


def _notes(department: DepartmentPicture, width: int) -> list[Part]:
    """Closed, with today's hours; paused counters; numbers that expired when the day began."""
    notes = []
    if department.is_closed:
        hours = ", ".join(department.hours or ())
        long = f"closed, today {hours}"
        notes.append("closed" if not hours else long if len(long) <= width else f"closed · {hours}")
    if department.paused:
        notes.append(f"paused: {', '.join(department.paused)}")
    if department.expired:
        long = f"{department.expired} of yesterday's numbers expired"
        notes.append(long if len(long) <= width else f"{department.expired} expired")
    return [(printable(note, width), "$warning") for note in notes]


def _in_a_row(department: DepartmentPicture, width: int) -> Content:
    """One line: closed, or the last calls and the paused counters."""
    notes = _notes(department, width)
    if department.is_closed:
        return line(notes[0])
    aside = [notes[0]] if notes and cells(notes[0][0]) * 2 < width else []
    room = width - sum(cells(text) + 2 for text, _ in aside)
    shown: list[Part] = []
    for call in department.recent:
        parts = [(text.strip() if text != " → " else text, style) for text, style in _parts(call)]
        room -= sum(cells(text) for text, _ in parts) + 2
        if room < 0:
            break
        shown += [*parts, ("  ", "")]
    return spread(width, shown, aside)


def _name(department: DepartmentPicture, width: int) -> str:
    """The department's name if it fits, else its id."""
    name = printable(department.name)
    return name if name and cells(name) <= width else printable(department.department_id)


def _head(department: DepartmentPicture, width: int) -> Content:
    count = f"{department.waiting}"
    name = (_name(department, width - len(count) - 10), "bold $foreground")
    return spread(width, [name], [(count, "bold $accent"), (" waiting", "$quiet")])


def _big_head(department: DepartmentPicture, width: int) -> list[Content]:
    count = str(department.waiting)
    drawn = big(count, width - 10, _BIG_HEAD - 1) or (count,)
    beside = [(printable(department.department_id), "bold $foreground"), ("waiting", "$quiet")]
    rows = _BIG_HEAD - 1
    beside += [("", "")] * (rows - len(beside))
    drawn += ("",) * (rows - len(drawn))
    numbers = [
        line((padded(text, 10), style), (row, "$accent")) for (text, style), row in zip(beside, drawn, strict=True)
    ]
    return [*numbers, line((printable(department.name, width), "$secondary"))]


def _short(department: DepartmentPicture, width: int) -> Content:
    seats = department.at_counters
    name = (padded(printable(department.department_id), 9), "bold $foreground")
    newest = _parts(seats[0]) if seats else []
    more = (f"+{len(seats) - 1}  " if len(seats) > 1 else "", "$quiet")
    aside = ("closed  ", "$warning") if department.is_closed else more
    return spread(width, [name, *newest], [aside, (f"{department.waiting:>4}", "bold $accent")])


def _seat(call: Call, width: int, more: int) -> Content:
    return spread(width, _parts(call), [(f"+{more}", "$quiet")] if more else [])


def _parts(call: Call) -> list[Part]:
    number, counter = printable(call.number.strip(), _NUMBER), printable(call.counter.strip(), _COUNTER)
    style = {TokenState.CALLED: "$primary", TokenState.SERVING: "$foreground"}.get(call.state, "$quiet")
    return [(padded(number, max(cells(number), 7)), style), (" → ", "$quiet"), (counter, style)]


def _fill_right(content: Content, width: int) -> Content:
    return Content.assemble(content, " " * max(width - content.cell_length, 0))
