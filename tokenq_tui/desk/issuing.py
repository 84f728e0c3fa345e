"""Issue, print, cancel and find, one after the other in a thread.

A number whose answer is lost is asked for again with the same idempotency key until the server says what became of it:
so nobody gets two numbers.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from textual.message import Message

from tokenq import locale
from tokenq.client.calls import new_key
from tokenq.contract.problems import Refused
from tokenq.contract.ticket_views import TicketView
from tokenq.contract.verbs import Verb
from tokenq.contract.views import TokenView
from tokenq.errors import OutputLost, TokenqError, Unreachable
from tokenq.locale import N_, texts
from tokenq.locale.words import state_word
from tokenq_tui.desk.messages import Failed, Found, Issued, Printed, StillTrying, TakenBack
from tokenq_tui.desk.state import Details
from tokenq_tui.faults import describe, failure_hint, failure_sentence

AGAIN_SECONDS = 2.0
TRY_SECONDS = 60.0
_NOT_KNOWN = N_("Choose the same department again when the server answers: it stays the same number.")
Note = Callable[[str], object]
Printer = Callable[[TicketView, Note], None]
"""Prints a ticket; raises OutputLost."""
Work = Callable[[], Callable[[], object] | None]
"""A request to the server; what it returns is done when the next request may begin."""


class Actor(Protocol):
    """What the desk does; implemented by :class:`tokenq.client.Client`."""

    def issue(
        self,
        department: str,
        *,
        email: str | None = None,
        name: str | None = None,
        language: str | None = None,
        key: str | None = None,
    ) -> TokenView:
        """Issue a number."""

    def token(self, token_id: int) -> TokenView:
        """Return a token."""

    def ticket(self, token: TokenView) -> TicketView:
        """Return what is printed on its ticket."""

    def move(self, token: TokenView, verb: str, *, key: str | None = None, **body: Any) -> TokenView:
        """Apply a verb to a token."""

    def find_token(self, reference: str) -> TokenView:
        """Find a token by its number or link."""


@dataclass(frozen=True)
class Request:
    """Whom to give a number."""

    department: str
    details: Details = field(default_factory=Details)
    language: str = ""


class Issuer:
    """Carries out one request at a time; what is asked meanwhile is ignored."""

    def __init__(self, api: Actor, printer: Printer | None, notify: Callable[[Message], object]) -> None:
        self._api, self._printer, self._notify = api, printer, notify
        self._busy, self._printing = threading.Lock(), threading.Lock()
        self._unprinted: list[object] = []
        self._given_up = threading.Event()
        self._keys: dict[Request, str] = {}
        """Of requests of which nobody knows whether they were carried out."""

    @property
    def has_printer(self) -> bool:
        """Whether tickets are printed."""
        return self._printer is not None

    @property
    def is_busy(self) -> bool:
        """Whether a request is under way."""
        return self._busy.locked()

    @property
    def is_printing(self) -> bool:
        """Whether a ticket is not printed yet."""
        return bool(self._unprinted)

    def give_up(self) -> None:
        """Wait no longer for an answer."""
        self._given_up.set()

    def issue(self, request: Request) -> None:
        """Issue a number and print its ticket."""
        self._start(lambda: self._issue(request))

    def print_again(self, token: TokenView) -> None:
        """Print a token's ticket again."""

        def print_again() -> Callable[[], object]:
            ticket = self._api.ticket(token)
            return lambda: self._notify(Printed(token, *self._print(ticket)))

        self._start(print_again)

    def take_back(self, token: TokenView) -> None:
        """Cancel a number that was just issued."""

        def cancel() -> None:
            current = self._api.token(token["tokenId"])
            if current["state"] != "WAITING":
                said, number = texts(), current["displayNumber"]
                state = state_word(current["state"], said)
                refused = said.gettext("{number} is {state}: it is not taken back.", number=number, state=state)
                self._notify(Failed(refused, said.gettext("Ask its counter.")))
                return
            self._notify(TakenBack(self._api.move(current, Verb.CANCEL)))

        self._start(cancel)

    def find(self, reference: str) -> None:
        """Find a token by what was typed or scanned."""

        def find() -> None:
            token = self._api.find_token(reference)
            if token["state"] == "WAITING" and token["position"] is None:
                token = self._api.token(token["tokenId"])
            self._notify(Found(token))

        self._start(find)

    def _start(self, work: Work) -> None:
        if self._busy.acquire(blocking=False):
            self._given_up.clear()
            threading.Thread(target=self._run, args=(work,), name="desk-request", daemon=True).start()

    def _run(self, work: Work) -> None:
        printing = None
        try:
            if printing := work():
                self._unprinted.append(printing)
        except Exception as error:
            self._notify(failure(error))
        finally:
            self._busy.release()
        if printing is not None:
            with self._printing:  # the next number can be issued meanwhile
                printing()
            self._unprinted.remove(printing)

    def _issue(self, request: Request) -> Callable[[], object] | None:
        token = self._issued(request)
        if self._printer is None:
            self._notify(Issued(token))
            return None
        try:
            ticket = self._api.ticket(token)
        except Exception as error:  # the number exists, whatever happens to its ticket
            self._notify(Issued(token, trouble=failure(error).sentence))
            return None

        def print_ticket() -> None:
            trouble, notes = self._print(ticket)
            self._notify(Issued(token, not trouble, trouble, notes))

        return print_ticket

    def _issued(self, request: Request) -> TokenView:
        """Return the number, which is nobody else's: of a lost answer, only if it still waits.

        Until that is known, the key stays the same.
        """
        is_repeat = request in self._keys
        token = self._until_known(request, is_repeat=is_repeat)
        if is_repeat and self._api.token(token["tokenId"])["state"] != "WAITING":
            del self._keys[request]
            token = self._until_known(request)
        del self._keys[request]
        return token

    def _until_known(self, request: Request, *, is_repeat: bool = False) -> TokenView:
        key = self._keys.setdefault(request, new_key())
        give_up = time.monotonic() + TRY_SECONDS
        details, is_unsure = request.details, False
        while True:
            try:
                return self._api.issue(
                    request.department,
                    name=details.name or None,
                    email=details.email or None,
                    language=request.language or None,
                    key=key,
                )
            except Refused as refusal:
                if "idempotencyKey" not in refusal.problem.extra:
                    del self._keys[request]
                    raise
                is_unsure, why = True, locale.sentence(refusal.problem)
            except Unreachable as error:
                is_unsure, why = is_unsure or error.is_unsure, failure_sentence(error)
                if not is_unsure:
                    if not is_repeat:
                        del self._keys[request]
                    raise
            self._notify(StillTrying(why))
            if time.monotonic() > give_up or self._given_up.wait(AGAIN_SECONDS):
                said = texts()
                unknown = said.gettext("{why} Whether a number was issued is unknown.", why=why)
                raise Unreachable(unknown, said.gettext(_NOT_KNOWN))

    def _print(self, ticket: TicketView) -> tuple[str, list[str]]:
        """Print; return why that failed, if it did, and what the printer says."""
        if self._printer is None:
            return texts().gettext("No printer is configured."), []
        notes: list[str] = []
        trouble = ""
        try:
            self._printer(ticket, notes.append)
        except OutputLost as error:
            trouble = failure_sentence(error)
        except Exception as error:  # the number exists, whatever happens to its ticket
            trouble = texts().gettext("The ticket could not be printed ({error}).", error=describe(error))
        return trouble, [texts().gettext(note) for note in notes]


def failure(error: Exception) -> Failed:
    """Return what to say about a request that failed."""
    if isinstance(error, Refused):
        return Failed(locale.sentence(error.problem), locale.hint(error.problem))
    if isinstance(error, TokenqError):
        return Failed(failure_sentence(error), failure_hint(error))
    sentence = texts().gettext("That failed at this desk ({error}).", error=describe(error))
    return Failed(sentence, texts().gettext("Find the number before you try again."))
