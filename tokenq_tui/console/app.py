"""The console application; it owns the client."""

import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from typing_extensions import override

from tokenq.client import Client
from tokenq.client.events import Arrival, follow
from tokenq.locale import texts
from tokenq.printable import printable
from tokenq.settings import Settings, is_debugging
from tokenq_tui.console import messages
from tokenq_tui.console.actions import ACTIONS
from tokenq_tui.console.api_port import ApiPort, Feed
from tokenq_tui.console.counter_lease import CounterApi, CounterLease
from tokenq_tui.console.details import DetailsFetcher
from tokenq_tui.console.execution import unanswered
from tokenq_tui.console.keys import shown_key
from tokenq_tui.console.preferences import DARK_THEME, LIGHT_THEME, Preferences, preferences_of
from tokenq_tui.console.screens.serving import ServingScreen
from tokenq_tui.console.state import State
from tokenq_tui.console.tail import Tail
from tokenq_tui.error_boundary import ErrorBoundary
from tokenq_tui.faults import RecentFaults, describe, tracebacks
from tokenq_tui.theme import DARK, LIGHT

_FETCH_TIMEOUT = 5.0
_RELEASE_TIMEOUT = 0.4
"""Seconds to wait on exit; requests sent by then are carried out, though their responses are not awaited."""


class ConsoleApp(ErrorBoundary, App[None]):
    """The staff console.

    ``reader`` fetches queues, ``actor`` carries out commands, ``lease_api`` renews the counter lease (default: the
    actor); each is used by one thread at a time.
    """

    TITLE = "tokenq console"
    CSS_PATH = "console.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "quit", "Quit", show=False, priority=True)]

    def __init__(
        self,
        reader: ApiPort,
        actor: ApiPort,
        feed: Feed,
        departments: Sequence[str] = (),
        counter: str | None = None,
        *,
        lease_api: CounterApi | None = None,
        details_api: ApiPort | None = None,
        preferences: Preferences = Preferences(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._tail = Tail(reader, feed, departments, self._pass_on)
        keys = preferences.keys
        state = State(counter=counter or "", is_chosen=bool(departments), keys=keys).with_departments(departments)
        self._lease = CounterLease(lease_api or actor, self._pass_on, keys=keys)
        self._details = DetailsFetcher(details_api or reader, self._pass_on)
        self._preferences = preferences
        self.main = ServingScreen(
            self._tail, self._lease, self._details, actor, state, clock, has_bell=preferences.has_bell
        )
        self._faults = RecentFaults()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = LIGHT.name if preferences.is_light else DARK.name
        # The palette is an action like the others, so that its key is shown and can be changed.
        self._bindings.key_to_bindings.pop(self.COMMAND_PALETTE_BINDING, None)

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen."""
        return self.main

    @override
    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield the palette's entries: every action possible now, and the theme switch."""
        for action in ACTIONS:
            if self.main.check_action("do", (action.name,)):
                run_action = partial(self.main.action_do, action.name)
                key = shown_key(action.name, self._preferences.keys)
                yield SystemCommand(action.shown_label, f"{action.shown_help} ({key})", run_action)
        said = texts()
        title, text = said.gettext("Light or dark"), said.gettext("Switch between the light and the dark theme.")
        yield SystemCommand(title, text, self.action_other_theme)

    @override
    async def action_quit(self) -> None:
        """Quit, and report on the terminal a request that was not answered."""
        pending = self.main.at_stake
        self.exit(message=Text(printable(unanswered(pending), 300)) if pending else None)

    def action_other_theme(self) -> None:
        """Switch between light and dark, also for the next time."""
        self.theme = DARK.name if self.theme == LIGHT.name else LIGHT.name
        try:
            self._preferences.keep_theme(DARK_THEME if self.theme == DARK.name else LIGHT_THEME)
        except OSError as error:
            sentence = texts().gettext("The theme could not be stored for the next time: {error}.", error=str(error))
            self.main.post_message(messages.Trouble(sentence))

    @property
    def unserved(self) -> list[str]:
        """Who waits where nobody serves since our counter was released."""
        return self._lease.unserved

    def on_unmount(self) -> None:
        """Stop fetching, and release the counter if the server answers in time."""
        self._tail.stop()
        self._details.stop()
        self._lease.stop(_RELEASE_TIMEOUT)

    @override
    def _handle_exception(self, error: Exception) -> None:
        """Handle errors in the console's own code, on which Textual would exit with a traceback."""
        description = describe(error)
        try:
            if self.main.is_up and not self._faults.is_too_much():
                if self._faults.is_new(description):
                    self.main.show_fault(description)
                return
        except Exception as worse:
            description = describe(worse)
        said = texts()
        hint = said.gettext("Start it again with TOKENQ_DEBUG=1 and report the traceback that it prints at the end.")
        sentence = said.gettext("This is a bug in tokenq: {error}.", error=description)
        self._give_up(messages.Trouble(sentence, hint, 1))

    def _pass_on(self, message: Message) -> None:
        if isinstance(message, messages.Trouble) and message.exit_code:
            self.call_later(self._give_up, message)
        else:
            self.main.post_message(message)

    def _give_up(self, trouble: messages.Trouble) -> None:
        text = Text(printable(trouble.sentence) + "\n" + printable(trouble.hint))
        self.exit(return_code=trouble.exit_code, message=text)


def run(*, client: Client, departments: Sequence[str] = (), settings: Settings) -> int:
    """Run the console and return its exit code (5 if the server denies access).

    Without ``departments``, all that the user may serve; without a counter in the settings the screen asks for it.

    Raises:
        Refused: a setting of the console is wrong.
    """
    preferences = preferences_of(settings)
    server = client.server
    reader = client.clone(timeout=_FETCH_TIMEOUT, attempts=1)

    def feed(followed: Sequence[str], stop: threading.Event) -> Iterator[Arrival]:
        return follow(server, followed, None, stop)

    ids = [department.strip().upper() for department in departments]
    lease = client.clone(timeout=_FETCH_TIMEOUT, attempts=1)
    client.console = lease.console = secrets.token_hex(8)
    details = client.clone(timeout=_FETCH_TIMEOUT, attempts=1)
    app = ConsoleApp(
        reader,
        client,
        feed,
        ids,
        settings.counter,
        lease_api=lease,
        details_api=details,
        preferences=preferences,
    )
    app.run()
    for sentence in app.unserved:
        sys.stderr.write(f"{printable(sentence, 300)}\n")
    if is_debugging():
        sys.stderr.write(tracebacks())
    return app.return_code or 0
