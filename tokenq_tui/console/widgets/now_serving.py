"""The token at our counter, in large letters, and the other counters."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from textual.content import Content
from typing_extensions import override

from tokenq.contract.enums import CounterState, Priority, TokenState
from tokenq.contract.views import CounterView, TokenView
from tokenq.printable import cells, printable, wrapped
from tokenq_tui.bigtext import big
from tokenq_tui.console.state import State, forgotten, since, stopwatch, waited_for
from tokenq_tui.panel import Panel, line, padded, spread

_WORDS_BELOW = 4
_WARNING_LINES = 2
_TALLEST = 11


class NowServing(Panel):
    """The token at our counter with its details, or the token to call next."""

    DEFAULT_CSS = """
    NowServing { background: $surface; color: $foreground; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._state = State()
        self._now = datetime.now().astimezone()

    def show(self, state: State, now: datetime) -> None:
        """Show the counter's state at the time ``now``."""
        self._state, self._now = state, now
        self.draw()

    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Yield a title, the number and its details."""
        counter, own = printable(self._state.counter, 24), self._state.own_counter
        title = (f"COUNTER {counter}" if counter else "NO COUNTER YET: PRESS k", "bold $secondary")
        why = f" ({printable(own['reason'], 20)})" if own and own["reason"] else ""
        word = f"  {own['state']}{why}" if own and self._state.is_shut else ""
        yield line(title, (word, "bold $warning"))
        held = self._state.held
        yield from self._draw_held(held, width, height) if held else self._empty(width)

    def _draw_held(self, token: TokenView, width: int, height: int) -> Iterable[Content]:
        number = printable(token["displayNumber"], width)
        is_serving = token["state"] == TokenState.SERVING
        colour = "$success" if is_serving else "$primary"
        yield Content("")
        warning = forgotten(token, self._now)
        rows = min(height - 2 - _WORDS_BELOW - (_WARNING_LINES if warning else 0), _TALLEST)
        yield from (line((row, f"bold {colour}")) for row in big(number, width, rows) or (number,))
        yield Content("")
        began = since(token)
        timer = stopwatch(self._now - began) if began else ""
        calls = f"  ·  {token['calls']} calls" if token["calls"] > 1 else ""
        yield spread(
            width, [("SERVING" if is_serving else "CALLED", f"bold {colour}"), (calls, "$quiet")], [(timer, "")]
        )
        if warning:
            yield line((warning, "bold $warning"))
            yield line(("v served, b back to the queue" if is_serving else "x no-show, r call again", "$quiet"))
        priority = "" if token["priority"] == Priority.NORMAL else f"  ·  {printable(token['priority'], 10)}"
        yield line((printable(token["name"] or "no name given", width - 12), ""), (priority, "$accent"))
        of = f"  ·  {printable(token['departmentId'], 8)}" if token["departmentId"] != self._state.selected else ""
        yield line((f"arrived {waited_for(token, self._now)} ago", "$quiet"), (of, "$accent"))

    def _empty(self, width: int) -> Iterable[Content]:
        yield Content("")
        own = self._state.own_counter
        if self._state.beyond and own and own["token"]:
            number, department = own["token"]["displayNumber"], own["token"]["departmentId"]
            yield line((f"{printable(number, 16)} of {printable(department, 8)} is at your counter.", "$foreground"))
            return
        yield line(("Nobody is at your counter.", "$foreground"))
        yield Content("")
        if self._state.queue is None:
            yield line(("The queue is not loaded yet.", "$quiet"))
            return
        following = self._state.next_up
        if following is None:
            yield line(("Nobody is waiting.", "$quiet"))
            return
        if self._state.is_paused:
            yield line(("Press ", "$quiet"), ("o", "bold $primary"), (" to open your counter again", "$quiet"))
            return
        name = printable(following["name"] or "", max(width - 24, 8))
        yield line(("Press ", "$quiet"), ("n", "bold $primary"), (" to call", "$quiet"))
        yield Content("")
        yield line((printable(following["displayNumber"], 16), "bold $primary"), (f"  {name}", ""))
        yield from (line((row, "$quiet")) for row in wrapped(self._state.queue["nextReason"] or "", width))


class Elsewhere(Panel):
    """The other counters of this department: their tokens, or whether they are paused or free."""

    DEFAULT_CSS = """
    Elsewhere { color: $foreground; padding: 0 2; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._tokens: Sequence[TokenView] = ()
        self._staffed: Sequence[CounterView] = ()
        self._now = datetime.now().astimezone()

    def show(self, tokens: Sequence[TokenView], staffed: Sequence[CounterView], now: datetime) -> None:
        """Show the tokens at other counters at the time ``now``, and the ``staffed`` counters without a token."""
        self._tokens, self._staffed, self._now = tokens, staffed, now
        self.draw()

    @override
    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Yield a title and one line per counter."""
        if self._tokens or self._staffed:
            yield line(("OTHER COUNTERS", "bold $secondary"))
        for token in self._tokens:
            began = since(token)
            timer = stopwatch(self._now - began) if began else ""
            is_late = bool(token.get("isForgotten"))
            style = "$success" if token["state"] == TokenState.SERVING else "$primary"
            counter = padded(printable(token["counterId"] or "?", 12), 8 if width < _WORDS_BELOW * 10 else 13)
            yield spread(
                width,
                [(counter, "$accent"), (" ", ""), (printable(token["displayNumber"], 12), style)],
                [(f"forgotten? {timer}" if is_late else timer, "$warning" if is_late else "$quiet")],
            )
        for view in self._staffed:
            counter = padded(printable(view["counterId"], 12), 8 if width < _WORDS_BELOW * 10 else 13)
            is_paused = view["state"] == CounterState.PAUSED
            why = printable(view["reason"] or "", max(width - 24, 4)) if is_paused else ""
            word = ("paused", "$warning") if is_paused else ("free", "$quiet")
            operator = printable(view["operator"] or "", max(width - 22 - cells(why), 4))
            yield spread(width, [(counter, "$accent"), (" ", ""), word, (f"  {why}", "$quiet")], [(operator, "$quiet")])
