"""The other counters of the department, in natural order: whom they serve, since when, and who works there."""

from collections.abc import Iterable
from datetime import datetime

from textual.content import Content
from typing_extensions import override

from tokenq.contract.enums import CounterState, TokenState
from tokenq.contract.views import CounterView, TokenView
from tokenq.locale import texts
from tokenq.printable import cells, printable
from tokenq_tui.console.state import State
from tokenq_tui.console.times import since, stopwatch
from tokenq_tui.panel import Panel, Part, line, padded, spread

_NARROW = 40
_LEAST_NAME = 4


class OtherCounters(Panel):
    """One line per counter: first those that hold a token, then those that are paused or free."""

    DEFAULT_CSS = """
    OtherCounters { color: $foreground; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._state = State()
        self._now = datetime.now().astimezone()

    def show(self, state: State, now: datetime) -> None:
        """Show the counters of the selected department at the time ``now``."""
        self._state, self._now = state, now
        self.draw()

    @override
    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Yield a title and one line per counter."""
        busy, staffed = self._state.elsewhere, self._state.staffed_elsewhere
        if busy or staffed:
            yield line((texts().gettext("OTHER COUNTERS"), "bold $secondary"))
        for token in busy:
            yield self._busy(token, width)
        for counter in staffed:
            yield self._staffed(counter, width)

    def _busy(self, token: TokenView, width: int) -> Content:
        began, is_late = since(token), bool(token.get("isForgotten"))
        timer = stopwatch(self._now - began) if began else ""
        end = texts().gettext("forgotten? {time}", time=timer) if is_late else timer
        style = "$success" if token["state"] == TokenState.SERVING else "$primary"
        number, counter = printable(token["displayNumber"], 12), _counter(token["counterId"] or "?", width)
        operator = self._state.operators.get(token["counterId"] or "", "")
        parts: list[Part] = [(counter, "$accent"), (" ", ""), (number, style)]
        room = width - cells(counter) - cells(number) - cells(end) - 5
        if operator and room >= _LEAST_NAME:
            parts.append((f"  {printable(operator, room)}", "$quiet"))
        return spread(width, parts, [(end, "$warning" if is_late else "$quiet")])

    def _staffed(self, view: CounterView, width: int) -> Content:
        counter, is_paused = _counter(view["counterId"], width), view["state"] == CounterState.PAUSED
        why = printable(view["reason"] or "", max(width - 24, _LEAST_NAME)) if is_paused else ""
        word: Part = (texts().gettext("free"), "$quiet")
        if is_paused:
            word = (texts().gettext("paused"), "$warning")
        operator = printable(view["operator"] or "", max(width - 22 - cells(why), _LEAST_NAME))
        parts: list[Part] = [(counter, "$accent"), (" ", ""), word, (f"  {why}", "$quiet")]
        return spread(width, parts, [(operator, "$quiet")])


def _counter(name: str, width: int) -> str:
    return padded(printable(name, 12), 8 if width < _NARROW else 13)
