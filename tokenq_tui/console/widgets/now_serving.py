"""The token at our counter, in large letters, or who is called next."""

from collections.abc import Iterable
from datetime import datetime

from textual.content import Content
from typing_extensions import override

from tokenq.contract.enums import CounterState, Priority, TokenState
from tokenq.contract.views import TokenView
from tokenq.locale import texts
from tokenq.locale.words import class_word, reason_words
from tokenq.printable import cells, printable, wrapped
from tokenq_tui.bigtext import big
from tokenq_tui.console.keys import shown_key
from tokenq_tui.console.state import State
from tokenq_tui.console.times import forgotten, here_for, since, stopwatch
from tokenq_tui.panel import Panel, Part, line, spread

_WORDS_BELOW = 4
_WARNING_LINES = 2
_COMPACT = 3
"""Up to so many lines, there is no room for large letters."""
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

    @override
    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Yield a title, the number and its details; two plain lines if there is no room for more."""
        held = self._state.held
        if height <= _COMPACT:
            yield spread(width, list(self._title()), list(self._timer(held)) if held else [])
            yield from self._one_line(held, width)
            return
        yield line(*self._title())
        yield from self._draw_held(held, width, height) if held else self._empty(width)

    def _title(self) -> Iterable[Part]:
        said, own = texts(), self._state.own_counter
        if self._state.counter:
            yield said.gettext("COUNTER {counter}", counter=printable(self._state.counter, 24)), "bold $secondary"
        else:
            key = shown_key("counter", self._state.keys)
            yield said.gettext("NO COUNTER YET: PRESS {key}", key=key), "bold $secondary"
        if own and self._state.is_shut:
            why = f" ({printable(own['reason'], 20)})" if own["reason"] else ""
            yield f"  {_shut_word(own['state'])}{why}", "bold $warning"

    def _timer(self, token: TokenView) -> Iterable[Part]:
        began, is_late = since(token), bool(token.get("isForgotten"))
        word = texts().gettext("forgotten?") if is_late else _seated_word(token)
        yield f"{word} ", "bold $warning" if is_late else f"bold {_colour(token)}"
        yield stopwatch(self._now - began) if began else "", ""

    def _one_line(self, held: TokenView | None, width: int) -> Iterable[Content]:
        if held is None:
            # The third line of an empty counter is the sentence; what to press is above it.
            yield from list(self._empty(width))[1:2] if self._state.next_up is None else [self._next_line(width)]
            return
        here = texts().gettext("here for {time}", time=here_for(held, self._now))
        number = printable(held["displayNumber"], 16)
        name = printable(held["name"] or "", max(width - cells(number) - cells(here) - 4, 0))
        yield spread(width, [(number, f"bold {_colour(held)}"), (f"  {name}", "")], [(here, "$quiet")])

    def _next_line(self, width: int) -> Content:
        following = self._state.next_up
        if following is None or self._state.is_shut:
            return line(self._open_hint())
        key = shown_key("call", self._state.keys)
        number = printable(following["displayNumber"], 16)
        call = texts().gettext("{key} calls ", key=key)
        name = printable(following["name"] or "", max(width - cells(number) - cells(call) - 2, 0))
        return line((call, "$quiet"), (number, "bold $primary"), (f"  {name}", ""))

    def _open_hint(self) -> Part:
        key = shown_key("open", self._state.keys)
        return texts().gettext("Press {key} to open your counter again", key=key), "$quiet"

    def _draw_held(self, token: TokenView, width: int, height: int) -> Iterable[Content]:
        number, colour = printable(token["displayNumber"], width), _colour(token)
        said = texts()
        yield Content("")
        warning = forgotten(token, self._now)
        rows = min(height - 2 - _WORDS_BELOW - (_WARNING_LINES if warning else 0), _TALLEST)
        yield from (line((row, f"bold {colour}")) for row in big(number, width, rows) or (number,))
        yield Content("")
        began = since(token)
        timer = stopwatch(self._now - began) if began else ""
        calls = ""
        if token["calls"] > 1:
            calls = "  ·  " + said.ngettext("{number} call", "{number} calls", token["calls"])
        yield spread(width, [(_seated_word(token), f"bold {colour}"), (calls, "$quiet")], [(timer, "")])
        if warning:
            yield line((warning, "bold $warning"))
            yield line((self._what_to_do(token), "$quiet"))
        names = self._state.queue["classNames"] if self._state.queue else {}
        shown = printable(class_word(token["priority"], names, said), 10)
        priority = "" if token["priority"] == Priority.NORMAL else f"  ·  {shown}"
        yield line((printable(token["name"] or said.gettext("no name given"), width - 12), ""), (priority, "$accent"))
        of = f"  ·  {printable(token['departmentId'], 8)}" if token["departmentId"] != self._state.selected else ""
        here = said.gettext("here for {time}", time=here_for(token, self._now))
        yield line((here, "$quiet"), (of, "$accent"))

    def _what_to_do(self, token: TokenView) -> str:
        keys = {name: shown_key(name, self._state.keys) for name in ("serve", "requeue", "no_show", "recall")}
        if token["state"] == TokenState.SERVING:
            return texts().gettext("{serve} served, {requeue} back to the queue", **keys)
        return texts().gettext("{no_show} no-show, {recall} call again", **keys)

    def _empty(self, width: int) -> Iterable[Content]:
        said, own = texts(), self._state.own_counter
        yield Content("")
        if self._state.beyond and own and own["token"]:
            number, department = printable(own["token"]["displayNumber"], 16), own["token"]["departmentId"]
            text = said.gettext("{number} of {department} is at your counter.", number=number, department=department)
            yield line((printable(text, width), "$foreground"))
            return
        yield line((said.gettext("Nobody is at your counter."), "$foreground"))
        yield Content("")
        if self._state.queue is None:
            yield line((said.gettext("The queue is not loaded yet."), "$quiet"))
            return
        following = self._state.next_up
        if following is None:
            yield line((said.gettext("Nobody is waiting."), "$quiet"))
            return
        if self._state.is_paused:
            yield line(self._open_hint())
            return
        name = printable(following["name"] or "", max(width - 24, 8))
        yield line((said.gettext("Press {key} to call", key=shown_key("call", self._state.keys)), "$quiet"))
        yield Content("")
        yield line((printable(following["displayNumber"], 16), "bold $primary"), (f"  {name}", ""))
        why = reason_words(self._state.queue["nextReason"] or "", said)
        yield from (line((row, "$quiet")) for row in wrapped(why, width))


def _colour(token: TokenView) -> str:
    return "$success" if token["state"] == TokenState.SERVING else "$primary"


def _seated_word(token: TokenView) -> str:
    return texts().gettext("SERVING") if token["state"] == TokenState.SERVING else texts().gettext("CALLED")


def _shut_word(state: str) -> str:
    return texts().gettext("PAUSED") if state == CounterState.PAUSED else texts().gettext("CLOSED")
