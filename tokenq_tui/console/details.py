"""What wide screens also show: the history of the people in question, and who was served last.

A thread fetches it when somebody else is looked at, and no more than that: this is less urgent than the queues.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from textual.message import Message

from tokenq.contract.enums import TokenState
from tokenq.contract.problems import Refused
from tokenq.contract.views import LetterView, TokenView
from tokenq.errors import TokenqError
from tokenq_tui.console.api_port import ApiPort
from tokenq_tui.console.state import State
from tokenq_tui.faults import describe

RETRY_SECONDS = 3.0
_SETTLED_SECONDS = 0.3
"""How long somebody is looked at before their history is fetched."""
_SERVED = 20

Version = tuple[Any, ...]
"""A token's id and what changes with its events."""


@dataclass(frozen=True)
class Wanted:
    """Whose history is wanted, and of which department who was served last; ``served`` counts those."""

    people: tuple[Version, ...] = ()
    department: str = ""
    served: int = 0


@dataclass(frozen=True)
class Record:
    """A token's events and notifications, oldest first."""

    events: Sequence[Mapping[str, Any]] = ()
    letters: Sequence[LetterView] = ()

    @property
    def has_open_letters(self) -> bool:
        """Whether a notification is still to be sent."""
        return any(letter["state"] in ("due", "sending") for letter in self.letters)


@dataclass(frozen=True)
class Details:
    """What was fetched: records by token id, and the tokens served last, latest first."""

    wanted: Wanted = Wanted()
    records: Mapping[int, Record] = field(default_factory=dict)
    served: Sequence[TokenView] = ()


@dataclass
class DetailsArrived(Message):
    """Details were fetched."""

    details: Details


def wanted_by(state: State, row: TokenView | None) -> Wanted:
    """Return what to fetch for the token at our counter, the selected row and the selected department."""
    people = tuple(_version(token) for token in (state.held, row) if token is not None)
    served = state.queue["counts"]["served"] if state.queue else 0
    return Wanted(people, state.selected if state.queue else "", served)


def _version(token: TokenView) -> Version:
    return token["tokenId"], token["claimVersion"], token["calls"], token["priority"], token["name"], token["email"]


class DetailsFetcher:
    """Fetches from :meth:`start` to :meth:`stop` what is wanted last."""

    def __init__(self, api: ApiPort, notify: Callable[[Message], object]) -> None:
        self._api, self._notify = api, notify
        self._work = threading.Condition()
        self._wanted = self._done = Wanted()
        self._details = Details()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="console-details", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread without waiting for it, since the server may be silent."""
        with self._work:
            self._is_over = True
            self._work.notify_all()

    def want(self, wanted: Wanted) -> None:
        """Fetch this next, unless it is there already."""
        with self._work:
            if wanted != self._wanted:
                self._wanted = wanted
                self._work.notify_all()

    def _run(self) -> None:
        while (wanted := self._next()) is not None:
            try:
                self._details = self._fetch(wanted)
                self._notify(DetailsArrived(self._details))
                self._done = wanted
            except (Refused, TokenqError):
                self._pause()  # the badge shows that the server is unavailable
            except Exception as error:
                describe(error)
                self._pause()

    def _next(self) -> Wanted | None:
        with self._work:
            has_open_letters = any(record.has_open_letters for record in self._details.records.values())
            again = RETRY_SECONDS if has_open_letters else None
            self._work.wait_for(lambda: self._is_over or self._wanted != self._done, again)
            wanted = None
            while wanted != self._wanted and not self._is_over:
                wanted = self._wanted
                self._work.wait_for(lambda: self._is_over or self._wanted != wanted, _SETTLED_SECONDS)  # noqa: B023
            return None if self._is_over else wanted

    def _pause(self) -> None:
        with self._work:
            self._work.wait_for(lambda: self._is_over, RETRY_SECONDS)

    def _fetch(self, wanted: Wanted) -> Details:
        before = self._details
        records = {version[0]: self._record(version) for version in wanted.people}
        served = before.served
        if (wanted.department, wanted.served) != (before.wanted.department, before.wanted.served):
            served = self._served_last(wanted)
        return Details(wanted, records, served)

    def _record(self, version: Version) -> Record:
        """Return the record fetched before, if it is still true."""
        token_id, before = version[0], self._details
        if version in before.wanted.people and not before.records[token_id].has_open_letters:
            return before.records[token_id]
        fetched = self._api.token_record(token_id)
        return Record(fetched["items"], fetched.get("letters") or ())

    def _served_last(self, wanted: Wanted) -> Sequence[TokenView]:
        if not wanted.served:
            return ()
        page = self._api.tokens(department=wanted.department, state=str(TokenState.SERVED), limit=_SERVED)
        return sorted(page["items"], key=lambda token: token["servedAt"] or "", reverse=True)
