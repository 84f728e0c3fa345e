"""The title of the waiting list: how many wait, how long, and whether somebody waits too long."""

from collections.abc import Iterable, Sequence

from textual.content import Content
from typing_extensions import override

from tokenq.locale import N_, notices, texts
from tokenq.printable import cells, printable
from tokenq_tui.console.state import State, is_cut
from tokenq_tui.console.times import expected_wait, why_no_estimate
from tokenq_tui.panel import Panel, line

_TITLE, _BETWEEN = N_("WAITING"), " · "
_BY_IMPORTANCE = ("count", "alarm", "why unknown", "wait", "second alarm", "served")
_UNIT = " min"


class QueueTitle(Panel):
    """One line. What does not fit is left out whole, the least important first."""

    DEFAULT_CSS = """
    QueueTitle { height: 1; padding: 0 1; margin-top: 1; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._state = State()

    def show(self, state: State) -> None:
        """Show the selected queue of ``state``."""
        self._state = state
        self.draw()

    @override
    def lines(self, width: int, height: int) -> Iterable[Content]:
        """Yield the line: the count first, the alarms last."""
        title = texts().gettext(_TITLE) + "  "
        parts = _that_fit(_parts(self._state), _short_waits(self._state), width - cells(title))
        alarms = {name: text for name, text in parts.items() if name in ("alarm", "second alarm")}
        rest = _BETWEEN.join(text for name, text in parts.items() if name not in alarms)
        yield line(
            (title, "bold $secondary"),
            (rest + (_BETWEEN if alarms else ""), "$quiet"),
            (_BETWEEN.join(alarms.values()), "bold $error"),
        )


def _parts(state: State) -> dict[str, str]:
    """Return the parts that there are by name, in the order of showing."""
    queue = state.queue
    if queue is None:
        return {}
    said, count = texts(), str(queue["counts"]["waiting"])
    if is_cut(state):
        count = said.gettext("the first {number} of {all}", number=len(queue["waiting"]), all=count)
    if state.marks:
        count += _BETWEEN + said.ngettext("{number} marked", "{number} marked", len(state.marks))
    wait, unknown = expected_wait(queue["estimate"]), why_no_estimate(queue["estimate"])
    alarms = [printable(alarm, 30) for alarm in notices.alarms(queue, said, is_short=True)]
    parts = {
        "count": count,
        "why unknown": printable(unknown, 40),
        "wait": said.gettext("new customer {wait}", wait=wait) if wait else "",
        # The column is narrow: why the wait is unknown matters more than how many were served.
        "served": "" if unknown else said.gettext("served {number}", number=queue["counts"]["served"]),
        **dict(zip(("alarm", "second alarm"), alarms, strict=False)),
    }
    return {name: text for name, text in parts.items() if text}


def _short_waits(state: State) -> Sequence[str]:
    """Return shorter forms of the wait: minutes go without saying."""
    wait = expected_wait(state.queue["estimate"]) if state.queue else ""
    return [texts().gettext("new {wait}", wait=form) for form in (wait, wait.removesuffix(_UNIT))]


def _that_fit(parts: dict[str, str], short_waits: Sequence[str], width: int) -> dict[str, str]:
    """Return the most important parts that fit into ``width`` columns; the first of all is always there."""
    kept: dict[str, str] = {}
    for name in filter(parts.__contains__, _BY_IMPORTANCE):
        forms = (parts[name], *short_waits) if name == "wait" else (parts[name],)
        room = width - cells(_BETWEEN.join([*kept.values(), ""]))
        fitting = next((form for form in forms if not kept or cells(form) <= room), None)
        if fitting is not None:
            kept[name] = fitting
    return {name: kept[name] for name in parts if name in kept}
