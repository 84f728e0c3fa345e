"""One department: its name, how many wait, and who is at which counter now."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from tokenq.board.picture import Call, DepartmentPicture
from tokenq.contract.enums import TokenState
from tokenq.printable import cells, printable
from tokenq_tui.bigtext import big
from tokenq_tui.board.tile import carrying
from tokenq_tui.board.widgets.banner import name_of
from tokenq_tui.board.wording import Wording
from tokenq_tui.panel import Part, line, padded, spread

BIG_HEADS = (9, 5)
"""Rows of a head with its count in big letters, and its name above."""
_LARGE, _GAP = 4, 3
_NUMBER, _COUNTER = 14, 20


@dataclass(frozen=True, slots=True)
class Card:
    """A department and the words for it."""

    department: DepartmentPicture
    say: Wording

    @property
    def rows_below(self) -> int:
        """The rows below its head: who is at a counter, and notes."""
        return len(self.department.at_counters) + len(self._notes(10_000)) + bool(self.department.hours)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits and nobody is at a counter."""
        return not self.department.waiting and not self.department.at_counters

    @property
    def name(self) -> str:
        """Its name, whole."""
        return name_of(self.department, self.department.department_id, self.say)

    def full(self, width: int, head: int, rows: int, *, is_worded: bool) -> list[Content]:
        """Name, count, notes, today's hours and counters, in exactly so many rows."""
        lines = self._big_head(width, head) if head > 1 else [self.head(width, is_worded=is_worded)]
        lines += [line(note) for note in self._notes(width) if rows > head]
        hours = ", ".join(self.department.hours or ())
        seats = self.department.at_counters
        if hours and not self.department.is_closed and len(lines) + len(seats) < rows:
            lines.append(line((self.say.data(self.say.gettext("Today {hours}", hours=hours), width), "$quiet")))
        lines = [*lines, *self._seats(seats, width, max(rows - len(lines), 0))][:rows]
        return [filled(content, width) for content in [*lines, *[Content("")] * (rows - len(lines))]]

    def large(self, width: int) -> list[Content] | None:
        """Name and count in big letters, and below who is at a counter; ``None`` if there is no room."""
        count = big(str(self.department.waiting), width, _LARGE)
        name = big(self.name, width - len(count[0]) - _GAP, _LARGE) if count else None
        if name is None or count is None:
            return None
        between = " " * (width - len(name[0]) - len(count[0]))
        rows = zip(name, count, strict=True)
        return [
            *(line((a + between, "$foreground"), (b, "$accent")) for a, b in rows),
            self.in_a_row(width),
            Content(""),
        ]

    def has_room_for_word(self, width: int) -> bool:
        """Whether the word behind the count fits beside the whole name."""
        return cells(self.name) + 1 + cells(self.waiting_word) + len(str(self.department.waiting)) < width

    def head(self, width: int, *, is_worded: bool) -> Content:
        """Name and count in one line; without the word behind the count unless it ``is_worded``."""
        count = f"{self.department.waiting}"
        label = f" {self.waiting_word}" if is_worded else ""
        name = (printable(self.name, max(width - len(count) - cells(label) - 1, 4)), "bold $foreground")
        return spread(width, [name], [(count, "bold $accent"), (label, "$quiet")])

    @property
    def waiting_word(self) -> str:
        """What stands behind the count."""
        return self.say.gettext("waiting")

    def in_a_row(self, width: int) -> Content:
        """One line below the head: closed, or who is at a counter and the paused counters."""
        notes = self._notes(width)
        if self.department.is_closed:
            return line(notes[0])
        aside = [notes[0]] if notes and cells(notes[0][0]) * 2 < width else []
        room = width - sum(cells(text) + 2 for text, _ in aside)
        parts: list[Part] = []
        taken = 0
        for call in self.department.at_counters:
            part = self._seat(call)
            size = sum(cells(text) for text, _ in part) + (3 if parts else 0)
            if taken + size > room:
                break
            parts += [("   ", "")] if parts else []
            parts += part
            taken += size
        return spread(width, parts, aside) if aside else line(*parts) if parts else line(*notes[:1])

    def short(self, width: int) -> Content:
        """One line for everything."""
        seats = self.department.at_counters
        count = f"{self.department.waiting:>4}"
        aside = f"{self.say.gettext('Closed')}  " if self.department.is_closed else ""
        newest = self._seat(seats[0]) if seats else []
        needed = sum(cells(text) for text, _ in newest) + len(count) + cells(aside) + 3
        if width - needed < min(cells(self.name), width // 3):
            newest, needed = [], len(count) + cells(aside) + 3
        name = (padded(self.name, max(min(width - needed, cells(self.name)), 4)) + "  ", "bold $foreground")
        return spread(width, [name, *newest], [(aside, "$warning"), (count, "bold $accent")])

    def _big_head(self, width: int, head: int) -> list[Content]:
        drawn = big(str(self.department.waiting), max(width - cells(self.waiting_word) - 2, 1), head - 1) or (
            str(self.department.waiting),
        )
        beside = [""] * (len(drawn) - 1) + [f"  {self.waiting_word}"]
        name = line((carrying(self.name, width), "bold $foreground"))
        rows = [line((row, "$accent"), (word, "$quiet")) for row, word in zip(drawn, beside, strict=True)]
        return [name, *rows, *[Content("")] * (head - 1 - len(rows))]

    def _notes(self, width: int) -> list[Part]:
        """Closed, with today's hours; paused counters; numbers that expired when the day began."""
        notes = []
        say, department = self.say, self.department
        if department.is_closed:
            hours = ", ".join(department.hours or ())
            long = say.gettext("Closed, today {hours}", hours=hours)
            short = say.gettext("Closed · {hours}", hours=hours)
            notes.append(say.gettext("Closed") if not hours else long if cells(long) <= width else short)
        if department.paused:
            counters = [say.counter(counter, department.counter_words) for counter in department.paused]
            notes.append(say.gettext("Paused: {counters}", counters=", ".join(counters)))
        if department.expired:
            long = say.gettext("{number} of yesterday's numbers expired", number=department.expired)
            short = say.gettext("{number} expired", number=department.expired)
            notes.append(long if cells(long) <= width else short)
        return [(printable(note, width), "$warning") for note in notes]

    def _seats(self, calls: Sequence[Call], width: int, room: int) -> list[Content]:
        shown = [line(*self._seat(call)) for call in calls[:room]]
        if len(calls) > room > 0:
            shown[-1] = spread(width, self._seat(calls[room - 1]), [(f"+{len(calls) - room}", "$quiet")])
        return shown

    def _seat(self, call: Call) -> list[Part]:
        number = self.say.data(call.number.strip(), _NUMBER)
        counter = printable(self.say.counter(call.counter, self.department.counter_words), _COUNTER)
        style = "bold $primary" if call.state is TokenState.CALLED else "$foreground"
        return [(padded(number, max(cells(number), 7)), style), ("  ", ""), (counter, style)]


def filled(content: Content, width: int) -> Content:
    """Return a line of exactly so many columns."""
    content = content.truncate(width, ellipsis=True)
    return content.pad_right(max(width - content.cell_length, 0))
