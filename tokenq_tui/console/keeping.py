"""The claim on our counter: opened when we know it, renewed while the console runs, given back at the end."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from textual.message import Message

from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.views import CounterView
from tokenq.errors import TokenqError
from tokenq_tui.console.messages import CounterTaken, Trouble

BEAT_SECONDS = 10.0


class CounterDesk(Protocol):
    """What is asked about the counter; :class:`tokenq.client.Client` is the real one."""

    def open_counter(
        self, branch: str, counter: str, departments: Sequence[str] = (), *, take_over: bool = False
    ) -> CounterView:
        """Claim it."""

    def close_counter(self, branch: str, counter: str) -> CounterView:
        """Give it back."""

    def beat(self, branch: str, counter: str) -> CounterView:
        """Renew the claim."""


@dataclass(frozen=True)
class Place:
    """A counter and what it serves, in order."""

    branch: str
    counter: str
    departments: tuple[str, ...] = ()


class Keeper:
    """Holds one claim at a time, in a thread of its own."""

    def __init__(self, desk: CounterDesk, tell: Callable[[Message], object]) -> None:
        self._desk, self._tell = desk, tell
        self._wake = threading.Condition()
        self._wanted: Place | None = None
        self._take_over = False
        self._held: Place | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="console-counter", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def work_at(self, place: Place, *, take_over: bool = False) -> None:
        """Claim this counter from now on, and give the one before back."""
        with self._wake:
            if place != self._wanted or take_over:
                self._wanted, self._take_over = place, take_over
                self._wake.notify_all()

    def stop(self) -> None:
        """Give the claim back; waits a moment for that."""
        with self._wake:
            self._wanted, self._is_over = None, True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._wanted == self._held and not self._take_over and not self._is_over:
                    self._wake.wait(BEAT_SECONDS)
                wanted, take_over, is_over = self._wanted, self._take_over, self._is_over
                self._take_over = False
            self._settle(wanted, take_over=take_over)
            if is_over:
                return

    def _settle(self, wanted: Place | None, *, take_over: bool) -> None:
        try:
            if self._held and self._held != wanted:
                self._give_back(self._held)
            if wanted and (wanted != self._held or take_over):
                self._desk.open_counter(wanted.branch, wanted.counter, wanted.departments, take_over=take_over)
                self._held = wanted
            elif wanted:
                self._desk.beat(wanted.branch, wanted.counter)
        except Refused as refusal:
            self._refused(refusal)
        except TokenqError:
            # The badge says that the server is away; the claim is asked for again at the next beat.
            return

    def _give_back(self, place: Place) -> None:
        self._held = None
        try:
            self._desk.close_counter(place.branch, place.counter)
        except Refused:
            # Somebody is still there, or it is another's by now: the lease runs out by itself.
            return

    def _refused(self, refusal: Refused) -> None:
        with self._wake:
            self._held = self._wanted
        problem = refusal.problem
        if problem.code is ProblemCode.COUNTER_CLAIMED:
            self._tell(CounterTaken(str(problem.extra.get("operator") or "somebody else")))
        else:
            self._tell(Trouble(problem.detail, problem.hint))
