"""The console's main screen: holds the state, passes it to the widgets and turns actions into requests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Footer, Static

from tokenq.contract.views import TokenView
from tokenq.printable import printable
from tokenq.zones import label, local
from tokenq_tui.console import messages
from tokenq_tui.console.actions import (
    ACTIONS,
    ASKING,
    ConsoleAction,
    Needs,
    action_named,
    is_available,
    too_early,
    why_unavailable,
)
from tokenq_tui.console.counter_lease import CounterLease
from tokenq_tui.console.execution import PendingAction, carry_out, look_up, needs_lookup
from tokenq_tui.console.screens.counter import CounterScreen
from tokenq_tui.console.screens.dialogs import Explain, Help
from tokenq_tui.console.screens.prompts import question
from tokenq_tui.console.screens.titles import department_title
from tokenq_tui.console.state import State, is_cut
from tokenq_tui.console.tail import ApiPort, Tail
from tokenq_tui.console.widgets.action_bar import ActionBar
from tokenq_tui.console.widgets.department_bar import DepartmentBar, MoreDepartments
from tokenq_tui.console.widgets.find_line import FindLine
from tokenq_tui.console.widgets.notice import Notice
from tokenq_tui.console.widgets.now_serving import Elsewhere, NowServing
from tokenq_tui.console.widgets.parked_list import ParkedList
from tokenq_tui.console.widgets.queue_title import QueueTitle
from tokenq_tui.console.widgets.waiting_list import WaitingList
from tokenq_tui.link_badge import Health, LinkBadge

_TALL = 44


class ServingScreen(CounterScreen):
    """The main screen."""

    AUTO_FOCUS = "WaitingList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            action.key, f"do('{action.name}')", action.label, key_display=action.shown_key, show=action.is_in_footer
        )
        for action in ACTIONS
    ]

    def __init__(
        self, tail: Tail, lease: CounterLease, api: ApiPort, state: State, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(lease, state)
        self._tail, self._api, self._clock = tail, api, clock
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
                yield ActionBar()
                yield Elsewhere()
        yield Footer(show_command_palette=False, compact=True)

    async def on_mount(self) -> None:
        """Start the clock and the fetching, and ask for the counter if none is set."""
        self.query_one(LinkBadge).show(Health.CONNECTING)
        self.set_interval(1.0, self._draw)
        await self._show()
        self._tail.start()
        self._lease.start()
        if not self.state.counter:
            self.ask_counter()
        self.is_up = True

    def on_resize(self) -> None:
        """Show larger buttons on a tall terminal."""
        self.query_one(ActionBar).set_class(self.size.height >= _TALL, "-tall")

    async def on_departments_loaded(self, message: messages.DepartmentsLoaded) -> None:
        """Set the departments."""
        state = replace(self.state, all_departments=tuple(message.all_departments))
        await self.set_state(state.with_departments(message.departments))

    async def on_queue_arrived(self, message: messages.QueueArrived) -> None:
        """Update the state with a fetched queue."""
        self.heard()
        times = {"requested_at": message.requested_at, "received_at": message.received_at}
        await self.set_state(self.state.with_queue(message.queue, **times).without_unneeded())
        self._tail.follow_also(self.state.beyond)
        self.claim_counter()

    def on_trouble(self, message: messages.Trouble) -> None:
        """Show a failure and its hint."""
        if message.is_answer:
            self.answered(is_from_server=message.is_from_server)
        self._tail.refresh()
        self.query_one(Notice).say(message.sentence, message.hint, is_trouble=True)

    async def on_done(self, message: messages.Done) -> None:
        """Show what was done, and remember it for undo."""
        self.answered()
        self.query_one(Notice).say(message.sentence, *message.warnings, is_trouble=bool(message.warnings))
        if message.token is not None:
            await self.set_state(self.state.with_last_move(message.token, message.verb))

    async def on_department_chosen(self, message: messages.DepartmentChosen) -> None:
        """Select the clicked department."""
        await self.set_state(self.state.select(message.department_id))

    async def on_action_clicked(self, message: messages.ActionClicked) -> None:
        """Carry out the clicked action."""
        await self.action_do(message.name)

    async def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Call the token of the chosen row."""
        event.stop()
        await self.action_do("call_row")

    def on_data_table_row_highlighted(self) -> None:
        """Update the actions for another row."""
        self._show_available()

    async def on_key(self, event: events.Key) -> None:
        """Explain why a key does nothing now; the bindings handle the available ones."""
        if self.takes(event):
            return
        action = next((each for each in ACTIONS if event.key in each.key.split(",")), None)
        if action is not None and not is_available(action, self.state, self._marked_token):
            event.stop()
            self._explain(action, why_unavailable(action, self.state, self._marked_token))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Dim the keys of unavailable actions; during a search all keys are off."""
        if action != "do":
            return True
        if self.is_finding:
            return False
        return True if is_available(action_named(str(parameters[0])), self.state, self._marked_token) else None

    async def action_do(self, name: str) -> None:
        """Carry out an action, after its dialog if it has one."""
        action = action_named(name)
        match name:
            case "quit":
                await self.app.action_quit()
            case "find":
                self.query_one(FindLine).open()
            case "help":
                self.app.push_screen(Help())
            case "refresh":
                self._tail.refresh()
            case "counter":
                self.ask_counter()
            case "next_department" | "previous_department":
                await self.set_state(self.state.step(1 if name == "next_department" else -1))
            case _ if is_available(action, self.state, self._marked_token):
                self._start_action(action)
            case _:
                self._explain(action, why_unavailable(action, self.state, self._marked_token))

    def _explain(self, action: ConsoleAction, sentence: str) -> None:
        """Show why not; in a dialog if the user may already be typing an answer, so that it triggers no keys."""
        if action.name in ASKING:
            self.app.push_screen(Explain(sentence))
        else:
            self.query_one(Notice).say(sentence)

    def _start_action(self, action: ConsoleAction) -> None:
        if self.is_busy:
            if action.name in ASKING:
                self._explain(action, "The last request is still pending.")
            return
        if not self.state.counter:
            self.ask_counter()
            return
        undoable = self.state.undoable
        last = undoable.token if undoable else None
        token = {Needs.HELD: self.state.held, Needs.ROW: self._marked_token, Needs.LAST: last}.get(action.needs)
        if action.verb == "no-show" and token and (early := too_early(self.state, token)):
            self._explain(action, early)
            return
        # Calling the first row is the same as calling the next one and needs no reason.
        is_next = action.name == "call_row" and token == self.state.next_up
        pending = PendingAction(action, self.state, None if is_next else token)
        if needs_lookup(action):
            self.begin(pending, partial(self._look_up, pending))
        else:
            self._ask(pending)

    def _look_up(self, pending: PendingAction) -> None:
        self.call_later(self._ask, look_up(pending, self._api))

    def _ask(self, pending: PendingAction) -> None:
        self.answered()
        dialog = question(pending)
        if dialog is None:
            self._send(pending)
            return
        screen, complete = dialog

        def on_answer(answer: object) -> None:
            if (completed := complete(answer)) is not None:
                self._send(completed)

        self.in_turn(lambda: self.app.push_screen(screen, on_answer))

    def _send(self, pending: PendingAction) -> None:
        self.begin(
            pending,
            partial(carry_out, pending, self._api, self.post_message, self._tail.refresh),
            changes=True,
        )

    @property
    def _marked_token(self) -> TokenView | None:
        marked = self.query_one(WaitingList).marked if self.is_mounted else None
        return self.state.find(marked) if marked is not None else None

    async def set_state(self, state: State) -> None:
        """Show another state."""
        self.state = state
        await self._show()

    async def _show(self) -> None:
        state = self.state
        await self.query_one(DepartmentBar).show(state)
        self.query_one("#title", Static).update(department_title(state))
        self.query_one(QueueTitle).show(state)
        self._draw()
        self._show_available()

    def _show_available(self) -> None:
        available = [is_available(action, self.state, self._marked_token) for action in ACTIONS]
        if available != self._available:
            # Only on a change, since it rebuilds the whole footer.
            self._available = available
            self.query_one(ActionBar).show(self.state, self._marked_token)
            self.refresh_bindings()

    def _draw(self) -> None:
        now, state = self._clock(), self.state
        clock = self.query_one("#clock", Static)
        text = f"{local(now, state.zone):%H:%M} {printable(label(state.zone, now), 24)}".rstrip()
        if str(clock.content) != text:
            clock.update(text)
        waiting, names = (state.queue["waiting"], state.queue["classNames"]) if state.queue else ((), {})
        self.query_one(WaitingList).show(waiting, now, names)
        self.query_one(FindLine).list_changed(is_cut=is_cut(state))
        self.query_one(ParkedList).show(state.queue["parked"] if state.queue else (), state.zone)
        self.query_one(NowServing).show(state, now)
        self.query_one(Elsewhere).show(state.elsewhere, state.staffed_elsewhere, now)
