"""What the screen does while the server owes an answer: it says so, and is not live; nobody has to wait for it."""

import threading
from collections.abc import Callable
from functools import partial

from textual.screen import Screen

from tokenq.zones import local
from tokenq_tui.console import messages
from tokenq_tui.console.errors import GOES_ON, answer
from tokenq_tui.console.execution import PendingAction
from tokenq_tui.console.state import State
from tokenq_tui.console.widgets.notice import Notice
from tokenq_tui.error_boundary import ErrorBoundary
from tokenq_tui.link_badge import Health, LinkBadge

LATE = 0.7
"""Seconds after which the screen says that it waits for an answer."""


class PendingRequestScreen(ErrorBoundary, Screen[None]):
    """Keeps what was asked of the server until it is answered; ``at_stake`` is that if it changes something there."""

    state: State

    def __init__(self) -> None:
        super().__init__()
        self.pending: PendingAction | None = None
        self.at_stake: PendingAction | None = None
        self.is_up = False
        self._is_late = False
        self._is_unheard = False
        self._link: tuple[Health, str] = (Health.CONNECTING, "")

    @property
    def is_busy(self) -> bool:
        """Whether the server has not answered yet what was asked last."""
        return self.pending is not None

    def begin(self, pending: PendingAction, work: Callable[[], None], *, changes: bool = False) -> None:
        """Ask the server in a thread that nobody waits for: who leaves while it is silent leaves at once."""
        self.pending, self.at_stake = pending, pending if changes else None
        self.set_timer(LATE, partial(self._say_late, pending))
        try:
            asking = partial(self._ask_server, pending, work, changes=changes)
            threading.Thread(target=asking, name="console-command", daemon=True).start()
        except Exception as error:  # the machine has no thread left: nothing was sent
            self.post_message(answer(pending.told, error, changes=False))

    def _ask_server(self, pending: PendingAction, work: Callable[[], None], *, changes: bool) -> None:
        """In the thread: whatever is raised there ends the wait for an answer, too."""
        try:
            work()
        except BaseException as error:
            self.post_message(answer(pending.told, error, changes=changes))

    def answered(self, *, is_heard: bool = True) -> None:
        """The answer has come; without ``is_heard`` only the end of the wait for one."""
        self.pending = self.at_stake = None
        was_late, self._is_late, self._is_unheard = self._is_late, False, not is_heard
        self._show_link()
        if was_late:
            self.query_one(Notice).take_back()

    def heard(self) -> None:
        """The server has said something, whatever it was asked."""
        if self._is_unheard:
            self._is_unheard = False
            self._show_link()

    def on_link_moved(self, message: messages.LinkMoved) -> None:
        """Say on the badge how true the screen is."""
        since = f"since {local(message.since, self.state.zone):%H:%M}" if message.since else ""
        self._link = (message.health, since)
        self._show_link()

    def tell_fault(self, words: str) -> None:
        """Say that the console itself has failed somewhere, and goes on."""
        self.query_one(Notice).say(f"Something failed in this console ({words}).", GOES_ON, is_trouble=True)

    def _say_late(self, pending: PendingAction) -> None:
        if self.pending is pending:
            self._is_late = True
            self._show_link()
            self.query_one(Notice).say("Waiting for the server …", stays=True)

    def _show_link(self) -> None:
        """The badge tells what the events tell, but is not live while the server owes an answer, or has kept one."""
        health, since = self._link
        if (self._is_late or self._is_unheard) and health is Health.LIVE:
            health, since = Health.STALE, "no answer"
        self.query_one(LinkBadge).show(health, since)
