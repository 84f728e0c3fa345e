"""The screen's counter: asked for, claimed, taken over, and asked for again if the server does not know it."""

from tokenq.contract.names import COUNTER_ID_LENGTH
from tokenq.locale import texts
from tokenq_tui.console import messages
from tokenq_tui.console.counter_lease import CounterClaim, CounterLease
from tokenq_tui.console.screens.dialogs import AskText, Confirm
from tokenq_tui.console.screens.search import FindingScreen
from tokenq_tui.console.state import State


class CounterScreen(FindingScreen):
    """A screen at a counter."""

    def __init__(self, lease: CounterLease, state: State) -> None:
        super().__init__()
        self._lease, self.state = lease, state
        self._counter_before = ""

    async def set_state(self, state: State) -> None:
        """Show another state."""
        raise NotImplementedError

    def on_counter_taken(self, message: messages.CounterTaken) -> None:
        """Ask whether to take the counter over."""
        question = texts().gettext(
            "Counter {counter} is in use by {operator}. Take it over?",
            counter=self.state.counter,
            operator=message.operator,
        )
        self.in_turn(lambda: self.app.push_screen(Confirm(question, ("f4",)), self._take_over))

    async def on_counter_refused(self, message: messages.CounterRefused) -> None:
        """Go back to the counter before, ask again, and say what is wrong with the one typed."""
        if message.counter == self.state.counter:
            await self.set_state(self.state.at_counter(self._counter_before))
            self._counter_before = ""
            self.claim_counter(again=True)
            self.in_turn(lambda: self.ask_counter(message.counter, f"{message.sentence} {message.hint}"))

    def ask_counter(self, typed: str = "", refusal: str = "") -> None:
        """Ask for the counter; ``refusal`` says why the one typed before was refused."""
        said, in_use = texts(), ", ".join(self.state.counters_in_use)
        hint = said.gettext("Any short name, such as 3 or Window 2.")
        if in_use:
            hint = said.gettext("In use: {counters}.", counters=in_use)
        answer = typed or self.state.counter
        question = said.gettext("Which counter are you at?")
        ask = AskText(question, hint, longest=COUNTER_ID_LENGTH, answer=answer, refusal=refusal.strip())
        self.app.push_screen(ask, self._counter_given)

    def claim_counter(self, *, take_over: bool = False, again: bool = False) -> None:
        """Claim our counter as soon as its branch is known."""
        profile = self.state.profile
        if self.state.counter and self.state.queue and profile is not None:
            claim = CounterClaim(self.state.queue["branchId"], self.state.counter, profile)
            self._lease.claim(claim, take_over=take_over, again=again)

    async def _counter_given(self, counter: str | None) -> None:
        if counter:
            if counter != self.state.counter:
                self._counter_before = self.state.counter
            await self.set_state(self.state.at_counter(counter))
            self.claim_counter(again=True)

    def _take_over(self, is_confirmed: bool | None) -> None:
        if is_confirmed:
            self.claim_counter(take_over=True)
        else:
            self.ask_counter()
