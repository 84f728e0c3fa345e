"""The desk's application; it owns the client."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from rich.text import Text
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from typing_extensions import override

from tokenq.client import Client
from tokenq.client.events import Arrival, follow
from tokenq.contract.ticket_views import TicketView
from tokenq.locale import texts
from tokenq.paper.commands import as_commands
from tokenq.paper.layout import Design, ticket_parts
from tokenq.paper.printing import send
from tokenq.printable import printable
from tokenq.settings import is_debugging
from tokenq_tui.desk import messages
from tokenq_tui.desk.issuing import Actor, Issuer, Note, Printer
from tokenq_tui.desk.screens.kiosk import KioskScreen
from tokenq_tui.desk.screens.main import DeskScreen
from tokenq_tui.desk.tail import Feed, Reader, Tail
from tokenq_tui.error_boundary import ErrorBoundary
from tokenq_tui.faults import RecentFaults, describe, tracebacks
from tokenq_tui.theme import DARK, LIGHT

_FETCH_TIMEOUT = 5.0


class DeskApp(ErrorBoundary, App[None]):
    """The front desk, or a kiosk. ``reader`` fetches queues, ``actor`` does everything else, each in its thread."""

    TITLE = "tokenq desk"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "leave", show=False, priority=True),
        Binding("ctrl+q", "leave", show=False),
    ]

    def __init__(
        self,
        reader: Reader,
        actor: Actor,
        feed: Feed,
        departments: Sequence[str] = (),
        *,
        printer: Printer | None = None,
        self_service: bool = False,
        exit_pin: str = "",
        light: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._tail = Tail(reader, feed, departments, self._pass_on, self_service=self_service)
        issuer = Issuer(actor, printer, self._pass_on)
        self._is_kiosk = self_service
        self.main = (
            KioskScreen(self._tail, issuer, clock, exit_pin) if self_service else DeskScreen(self._tail, issuer, clock)
        )
        self._faults = RecentFaults()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = LIGHT.name if light else DARK.name

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen."""
        return self.main

    def action_leave(self) -> None:
        """Quit; a kiosk is left by its code only."""
        if not self._is_kiosk:
            self.exit()

    def on_unmount(self) -> None:
        """Stop fetching."""
        self._tail.stop()

    @override
    def _handle_exception(self, error: Exception) -> None:
        """Go on after errors in the desk's own code, on which Textual would exit with a traceback."""
        description, said = describe(error), texts()
        if self.main.is_up and not self._faults.is_too_much():
            if self._faults.is_new(description):
                sentence = said.gettext("This desk has a fault ({error}).", error=description)
                self._pass_on(messages.Failed(sentence, said.gettext("It goes on.")))
            return
        sentence = said.gettext("This is a bug in tokenq: {error}.", error=description)
        self._give_up(messages.Failed(sentence, said.gettext("Start it again."), 1))

    def _pass_on(self, message: Message) -> None:
        if isinstance(message, messages.Failed) and message.exit_code and not self._is_kiosk:
            self.call_later(self._give_up, message)
        else:
            self.main.post_message(message)

    def _give_up(self, failed: messages.Failed) -> None:
        text = Text(printable(failed.sentence) + "\n" + printable(failed.hint))
        self.exit(return_code=failed.exit_code, message=text)


def run(
    *,
    client: Client,
    departments: Sequence[str] = (),
    printer: str | None = None,
    design: Design | None = None,
    self_service: bool = False,
    exit_pin: str = "",
    light: bool = False,
) -> int:
    """Run the desk and return its exit code (5 if the server denies access)."""
    server = client.server
    reader = client.clone(timeout=_FETCH_TIMEOUT, attempts=1)

    def feed(followed: Sequence[str], stop: threading.Event) -> Iterator[Arrival]:
        return follow(server, followed, None, stop)

    app = DeskApp(
        reader,
        client,
        feed,
        departments,
        printer=_printer(printer, design or Design()) if printer else None,
        self_service=self_service,
        exit_pin=exit_pin,
        light=light,
    )
    app.run()
    if is_debugging():
        sys.stderr.write(tracebacks())
    return app.return_code or 0


def _printer(address: str, design: Design) -> Printer:
    def print_ticket(ticket: TicketView, note: Note) -> None:
        send(address, as_commands(ticket_parts(ticket, design), design, ticket["language"], note), note)

    return print_ticket
