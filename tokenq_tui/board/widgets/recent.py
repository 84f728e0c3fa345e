"""The calls before the latest one: the first of them big if there is room, the others in rows."""

from collections.abc import Iterable, Sequence

from textual.content import Content

from tokenq.board.picture import Call
from tokenq.contract.enums import AT_COUNTER
from tokenq.printable import cells, printable
from tokenq.zones import local
from tokenq_tui.bigtext import big
from tokenq_tui.panel import Panel, line, padded, spread

_BIG_ROWS = 5
_ROOM_FOR_ROWS = 6
_NUMBER, _COUNTER = 14, 20


class Recent(Panel):
    """Lists calls, newest first; finished ones are dimmed."""

    DEFAULT_CSS = """
    Recent { padding: 0 2; color: $foreground; }
    """

    def __init__(self, most: int) -> None:
        super().__init__(markup=False)
        self._most = most
        self._calls: Sequence[Call] = ()
        self._zone = ""

    def show(self, calls: Sequence[Call], zone: str) -> None:
        """List these calls, with times in a time zone."""
        calls = calls[: self._most]
        if (calls, zone) != (self._calls, self._zone):
            self._calls, self._zone = calls, zone
            self.draw()

    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Yield a title and as many calls as fit."""
        yield line(("LAST CALLS", "bold $secondary"))
        if not self._calls:
            yield line(("none yet", "$quiet"))
        how_many_big = max(0, (height - _ROOM_FOR_ROWS) // _BIG_ROWS)
        if how_many_big:
            yield Content("")
        for place, call in enumerate(self._calls):
            yield from (_big_rows(call, width) if place < how_many_big else None) or [_row(call, width, self._zone)]


def _big_rows(call: Call, width: int) -> list[Content] | None:
    """Draw number and counter big, or only the number with the counter as plain text beside it."""
    number, counter = printable(call.number.strip()), printable(call.counter.strip(), _COUNTER)
    alone = big(number, width, _BIG_ROWS - 1)
    if alone is None:
        return None
    over, to = _colours(call)
    split = len(alone[0])
    drawn = big(f"{number} → {counter}", width, _BIG_ROWS - 1)
    if drawn is None and split + cells(counter) + 6 > width:
        return None
    beside = [row[split:] for row in drawn] if drawn else ["", f"  →  {counter}", "", ""]
    return [line((row, over), (rest, f"bold {to}")) for row, rest in zip(alone, beside, strict=True)] + [Content("")]


def _row(call: Call, width: int, zone: str) -> Content:
    over, to = _colours(call)
    number = printable(call.number.strip(), _NUMBER)
    again = f"×{call.times}  " if call.times > 1 else ""
    return spread(
        width,
        [
            (padded(number, _NUMBER if cells(number) > 8 else 8), f"bold {over}"),
            (" → ", "$quiet"),
            (printable(call.counter.strip(), _COUNTER), f"bold {to}"),
        ],
        [(f"{again}{local(call.at, zone):%H:%M}", "$quiet")],
    )


def _colours(call: Call) -> tuple[str, str]:
    return ("$primary", "$accent") if call.state in AT_COUNTER else ("$quiet", "$quiet")
