"""The console's main screen: turns messages into state, and actions into requests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from textual import events
from textual.widgets import DataTable

from tokenq.contract.views import TokenView
from tokenq.locale import texts
from tokenq_tui.console import messages
from tokenq_tui.console.actions import ACTIONS, ASKING, FOOTER_FIRST, ConsoleAction, Needs, action_named
from tokenq_tui.console.api_port import ApiPort
from tokenq_tui.console.availability import is_available, too_early, why_unavailable
from tokenq_tui.console.counter_lease import CounterLease
from tokenq_tui.console.details import DetailsArrived, DetailsFetcher
from tokenq_tui.console.execution import PendingAction, carry_out, look_up, needs_lookup
from tokenq_tui.console.keys import action_of, keys_of, shown_key
from tokenq_tui.console.screens.dialogs import Explain, Help
from tokenq_tui.console.screens.prompts import question
from tokenq_tui.console.screens.view import ServingView
from tokenq_tui.console.state import State
from tokenq_tui.console.tail import Tail
from tokenq_tui.console.widgets.find_line import FindLine
from tokenq_tui.console.widgets.notice import Notice
from tokenq_tui.console.widgets.waiting_list import WaitingList
from tokenq_tui.link_badge import Health, LinkBadge


class ServingScreen(ServingView):
    """The main screen."""

    AUTO_FOCUS = "WaitingList"

    def __init__(
        self,
        tail: Tail,
        lease: CounterLease,
        details: DetailsFetcher,
        api: ApiPort,
        state: State,
        clock: Callable[[], datetime],
        *,
        has_bell: bool = True,
    ) -> None:
        super().__init__(lease, details, state, clock)
        self._tail, self._api, self._has_bell = tail, api, has_bell
        for action in sorted(ACTIONS, key=_place_in_footer):
            for place, key in enumerate(keys_of(action, state.keys)):
                self._bindings.bind(
                    key,
                    f"do('{action.name}')",
                    action.shown_label,
                    key_display=shown_key(action.name, state.keys),
                    show=action.is_in_footer and not place,
                )

    async def on_mount(self) -> None:
        """Start the clock and the fetching, and ask for the counter if none is set."""
        self.query_one(LinkBadge).show(Health.CONNECTING)
        self.set_interval(1.0, self._draw)
        await self._show()
        self._tail.start()
        self._lease.start()
        self._details_fetcher.start()
        if not self.state.counter:
            self.ask_counter()
        self.is_up = True

    async def on_departments_loaded(self, message: messages.DepartmentsLoaded) -> None:
        """Set the departments."""
        state = replace(self.state, all_departments=tuple(message.all_departments))
        await self.set_state(state.with_departments(message.departments))

    async def on_queue_arrived(self, message: messages.QueueArrived) -> None:
        """Update the state with a fetched queue."""
        self.heard()
        before = self.state
        times = {"requested_at": message.requested_at, "received_at": message.received_at}
        await self.set_state(self.state.with_queue(message.queue, **times).without_unneeded())
        self._tail.follow_also(self.state.beyond)
        self._announce(self.state.first_arrival(before, message.queue["departmentId"]))
        self.claim_counter()

    def _announce(self, token: TokenView | None) -> None:
        """Ring for the first customer in a line that was empty, who might not be seen otherwise."""
        if token is not None and self._has_bell:
            self.app.bell()
            number, department = token["displayNumber"], token["departmentId"]
            self.query_one(Notice).say(
                texts().gettext(
                    "{number} has arrived; nobody waited in {department}.", number=number, department=department
                )
            )

    def on_details_arrived(self, message: DetailsArrived) -> None:
        """Show more about people."""
        self._details = message.details
        self._want_details()

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
        """Update the actions and the details for another row."""
        self._show_available()
        self._want_details()

    async def on_key(self, event: events.Key) -> None:
        """Explain why a key does nothing now; the bindings handle the available ones."""
        if self.takes(event):
            return
        action = action_of(event.key, self.state.keys)
        if action is not None and not is_available(action, self.state, self.current_token):
            event.stop()
            self._explain(action, why_unavailable(action, self.state, self.current_token))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Dim the keys of unavailable actions; during a search all keys are off."""
        if action != "do":
            return True
        if self.is_finding:
            return False
        return True if is_available(action_named(str(parameters[0])), self.state, self.current_token) else None

    async def action_do(self, name: str) -> None:
        """Carry out an action, after its dialog if it has one."""
        action = action_named(name)
        match name:
            case "quit":
                await self.app.action_quit()
            case "find":
                self.query_one(FindLine).open()
            case "help":
                self.app.push_screen(Help(self.state.keys))
            case "palette":
                self.app.action_command_palette()
            case "unmark":
                await self.set_state(self.state.with_marks(()))
            case "refresh":
                self._tail.refresh()
            case "counter":
                self.ask_counter()
            case "next_department" | "previous_department":
                await self.set_state(self.state.step(1 if name == "next_department" else -1))
            case "mark" if self.current_token is not None:
                await self._change_mark(self.current_token)
            case _ if is_available(action, self.state, self.current_token):
                self._start_action(action)
            case _:
                self._explain(action, why_unavailable(action, self.state, self.current_token))

    async def _change_mark(self, token: TokenView) -> None:
        """Mark, or remove the mark, and go on to the next row, so that many are marked by holding the key."""
        await self.set_state(self.state.with_mark_changed(token["tokenId"]))
        self.query_one(WaitingList).action_cursor_down()

    def _explain(self, action: ConsoleAction, sentence: str) -> None:
        """Show why not; in a dialog if the user may already be typing an answer, so that it triggers no keys."""
        if action.name in ASKING:
            self.app.push_screen(Explain(sentence))
        else:
            self.query_one(Notice).say(sentence)

    def _start_action(self, action: ConsoleAction) -> None:
        if self.is_busy:
            if action.name in ASKING:
                self._explain(action, texts().gettext("The last request is still pending."))
            return
        if not self.state.counter:
            self.ask_counter()
            return
        token = self._token_for(action)
        if action.verb == "no-show" and token and (early := too_early(self.state, token)):
            self._explain(action, early)
            return
        # Calling the first row is the same as calling the next one and needs no reason.
        is_next = action.name == "call_row" and token == self.state.next_up
        several = self.state.marked if action.is_for_marked else ()
        pending = PendingAction(action, self.state, None if is_next or several else token, tokens=several)
        if needs_lookup(action):
            self.begin(pending, partial(self._look_up, pending))
        else:
            self._ask(pending)

    def _token_for(self, action: ConsoleAction) -> TokenView | None:
        undoable = self.state.undoable
        last = undoable.token if undoable else None
        return {Needs.HELD: self.state.held, Needs.ROW: self.current_token, Needs.LAST: last}.get(action.needs)

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


def _place_in_footer(action: ConsoleAction) -> int:
    return FOOTER_FIRST.index(action.name) if action.name in FOOTER_FIRST else len(FOOTER_FIRST)
