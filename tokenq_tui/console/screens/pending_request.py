"""What the screen does while a request is pending: it says so and is not live, but never blocks the user."""

import threading
from collections.abc import Callable
from functools import partial

from textual.screen import Screen

from tokenq.locale import texts
from tokenq.zones import local
from tokenq_tui.console import messages
from tokenq_tui.console.errors import continues, failure
from tokenq_tui.console.execution import PendingAction
from tokenq_tui.console.state import State
from tokenq_tui.console.widgets.notice import Notice
from tokenq_tui.error_boundary import ErrorBoundary
from tokenq_tui.link_badge import Health, LinkBadge

LATE = 0.7
"""Seconds after which the screen shows that it is waiting for a response."""


class PendingRequestScreen(ErrorBoundary, Screen[None]):
    """Holds the pending request; ``at_stake`` is that request if it changes something on the server."""

    state: State

    def __init__(self) -> None:
        super().__init__()
        self.pending: PendingAction | None = None
        self.at_stake: PendingAction | None = None
        self.is_up = False
        self._is_late = False
        self._is_unanswered = False
        self._link: tuple[Health, str] = (Health.CONNECTING, "")

    @property
    def is_busy(self) -> bool:
        """Whether a request is pending."""
        return self.pending is not None

    def begin(self, pending: PendingAction, work: Callable[[], None], *, changes: bool = False) -> None:
        """Send the request in a daemon thread, so that quitting does not wait for a silent server."""
        self.pending, self.at_stake = pending, pending if changes else None
        self.set_timer(LATE, partial(self._say_late, pending))
        try:
            target = partial(self._send_request, pending, work, changes=changes)
            threading.Thread(target=target, name="console-command", daemon=True).start()
        except Exception as error:  # no thread could be started, so nothing was sent
            self.post_message(failure(pending.description, error, changes=False, keys=self.state.keys))

    def _send_request(self, pending: PendingAction, work: Callable[[], None], *, changes: bool) -> None:
        """Run in the thread; any exception also completes the request."""
        try:
            work()
        except BaseException as error:
            self.post_message(failure(pending.description, error, changes=changes, keys=self.state.keys))

    def answered(self, *, is_from_server: bool = True) -> None:
        """Complete the pending request; without ``is_from_server`` it ended without a response."""
        self.pending = self.at_stake = None
        was_late, self._is_late, self._is_unanswered = self._is_late, False, not is_from_server
        self._show_link()
        if was_late:
            self.query_one(Notice).hide()

    def heard(self) -> None:
        """Note that the server responded to some request."""
        if self._is_unanswered:
            self._is_unanswered = False
            self._show_link()

    def on_link_moved(self, message: messages.LinkMoved) -> None:
        """Show the state of the link on the badge."""
        since = ""
        if message.since:
            clock = f"{local(message.since, self.state.zone):%H:%M}"
            since = texts().gettext("since {time}", time=clock)
        self._link = (message.health, since)
        self._show_link()

    def show_fault(self, description: str) -> None:
        """Report a failure of the console itself, which keeps running."""
        sentence = texts().gettext("Something failed in this console ({error}).", error=description)
        self.query_one(Notice).say(sentence, continues(self.state.keys), is_trouble=True)

    def _say_late(self, pending: PendingAction) -> None:
        if self.pending is pending:
            self._is_late = True
            self._show_link()
            self.query_one(Notice).say(texts().gettext("Waiting for the server …"), stays=True)

    def _show_link(self) -> None:
        """Update the badge: the state of the event stream, but not live while a response is late or missing."""
        health, since = self._link
        if (self._is_late or self._is_unanswered) and health is Health.LIVE:
            health, since = Health.STALE, texts().gettext("no answer")
        self.query_one(LinkBadge).show(health, since)
