"""The desk as a kiosk: departments and languages, and nothing else."""

import hmac
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from textual import events
from textual.timer import Timer
from typing_extensions import override

from tokenq.contract.views import TokenView
from tokenq.locale import NAMES, Texts, texts
from tokenq_tui.desk import messages
from tokenq_tui.desk.issuing import Issuer, Request
from tokenq_tui.desk.screens.dialogs import AskLine
from tokenq_tui.desk.screens.issued import IssuedScreen
from tokenq_tui.desk.screens.main import DeskScreen
from tokenq_tui.desk.tail import Tail
from tokenq_tui.desk.widgets.bar import Bar, Touchable, bar_width

IDLE_SECONDS = 30.0
"""After this time without a touch, the next customer begins in the branch's own language."""
SHOWN_SECONDS = 8.0
WITHOUT_TICKET_SECONDS = 20.0
LEAST_SECONDS = 1.5
"""A number stays at least so long: the second touch of an impatient hand was meant for the department."""
_WRONG_CODE_SECONDS = 5.0
_BAD = "bold $error"


class KioskScreen(DeskScreen):
    """Where customers take numbers themselves."""

    def __init__(self, tail: Tail, issuer: Issuer, clock: Callable[[], datetime], exit_code: str) -> None:
        super().__init__(tail, issuer, clock)
        self._exit_code = exit_code.strip()
        self._wrong_codes, self._no_code_before = 0, 0.0
        self._has_nothing = False
        self._idle: Timer | None = None

    @property
    @override
    def own(self) -> Texts:
        """The texts in the language that the customer chose."""
        return texts(self.state.language) if self.state.language else texts()

    @override
    async def show_bar(self) -> None:
        """Show the languages, if there is a choice."""
        known = self.state.languages if len(self.state.languages) > 1 else ()
        # Every language must be in view, as its reader knows no other way to it.
        has_keys = bar_width(("F1", NAMES.get(tag, tag)) for tag in known) <= self.size.width
        self.query_one(Bar).set_class(not has_keys, "-tight")
        await self.query_one(Bar).show(
            Touchable(
                NAMES.get(tag, tag),
                messages.LanguageChosen(tag),
                key=f"F{number}" if has_keys else "",
                is_chosen=tag == self.state.language,
            )
            for number, tag in enumerate(known, 1)
        )

    async def on_language_chosen(self, message: messages.LanguageChosen) -> None:
        """Speak another language, for a while."""
        await self._speak(message.language)
        self._restart_idle()

    @override
    async def show_issued(self, message: messages.Issued) -> None:
        """Show the number very large, for some seconds."""
        self._tail.refresh(message.token["departmentId"])
        self.say("")
        seconds = SHOWN_SECONDS if message.is_printed else WITHOUT_TICKET_SECONDS
        lines = self.lines_of(message.token)
        own = self.own
        lines.append(
            own.gettext("Please take your ticket.") if message.is_printed else own.gettext("Please note your number.")
        )
        screen = IssuedScreen(message.token["displayNumber"], lines, seconds, least=LEAST_SECONDS)
        self.app.push_screen(screen, self._shown)

    @override
    def show_failed(self, message: messages.Failed) -> None:
        """Say only what a customer can do; whoever looks after the kiosk sees the reason at the desk."""
        self.say(self.own.gettext("That did not work. Please try again, or ask at the desk."), "", _BAD)

    @override
    def show_still_trying(self, message: messages.StillTrying) -> None:
        """Ask for patience."""
        self.say(self.own.gettext("One moment …"))

    async def on_departments_loaded(self, message: messages.DepartmentsLoaded) -> None:
        """Say no longer that there are no numbers here, besides what the desk does."""
        if self._has_nothing and message.departments:
            self._has_nothing = False
            self.say("")

    def on_no_self_service(self) -> None:
        """Say to customers that there are no numbers here, and to whoever looks after the kiosk how to change that."""
        self._has_nothing = True
        hint = self.own.gettext("For the staff: no department of this kiosk has the setting self-service=on.")
        self.say(self.own.gettext("No numbers can be issued at the moment. Please ask at the desk."), hint, _BAD)

    @override
    def say_offline(self, why: str) -> None:
        """Say that there are no numbers now."""
        self.say(self.own.gettext("No numbers can be issued at the moment. Please ask at the desk."), "", _BAD)

    @override
    def take_key(self, event: events.Key) -> None:
        """Take keys of departments and languages, and the way to the code."""
        number = event.key[1:] if event.key[:1] == "f" else ""
        if number.isdecimal() and 0 < int(number) <= len(self.state.languages):
            self.post_message(messages.LanguageChosen(self.state.languages[int(number) - 1]))
        elif event.key == "ctrl+q":
            self._ask_code()
        elif event.key != "escape":
            super().take_key(event)

    @override
    def request(self, department: str) -> Request:
        """Return what to ask for."""
        return Request(department, language=self.state.language)

    @override
    def issue(self, department: str) -> None:
        """Issue a number where numbers are issued now; whoever waits for a ticket gets one, whatever they touch."""
        self._restart_idle()
        if self.state.is_open(department) and not self._issuer.is_printing:
            super().issue(department)

    @override
    def find(self, reference: str) -> None:
        """Look nothing up: a number is its owner's affair."""

    @override
    def _press(self, key: str) -> None:
        if department := self.state.keys.get(key.lower()):
            self.issue(department)

    @override
    def lines_of(self, token: TokenView) -> list[str]:
        """Return what to say below a large number, with the customer's position."""
        lines = super().lines_of(token)
        if token["position"]:
            lines.insert(1, self.own.gettext("Your position in the queue: {position}", position=token["position"]))
        return lines

    def _ask_code(self) -> None:
        if self._exit_code and time.monotonic() >= self._no_code_before:
            self.app.push_screen(AskLine(self.own.gettext("Code"), is_secret=True), self._try_code)

    def _try_code(self, typed: str | None) -> None:
        """Leave with the right code; after wrong ones, let nobody guess quickly."""
        if typed is None:
            return
        if hmac.compare_digest(typed.encode(), self._exit_code.encode()):
            self.app.exit()
        self._wrong_codes += 1
        self._no_code_before = time.monotonic() + _WRONG_CODE_SECONDS * self._wrong_codes

    async def _shown(self, _result: None) -> None:
        await self._speak_own()

    async def _speak_own(self) -> None:
        if self.state.languages:
            await self._speak(self.state.languages[0])

    async def _speak(self, language: str) -> None:
        self.state = replace(self.state, language=language)
        self.say("")
        if self._is_offline:
            self.say_offline("")
            self._says_offline = True
        elif self._has_nothing:
            self.on_no_self_service()
        self._draw()
        await self.show_bar()

    def _restart_idle(self) -> None:
        if self._idle is not None:
            self._idle.stop()
        self._idle = self.set_timer(IDLE_SECONDS, self._speak_own)
