"""One call, as big as the screen allows."""

import textwrap
from collections.abc import Iterable

from textual.content import Content

from tokenq.board.picture import Call
from tokenq.contract.enums import AT_COUNTER
from tokenq.printable import printable
from tokenq.zones import local
from tokenq_tui.bigtext import HEIGHT, big
from tokenq_tui.panel import Panel, line

Rows = tuple[str, ...]

_SMALLEST = 4
_BLINKS_FOR = 3.0


class Banner(Panel):
    """Shows one call big; a new one blinks, then stays inverted while it is fresh."""

    DEFAULT_CSS = """
    Banner { background: $surface; color: $foreground; padding: 0 2; }
    Banner.-bright { background: $primary; color: $background; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._call: Call | None = None
        self._department = self._zone = ""
        self._is_fresh = False
        self._is_outdated = False
        self._notice: tuple[str, str] = ("", "")
        self._shown: tuple[object, ...] = ()

    def show(
        self,
        call: Call | None,
        age: float | None,
        notice: tuple[str, str],
        *,
        department: str = "",
        zone: str = "",
        is_outdated: bool = False,
    ) -> None:
        """Show ``call`` of ``department``, new for ``age`` seconds; without one, ``notice``: a headline and a sentence.

        A finished call is dimmed once it is no longer new. An outdated call, from before the link was lost, is dimmed
        with the sentence below. Times are those of ``zone``.
        """
        is_bright = age is not None and (age > _BLINKS_FOR or int(age * 2) % 2 == 0)
        shown = (call, age is not None, notice, is_outdated, department, zone, is_bright)
        if shown != self._shown:
            self._shown = shown
            self._call, self._is_fresh, self._notice, self._is_outdated, self._department, self._zone, _ = shown
            self.set_class(is_bright, "-bright")
            self.draw()

    @property
    def is_past(self) -> bool:
        """Whether the call is finished and is shown only for lack of another."""
        return self._call is not None and not self._is_fresh and self._call.state not in AT_COUNTER

    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Return the call centred, with its details below."""
        block = self._notice_lines(width, height) if self._call is None else self._call_lines(self._call, width, height)
        above = (height - len(block)) // 2
        return [Content("")] * above + [_centre(content, width) for content in block]

    def _notice_lines(self, width: int, height: int) -> list[Content]:
        headline, sentence = self._notice
        drawn = big(headline, width, min(height - 2, _SMALLEST * 2))
        wrapped = [line((part, "$quiet")) for part in textwrap.wrap(sentence, max(width, 1))]
        return [*_style(drawn or (headline,), "$quiet"), Content(""), *wrapped]

    def _call_lines(self, call: Call, width: int, height: int) -> list[Content]:
        number, counter = printable(call.number.strip(), width), printable(call.counter.strip(), width - 2)
        colours = ("$background", "$background") if self.has_class("-bright") else ("$primary", "$accent")
        words = _caption(call, printable(self._department or call.department_id, max(width - 30, 8)), self._zone)
        if self._is_outdated or self.is_past:
            colours = ("$quiet", "$quiet")
        if self._is_outdated:
            words = self._notice[1]
        caption = [Content(""), line((words, f"not bold {colours[0] if self._is_fresh else '$quiet'}"))]
        room = height - len(caption)
        beside = big(f"{number} → {counter}", width, room) if counter else None
        over, under = _draw_stacked(number, counter, width, room)
        if beside is not None and _scale(beside) ** 2 >= _scale(over) * _scale(under):
            return [*_side_by_side(beside, number, colours), *caption]
        is_roomy = len(over) + len(under) < room
        return [
            *_style(over, colours[0]),
            Content(""),
            *_style(under, colours[1]),
            *(caption if is_roomy else caption[1:]),
        ]


def _scale(rows: Rows) -> int:
    return len(rows) * 2 // HEIGHT


def _centre(content: Content, width: int) -> Content:
    # Aligning by style would strip trailing spaces from rows of big letters.
    return content.pad_left(max(width - content.cell_length, 0) // 2)


def _draw_stacked(number: str, counter: str, width: int, room: int) -> tuple[Rows, Rows]:
    """Draw the number above its counter, both as big as possible; plain text as a last resort."""
    if not counter:
        return big(number, width, room) or (number,), ()
    to = f"→ {counter}"
    best: tuple[Rows, Rows] = (big(number, width, room - 1) or (number,), (to,))
    for rows in range(_SMALLEST, room - _SMALLEST + 1):
        over, under = big(number, width, rows), big(to, width, room - rows)
        if not over or not under or _scale(over) < _scale(under):
            continue
        if _scale(over) * _scale(under) >= _scale(best[0]) * _scale(best[1]):
            best = over, under
    return best


def _side_by_side(drawn: Rows, number: str, colours: tuple[str, str]) -> list[Content]:
    alone = big(number, 10_000, len(drawn))
    split = len(alone[0]) if alone else 0
    return [line((row[:split], f"bold {colours[0]}"), (row[split:], f"bold {colours[1]}")) for row in drawn]


def _style(rows: Rows, colour: str) -> list[Content]:
    return [line((row, f"bold {colour}")) for row in rows]


def _caption(call: Call, department: str, zone: str) -> str:
    repeated = f"  ·  called {call.times} times" if call.times > 1 else ""
    return f"{department}  ·  {local(call.at, zone):%H:%M}{repeated}"
