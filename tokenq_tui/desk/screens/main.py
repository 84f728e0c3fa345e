"""The desk's main screen: departments as keys, what was done last, and actions or languages below."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from math import inf
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tokenq.contract.views import TokenView
from tokenq.locale import Texts, languages, texts
from tokenq.locale.waits import estimated
from tokenq.printable import printable
from tokenq.zones import local
from tokenq_tui.desk import messages
from tokenq_tui.desk.issuing import Issuer, Request
from tokenq_tui.desk.keystrokes import Keystrokes
from tokenq_tui.desk.screens.dialogs import AskLine, DetailsDialog, TokenDialog
from tokenq_tui.desk.screens.issued import IssuedScreen
from tokenq_tui.desk.state import DeskState, Details, can_take_back
from tokenq_tui.desk.tail import Tail
from tokenq_tui.desk.widgets.bar import Bar, Touchable, bar_width
from tokenq_tui.desk.widgets.department_keys import ARROWS, DepartmentKey, DepartmentKeys
from tokenq_tui.desk.widgets.notice import Notice
from tokenq_tui.error_boundary import ErrorBoundary
from tokenq_tui.link_badge import Health, LinkBadge

REPEAT_SECONDS = 0.8
"""A key of a department that is held down, or bounces, is one press."""
SHOWN_SECONDS = 12.0
_NARROWEST_NAME, _WIDEST_NAME = 8, 16
_BAD, _GOOD = "bold $error", "bold $success"


class DeskScreen(ErrorBoundary, Screen[None]):
    """The front desk of staff."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [*ARROWS]
    DEFAULT_CSS = """
    DeskScreen { background: $background; }
    DeskScreen #top { height: 1; padding: 0 2; background: $panel; }
    DeskScreen #title { width: 1fr; }
    DeskScreen #clock { width: auto; padding: 0 3; text-style: bold; }
    """

    def __init__(self, tail: Tail, issuer: Issuer, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.state = DeskState()
        self.is_up = False
        self._tail, self._issuer, self._clock = tail, issuer, clock
        self._keystrokes = Keystrokes(self._press, self.find, self.set_timer, self.call_later)
        self._pressed: dict[str, float] = {}
        self._is_offline = self._says_offline = False

    @property
    def own(self) -> Texts:
        """The texts of whoever works here."""
        return texts()

    def compose(self) -> ComposeResult:
        """Yield the widgets."""
        with Horizontal(id="top"):
            yield Static("", id="title", markup=False)
            yield Static("", id="clock", markup=False)
            yield LinkBadge(markup=False)
        yield DepartmentKeys(self.state, self.own)
        yield Notice(markup=False)
        yield Bar()

    async def on_mount(self) -> None:
        """Start."""
        self.query_one(LinkBadge).show(Health.CONNECTING)
        self.set_interval(1.0, self._draw_top)
        await self.show_bar()
        self._tail.start()
        self.is_up = True

    async def on_resize(self) -> None:
        """Shorten or lengthen the names of actions."""
        await self.show_bar()

    async def on_departments_loaded(self, message: messages.DepartmentsLoaded) -> None:
        """Show the departments."""
        branch, known = message.branch, languages()
        spoken = tuple(each for each in branch["languages"] if each in known) or known[:1]
        self.state = replace(
            self.state,
            departments=tuple(message.departments),
            branch=branch["name"],
            zone=branch["timezone"],
            languages=spoken,
            counter_words=branch["counterWords"],
            language=self.state.language or spoken[0],
        )
        self._draw()
        await self.show_bar()

    def on_queue_arrived(self, message: messages.QueueArrived) -> None:
        """Show who waits."""
        self.state = self.state.with_queue(message.queue)
        self._draw()

    def on_link_moved(self, message: messages.LinkMoved) -> None:
        """Say that no numbers can be issued, or that they can be again."""
        self.query_one(LinkBadge).show(message.health)
        if message.health is Health.OFFLINE:
            self._is_offline = True
            self.say_offline(message.why)
            self._says_offline = True
        else:
            self._is_offline = False
            if self._says_offline:
                self.say("")

    # Textual calls the handlers of a class and of its base; what a kiosk does otherwise is therefore no handler.

    def on_failed(self, message: messages.Failed) -> None:
        """Say what was refused or failed."""
        self.show_failed(message)

    def on_still_trying(self, message: messages.StillTrying) -> None:
        """Say that the answer is awaited."""
        self.show_still_trying(message)

    async def on_issued(self, message: messages.Issued) -> None:
        """Say which number was issued."""
        await self.show_issued(message)

    def on_key(self, event: events.Key) -> None:
        """Take keys and scans."""
        self.take_key(event)

    def show_failed(self, message: messages.Failed) -> None:
        """Say what was refused or failed."""
        self.say(message.sentence, message.hint, _BAD)

    def show_still_trying(self, message: messages.StillTrying) -> None:
        """Say that the answer is awaited."""
        sentence = self.own.gettext("The server does not answer. The request is repeated; nobody gets two numbers.")
        self.say(sentence, f"{message.why} {self.own.gettext('Esc: do not wait.')}", _BAD)

    async def show_issued(self, message: messages.Issued) -> None:
        """Say which number it is; show it very large if there is no ticket."""
        token, number = message.token, message.token["displayNumber"]
        self.state = replace(self.state, last=token, details=Details())
        self._tail.refresh(token["departmentId"])
        await self.show_bar()
        if message.is_printed:
            self.say(self.own.gettext("{number} is issued and printed.", number=number), " ".join(message.notes), _GOOD)
            return
        self.say_issued(message)
        self._show_large(token)

    def say_issued(self, message: messages.Issued) -> None:
        """Say that there is no ticket, and why."""
        sentence = self.own.gettext("{number} is issued.", number=message.token["displayNumber"])
        hint = self.own.gettext("p prints the ticket again.") if message.trouble else ""
        self.say(f"{sentence} {message.trouble}".strip(), hint, _BAD if message.trouble else _GOOD)

    def on_printed(self, message: messages.Printed) -> None:
        """Say whether a ticket was printed again."""
        number = message.token["displayNumber"]
        if message.trouble:
            self.say(f"{number}: {message.trouble}", self.own.gettext("p prints the ticket again."), _BAD)
        else:
            self.say(self.own.gettext("{number} is printed.", number=number), " ".join(message.notes), _GOOD)

    async def on_taken_back(self, message: messages.TakenBack) -> None:
        """Say which number was taken back."""
        self.state = replace(self.state, last=None)
        self._tail.refresh(message.token["departmentId"])
        self.say(self.own.gettext("{number} is taken back.", number=message.token["displayNumber"]), "", _GOOD)
        await self.show_bar()

    def on_found(self, message: messages.Found) -> None:
        """Show a token that was typed or scanned."""
        dialog = TokenDialog(message.token, self.state, self.own, has_printer=self._issuer.has_printer)

        def closed(answer: str | None) -> None:
            if answer == TokenDialog.PRINT:
                self._issuer.print_again(message.token)
            elif answer:
                self.find(answer)

        self.app.push_screen(dialog, closed)

    def on_department_chosen(self, message: messages.DepartmentChosen) -> None:
        """Issue a number."""
        self.issue(message.department)

    def on_action_chosen(self, message: messages.ActionChosen) -> None:
        """Do what was touched."""
        self._press(message.key)

    def take_key(self, event: events.Key) -> None:
        """Take keys and scans; Enter ends a scan, or chooses the department with the focus."""
        if event.is_printable and event.character:
            event.stop()
            self._keystrokes.add(event.character)
        elif event.key == "enter" and not self._keystrokes.enter() and isinstance(self.focused, DepartmentKey):
            self.issue(self.focused.department)
        elif event.key == "escape":
            self._issuer.give_up()

    def issue(self, department: str) -> None:
        """Issue a number, unless the key is only held down."""
        now = time.monotonic()
        before, self._pressed[department] = self._pressed.get(department, -inf), now
        if now - before >= REPEAT_SECONDS and not self._issuer.is_busy:
            self.say(self.own.gettext("One moment …"), "", "$quiet")
            self._issuer.issue(self.request(department))

    def request(self, department: str) -> Request:
        """Return what to ask for."""
        return Request(department, self.state.details)

    def find(self, reference: str) -> None:
        """Look a typed or scanned number up."""
        self._issuer.find(reference)

    def say(self, sentence: str, hint: str = "", style: str = "bold") -> None:
        """Show a sentence."""
        self._says_offline = False
        self.query_one(Notice).say(sentence, hint, style)

    def say_offline(self, why: str) -> None:
        """Say that the server is away."""
        self.say(self.own.gettext("No numbers can be issued at the moment; this desk keeps trying."), why, _BAD)

    async def show_bar(self) -> None:
        """Show the actions that are possible."""
        await self.query_one(Bar).show(
            Touchable(label, messages.ActionChosen(key), key=key) for key, label in self._actions()
        )

    def _actions(self) -> list[tuple[str, str]]:
        """Return the keys and names of actions, short ones where there is little room."""
        long = self._named_actions(is_wide=True)
        return long if bar_width(long) <= self.size.width else self._named_actions(is_wide=False)

    def _named_actions(self, *, is_wide: bool) -> list[tuple[str, str]]:
        own, last = self.own, self.state.last
        details = str(self.state.details)
        details = printable(details, _WIDEST_NAME if is_wide else _NARROWEST_NAME)
        actions = [("n", own.gettext("For {details}", details=details) if details else own.gettext("Name"))]
        if can_take_back(last) and last:
            take_back = own.gettext("Take back {number}", number=last["displayNumber"]) if is_wide else ""
            actions.append(("u", take_back or own.gettext("Take back")))
            if self._issuer.has_printer:
                actions.append(("p", own.gettext("Print again")))
        return [*actions, ("/", own.gettext("Find")), ("q", own.gettext("Quit"))]

    def _press(self, key: str) -> None:
        """Do what a key means."""
        last = self.state.last
        if department := self.state.keys.get(key.lower()):
            self.issue(department)
        elif key == "n":
            self.app.push_screen(DetailsDialog(self.state.details, self.own), self._keep_details)
        elif key == "u" and last and can_take_back(last):
            self._issuer.take_back(last)
        elif key == "p" and last and self._issuer.has_printer:
            self._issuer.print_again(last)
        elif key == "/":
            question = self.own.gettext("Number or link of the ticket")
            self.app.push_screen(AskLine(question), lambda typed: self.find(typed) if typed else None)
        elif key == "q":
            self.app.exit()

    async def _keep_details(self, details: Details | None) -> None:
        if details is not None:
            self.state = replace(self.state, details=details)
            await self.show_bar()

    def _show_large(self, token: TokenView) -> None:
        lines = self.lines_of(token)
        self.app.push_screen(IssuedScreen(token["displayNumber"], lines, SHOWN_SECONDS, self._keystrokes.add))

    def lines_of(self, token: TokenView) -> list[str]:
        """Return what to say below a large number."""
        wait = estimated(token["estimate"], self.own)
        expectation = self.own.gettext("Expected wait: {wait}", wait=wait) if wait else ""
        return [self.state.name_of(token["departmentId"]), *filter(None, [expectation])]

    def _draw(self) -> None:
        self.query_one(DepartmentKeys).show(self.state, self.own)
        self._draw_top()

    def _draw_top(self) -> None:
        title = Content.styled(printable(self.state.branch or "tokenq", max(self.size.width - 30, 10)), "bold")
        self.query_one("#title", Static).update(title)
        self.query_one("#clock", Static).update(f"{local(self._clock(), self.state.zone):%H:%M}")
