"""The console's main screen: it holds the state, gives it to the widgets and turns pending into commands."""

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

from tokenq.contract.names import COUNTER_ID_LENGTH
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
    is_offered,
    too_early,
    why_not,
)
from tokenq_tui.console.counter_lease import CounterLease, Place
from tokenq_tui.console.execution import PendingAction, carry_out, looked_up, needs_looking_up
from tokenq_tui.console.screens.dialogs import AskText, Confirm, Help, Tell
from tokenq_tui.console.screens.prompts import question
from tokenq_tui.console.screens.search import FindingScreen
from tokenq_tui.console.screens.titles import is_cut, line_title, place_title
from tokenq_tui.console.state import State
from tokenq_tui.console.tail import ApiPort, Tail
from tokenq_tui.console.widgets.action_bar import ActionBar
from tokenq_tui.console.widgets.department_bar import DepartmentBar, MoreDepartments
from tokenq_tui.console.widgets.find_line import FindLine
from tokenq_tui.console.widgets.notice import Notice
from tokenq_tui.console.widgets.now_serving import Elsewhere, NowServing
from tokenq_tui.console.widgets.parked_list import ParkedList
from tokenq_tui.console.widgets.waiting_list import WaitingList
from tokenq_tui.link_badge import Health, LinkBadge

_TALL = 44


class ServingScreen(FindingScreen):
    """Everything a counter needs."""

    AUTO_FOCUS = "WaitingList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(each.key, f"do('{each.name}')", each.label, key_display=each.shown_key, show=each.is_in_footer)
        for each in ACTIONS
    ]

    def __init__(
        self, tail: Tail, lease: CounterLease, api: ApiPort, state: State, clock: Callable[[], datetime]
    ) -> None:
        super().__init__()
        self._tail, self._lease, self._api, self._clock = tail, lease, api, clock
        self.state = state
        self._offered: list[bool] = []

    def compose(self) -> ComposeResult:
        """The frame."""
        with Horizontal(id="top"):
            yield Static("", id="title", markup=False)
            yield Static("", id="clock", markup=False)
            yield LinkBadge(markup=False)
        with Horizontal(id="departments"):
            yield DepartmentBar()
            yield MoreDepartments(markup=False)
        with Horizontal(id="body"):
            with Vertical(id="line"):
                yield Static("", id="line-title", markup=False)
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
        """Start the clock and the fetching, and ask for the counter when there is none."""
        self.query_one(LinkBadge).show(Health.CONNECTING)
        self.set_interval(1.0, self._beat)
        await self._show()
        self._tail.start()
        self._lease.start()
        if not self.state.counter:
            self._ask_counter()
        self.is_up = True

    def on_resize(self) -> None:
        """Use the room of a tall terminal for larger buttons."""
        self.query_one(ActionBar).set_class(self.size.height >= _TALL, "-tall")

    async def on_departments_known(self, message: messages.DepartmentsKnown) -> None:
        """Take the departments in."""
        state = replace(self.state, places=tuple(message.places))
        await self._become(state.with_departments(message.departments))

    async def on_queue_arrived(self, message: messages.QueueArrived) -> None:
        """Take a fetched queue in."""
        self.heard()
        asked_at, came_at = message.asked_at, message.came_at
        await self._become(self.state.with_queue(message.queue, asked_at=asked_at, came_at=came_at))
        self._claim()

    def on_trouble(self, message: messages.Trouble) -> None:
        """Say what went wrong and what to do."""
        if message.is_answer:
            self.answered(is_heard=message.is_heard)
        self._tail.refresh()
        self.query_one(Notice).say(message.sentence, message.hint, is_trouble=True)

    async def on_done(self, message: messages.Done) -> None:
        """Say what was done, and remember it in case it must be taken back."""
        self.answered()
        self.query_one(Notice).say(message.sentence)
        if message.token is not None:
            await self._become(self.state.having_moved(message.token, message.verb))

    def on_counter_taken(self, message: messages.CounterTaken) -> None:
        """Ask whether to take the counter over."""
        asked = f"Counter {self.state.counter} is in use by {message.operator}. Take it over?"
        self.in_turn(lambda: self.app.push_screen(Confirm(asked, "f4"), self._take_over))

    async def on_department_chosen(self, message: messages.DepartmentChosen) -> None:
        """Look at the department that was clicked."""
        await self._become(self.state.select(message.department_id))

    async def on_wanted(self, message: messages.Wanted) -> None:
        """Do what was clicked."""
        await self.action_do(message.name)

    async def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Call the person whose row was chosen."""
        event.stop()
        await self.action_do("call_row")

    def on_data_table_row_highlighted(self) -> None:
        """Another row offers other things to do."""
        self._offer()

    async def on_key(self, event: events.Key) -> None:
        """Say why a key does nothing now; the bindings do what can be done."""
        if self.takes(event):
            return
        wanted = next((each for each in ACTIONS if event.key in each.key.split(",")), None)
        if wanted is not None and not is_offered(wanted, self.state, self._marked):
            event.stop()
            self._explain(wanted, why_not(wanted, self.state, self._marked))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Dim the keys of what cannot be done now; while somebody is looked for, no key does anything else."""
        if action != "do":
            return True
        if self.is_finding:
            return False
        return True if is_offered(action_named(str(parameters[0])), self.state, self._marked) else None

    async def action_do(self, name: str) -> None:
        """Carry out the action of that name, asking first where it needs an answer."""
        wanted = action_named(name)
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
                self._ask_counter()
            case "next_department" | "previous_department":
                await self._become(self.state.step(1 if name == "next_department" else -1))
            case _ if is_offered(wanted, self.state, self._marked):
                self._wish(wanted)
            case _:
                self._explain(wanted, why_not(wanted, self.state, self._marked))

    def _explain(self, wanted: ConsoleAction, sentence: str) -> None:
        """Say why not; where an answer is about to be typed, in the way, so that it presses no other keys."""
        if wanted.name in ASKING:
            self.app.push_screen(Tell(sentence))
        else:
            self.query_one(Notice).say(sentence)

    def _wish(self, wanted: ConsoleAction) -> None:
        if self.is_busy:
            if wanted.name in ASKING:
                self._explain(wanted, "The server has not answered the last key yet.")
            return
        if not self.state.counter:
            self._ask_counter()
            return
        undoable = self.state.undoable
        last = undoable.token if undoable else None
        token = {Needs.HELD: self.state.held, Needs.ROW: self._marked, Needs.LAST: last}.get(wanted.needs)
        if wanted.verb == "no-show" and token and (early := too_early(self.state, token)):
            self._explain(wanted, early)
            return
        # The first in line needs no reason: to call that row is to call the next one.
        is_next = wanted.name == "call_row" and token == self.state.next_up
        pending = PendingAction(wanted, self.state, None if is_next else token)
        if needs_looking_up(wanted):
            self.begin(pending, partial(self._look_up, pending))
        else:
            self._ask(pending)

    def _look_up(self, pending: PendingAction) -> None:
        self.call_later(self._ask, looked_up(pending, self._api))

    def _ask(self, pending: PendingAction) -> None:
        self.answered()
        asked = question(pending)
        if asked is None:
            self._send(pending)
            return
        screen, answered = asked

        def take(answer: object) -> None:
            if (made := answered(answer)) is not None:
                self._send(made)

        self.in_turn(lambda: self.app.push_screen(screen, take))

    def _send(self, pending: PendingAction) -> None:
        self.begin(
            pending,
            partial(carry_out, pending, self._api, self.post_message, self._tail.refresh),
            changes=True,
        )

    def _ask_counter(self) -> None:
        taken = ", ".join(self.state.counters_in_use)
        hint = f"Busy now: {taken}." if taken else "Any short name, such as 3 or Window 2."
        ask = AskText("Which counter do you work at?", hint, longest=COUNTER_ID_LENGTH, answer=self.state.counter)
        self.app.push_screen(ask, self._counter_given)

    async def _counter_given(self, counter: str | None) -> None:
        if counter:
            await self._become(self.state.at_counter(counter))
            self._claim(again=True)

    def _take_over(self, is_sure: bool | None) -> None:
        if is_sure:
            self._claim(take_over=True)
        else:
            self._ask_counter()

    def _claim(self, *, take_over: bool = False, again: bool = False) -> None:
        """Work at our counter, as soon as the branch is known."""
        profile = self.state.profile
        if self.state.counter and self.state.queue and profile is not None:
            place = Place(self.state.queue["branchId"], self.state.counter, profile)
            self._lease.work_at(place, take_over=take_over, again=again)

    @property
    def _marked(self) -> TokenView | None:
        marked = self.query_one(WaitingList).marked if self.is_mounted else None
        return self.state.find(marked) if marked is not None else None

    async def _become(self, state: State) -> None:
        self.state = state
        await self._show()

    async def _show(self) -> None:
        state = self.state
        await self.query_one(DepartmentBar).show(state)
        self.query_one("#title", Static).update(place_title(state))
        self.query_one("#line-title", Static).update(line_title(state))
        self._beat()
        self._offer()

    def _offer(self) -> None:
        offered = [is_offered(each, self.state, self._marked) for each in ACTIONS]
        if offered != self._offered:
            # Only then: it builds the whole footer anew.
            self._offered = offered
            self.query_one(ActionBar).show(self.state, self._marked)
            self.refresh_bindings()

    def _beat(self) -> None:
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
