"""The console as an application: it owns the client and nothing else does."""

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
from tokenq.printable import printable
from tokenq.settings import is_debugging
from tokenq_tui.console import messages
from tokenq_tui.console.actions import ACTIONS
from tokenq_tui.console.counter_lease import CounterApi, CounterLease
from tokenq_tui.console.errors import Recent, in_words, tracebacks
from tokenq_tui.console.execution import unanswered
from tokenq_tui.console.screens.serving import ServingScreen
from tokenq_tui.console.state import State
from tokenq_tui.console.tail import ApiPort, Feed, Tail
from tokenq_tui.error_boundary import ErrorBoundary
from tokenq_tui.theme import DARK, LIGHT

_FETCH_TIMEOUT = 5.0
_PATIENCE = 0.4
"""Seconds to wait at the end: what was sent by then is carried out, though nobody hears of it."""


class ConsoleApp(ErrorBoundary, App[None]):
    """Staff's screen.

    ``reader`` fetches queues, ``actor`` carries out commands, ``keeping`` keeps the counter ours (without it, the
    actor does); one thread at a time uses each.
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
        keeping: CounterApi | None = None,
        light: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._tail = Tail(reader, feed, departments, self._pass_on)
        state = State(counter=counter or "", is_chosen=bool(departments)).with_departments(departments)
        self._lease = CounterLease(keeping or actor, self._pass_on)
        self.main = ServingScreen(self._tail, self._lease, actor, state, clock)
        self._faults = Recent()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = LIGHT.name if light else DARK.name

    def get_default_screen(self) -> Screen[None]:
        """The one main screen."""
        return self.main

    @override
    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every action that can be done now, and the other colours."""
        main = self.main
        for each in ACTIONS:
            if main.check_action("do", (each.name,)):
                yield SystemCommand(each.label, f"{each.help} ({each.shown_key})", partial(main.action_do, each.name))
        yield SystemCommand("Light or dark", "Change between the light and the dark colours.", self.action_other_theme)

    @override
    async def action_quit(self) -> None:
        """Leave, and say on the terminal what was not answered."""
        pending = self.main.at_stake
        self.exit(message=Text(printable(unanswered(pending), 300)) if pending else None)

    def action_other_theme(self) -> None:
        """Change between light and dark."""
        self.theme = DARK.name if self.theme == LIGHT.name else LIGHT.name

    def on_unmount(self) -> None:
        """Stop fetching, and give the counter back if the server answers in time."""
        self._tail.stop()
        self._lease.stop(_PATIENCE)

    @override
    def _handle_exception(self, error: Exception) -> None:
        """Whatever the console's own code raises: Textual would leave, with a traceback on the terminal."""
        words = in_words(error)
        try:
            if self.main.is_up and not self._faults.is_too_much():
                if self._faults.is_new(words):
                    self.main.tell_fault(words)
                return
        except Exception as worse:
            words = in_words(worse)
        hint = "Start it again. With TOKENQ_DEBUG=1 it shows at the end what happened: report that."
        self._give_up(messages.Trouble(f"This is a bug in tokenq: {words}.", hint, 1))

    def _pass_on(self, message: Message) -> None:
        if isinstance(message, messages.Trouble) and message.exit_code:
            self.call_later(self._give_up, message)
        else:
            self.main.post_message(message)

    def _give_up(self, trouble: messages.Trouble) -> None:
        text = Text(printable(trouble.sentence) + "\n" + printable(trouble.hint))
        self.exit(return_code=trouble.exit_code, message=text)


def run(*, client: Client, departments: Sequence[str] = (), counter: str | None = None, light: bool = False) -> int:
    """Serve until the person leaves; the answer is the exit code (5 when the server does not let them in).

    ``departments`` empty means all that the person may serve; without a ``counter`` the screen asks for it.
    """
    server = client.server
    reader = Client(server.url, server.token, _FETCH_TIMEOUT, insecure=server.insecure, attempts=1)

    def feed(ids: Sequence[str], stop: threading.Event) -> Iterator[Arrival]:
        return follow(server, ids, None, stop)

    wanted = [department.strip().upper() for department in departments]
    lease = Client(server.url, server.token, _FETCH_TIMEOUT, insecure=server.insecure, attempts=1)
    client.console = lease.console = secrets.token_hex(8)
    app = ConsoleApp(reader, client, feed, wanted, counter, keeping=lease, light=light)
    app.run()
    if is_debugging():
        sys.stderr.write(tracebacks())
    return app.return_code or 0
