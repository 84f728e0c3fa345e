"""What the console's main screen shows, and where, at which size."""

from collections.abc import Callable
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tokenq.contract.views import TokenView
from tokenq.printable import printable
from tokenq.zones import label, local
from tokenq_tui.console.actions import ACTIONS
from tokenq_tui.console.availability import is_available
from tokenq_tui.console.counter_lease import CounterLease
from tokenq_tui.console.details import Details, DetailsFetcher, wanted_by
from tokenq_tui.console.keys import shown_key
from tokenq_tui.console.screens.counter import CounterScreen
from tokenq_tui.console.screens.titles import department_title
from tokenq_tui.console.state import State
from tokenq_tui.console.widgets.action_bar import ActionBar
from tokenq_tui.console.widgets.department_bar import DepartmentBar, MoreDepartments
from tokenq_tui.console.widgets.details_panel import DetailsPanel
from tokenq_tui.console.widgets.find_line import FindLine
from tokenq_tui.console.widgets.key_footer import KeyFooter
from tokenq_tui.console.widgets.notice import Notice
from tokenq_tui.console.widgets.now_serving import NowServing
from tokenq_tui.console.widgets.other_counters import OtherCounters
from tokenq_tui.console.widgets.parked_list import ParkedList
from tokenq_tui.console.widgets.queue_title import QueueTitle
from tokenq_tui.console.widgets.waiting_list import WaitingList
from tokenq_tui.link_badge import LinkBadge

_TALL = 44
_COMPACT_WIDTH, _COMPACT_HEIGHT = 72, 20
"""Below one of them, the counter is two plain lines below the list."""
_WIDE, _BROAD = 120, 170
"""From these widths on, details of people are below the list, or in a column of their own."""


class ServingView(CounterScreen):
    """The widgets and the state that they show."""

    def __init__(
        self, lease: CounterLease, details: DetailsFetcher, state: State, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(lease, state)
        self._clock, self._details_fetcher = clock, details
        self._details = Details()
        self._available: list[bool] = []

    def compose(self) -> ComposeResult:
        """Yield the widgets."""
        with Horizontal(id="top"):
            yield Static("", id="title", markup=False)
            yield Static("", id="clock", markup=False)
            yield LinkBadge(markup=False)
        with Horizontal(id="departments"):
            yield DepartmentBar()
            yield MoreDepartments(markup=False)
        with Horizontal(id="body"):
            with Vertical(id="line"):
                yield QueueTitle()
                waiting = WaitingList()
                yield waiting
                yield FindLine(waiting)
                yield ParkedList()
                yield Notice()
            with Vertical(id="counter"):
                yield NowServing()
                yield ActionBar(self.state.keys)
                yield OtherCounters()
            yield DetailsPanel()
        yield KeyFooter(show_command_palette=False, compact=True)

    def on_resize(self) -> None:
        """Arrange the widgets for the size."""
        width, height = self.size
        is_compact = width < _COMPACT_WIDTH or height < _COMPACT_HEIGHT
        self.set_class(is_compact, "-compact")
        self.set_class(not is_compact and _WIDE <= width < _BROAD, "-wide")
        self.set_class(not is_compact and width >= _BROAD, "-broad")
        bar = self.query_one(ActionBar)
        bar.set_class(is_compact, "-compact")
        bar.set_class(height >= _TALL and not is_compact, "-tall")
        self.call_after_refresh(self._show_title)
        self._want_details()

    @property
    def current_token(self) -> TokenView | None:
        """The waiting token of the selected row."""
        current = self.query_one(WaitingList).current if self.is_mounted else None
        return self.state.find(current) if current is not None else None

    async def set_state(self, state: State) -> None:
        """Show another state."""
        self.state = state
        await self._show()

    async def _show(self) -> None:
        state = self.state
        await self.query_one(DepartmentBar).show(state)
        self.query_one(QueueTitle).show(state)
        self._draw()
        self._show_available()

    def _show_title(self) -> None:
        title = self.query_one("#title", Static)
        shown = department_title(self.state, title.size.width)
        if title.content != shown:
            title.update(shown)

    def _show_available(self) -> None:
        available = [is_available(action, self.state, self.current_token) for action in ACTIONS]
        if available != self._available:
            # Only on a change, since it rebuilds the whole footer.
            self._available = available
            self.query_one(ActionBar).show(self.state, self.current_token)
            self.refresh_bindings()

    def _draw(self) -> None:
        self._show_title()  # what stands beside it may have become longer
        now, state = self._clock(), self.state
        clock = self.query_one("#clock", Static)
        text = f"{local(now, state.zone):%H:%M} {printable(label(state.zone, now), 24)}".rstrip()
        if str(clock.content) != text:
            clock.update(text)
        waiting, names = (state.queue["waiting"], state.queue["classNames"]) if state.queue else ((), {})
        self.query_one(WaitingList).show(waiting, now, names, state.marks)
        self.query_one(FindLine).list_changed(state)
        parked = state.queue["parked"] if state.queue else ()
        self.query_one(ParkedList).show(parked, state.zone, shown_key("resume", state.keys))
        self.query_one(NowServing).show(state, now)
        self.query_one(OtherCounters).show(state, now)
        self._want_details()

    def _want_details(self) -> None:
        """Ask for what the panel shows, and show what is there."""
        panel = self.query_one(DetailsPanel)
        if panel.display:
            row = self.current_token
            self._details_fetcher.want(wanted_by(self.state, row))
            panel.show(self.state, row, self._details)
