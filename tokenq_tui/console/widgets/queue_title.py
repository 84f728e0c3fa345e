"""The title of the waiting list: how many wait, how long, and whether somebody waits too long."""

from collections.abc import Iterable

from textual.content import Content
from typing_extensions import override

from tokenq.contract import notices
from tokenq.printable import cells, printable
from tokenq_tui.console.state import State, expected_wait, is_cut, why_no_estimate
from tokenq_tui.panel import Panel, line

_TITLE, _BETWEEN = "WAITING  ", " · "
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
        parts = _that_fit(_parts(self._state), width - cells(_TITLE))
        alarms = {name: text for name, text in parts.items() if name in ("alarm", "second alarm")}
        rest = _BETWEEN.join(text for name, text in parts.items() if name not in alarms)
        yield line(
            (_TITLE, "bold $secondary"),
            (rest + (_BETWEEN if alarms else ""), "$quiet"),
            (_BETWEEN.join(alarms.values()), "bold $error"),
        )


def _parts(state: State) -> dict[str, str]:
    """Return the parts that there are by name, in the order of showing."""
    queue = state.queue
    if queue is None:
        return {}
    first = f"the first {len(queue['waiting'])} of " if is_cut(state) else ""
    wait, unknown = expected_wait(queue["estimate"]), why_no_estimate(queue["estimate"])
    alarms = [printable(alarm, 30) for alarm in notices.alarms(queue, is_short=True)]
    parts = {
        "count": f"{first}{queue['counts']['waiting']}",
        "why unknown": printable(unknown, 40),
        "wait": f"wait {wait}" if wait else "",
        # The column is narrow: why the wait is unknown matters more than how many were served.
        "served": "" if unknown else f"served {queue['counts']['served']}",
        **dict(zip(("alarm", "second alarm"), alarms, strict=False)),
    }
    return {name: text for name, text in parts.items() if text}


def _that_fit(parts: dict[str, str], width: int) -> dict[str, str]:
    """Return the most important parts that fit into ``width`` columns; the first of all is always there.

    The wait may lose its unit: minutes go without saying.
    """
    kept: dict[str, str] = {}
    for name in filter(parts.__contains__, _BY_IMPORTANCE):
        forms = (parts[name], parts[name].removesuffix(_UNIT)) if name == "wait" else (parts[name],)
        room = width - cells(_BETWEEN.join([*kept.values(), ""]))
        fitting = next((form for form in forms if not kept or cells(form) <= room), None)
        if fitting is not None:
            kept[name] = fitting
    return {name: kept[name] for name in parts if name in kept}
