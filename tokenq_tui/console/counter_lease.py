"""The claim on our counter: opened when we know it, renewed while the console runs, given back at the end."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from textual.message import Message

from tokenq import locale
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.views import CounterView
from tokenq.errors import TokenqError
from tokenq_tui.console.advice import hint_of
from tokenq_tui.console.errors import in_words
from tokenq_tui.console.messages import CounterTaken, Trouble

BEAT_SECONDS = 10.0
"""Between two renewals of the claim; the server ends one after thirty."""

_PASSING = frozenset({ProblemCode.UNAVAILABLE, ProblemCode.OVERLOADED, ProblemCode.RATE_LIMITED})


class CounterApi(Protocol):
    """What is asked about the counter; :class:`tokenq.client.Client` is the real one."""

    def open_counter(
        self,
        branch: str,
        counter: str,
        departments: Sequence[str] | None = None,
        *,
        take_over: bool = False,
        as_it_is: bool = False,
    ) -> CounterView:
        """Claim it."""

    def leave_counter(self, branch: str, counter: str) -> CounterView:
        """Give it back."""

    def beat(self, branch: str, counter: str) -> CounterView:
        """Renew the claim."""


@dataclass(frozen=True)
class Place:
    """A counter and what it serves, in order."""

    branch: str
    counter: str
    departments: tuple[str, ...] = ()

    def is_at(self, other: "Place") -> bool:
        """Whether it is the same counter, whatever it serves."""
        return (self.branch, self.counter) == (other.branch, other.counter)


class CounterLease:
    """Holds one claim at a time, in a thread of its own."""

    def __init__(self, api: CounterApi, tell: Callable[[Message], object], *, every: float = BEAT_SECONDS) -> None:
        self._api, self._tell, self._every = api, tell, every
        self._wake = threading.Condition()
        self._wanted: Place | None = None
        self._take_over = False
        self._is_new = False
        self._is_over = False
        self._held: Place | None = None
        self._is_refused = False
        self._is_broken = False
        self._thread = threading.Thread(target=self._run, name="console-counter", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def work_at(self, place: Place, *, take_over: bool = False, again: bool = False) -> None:
        """Claim this counter from now on, and give the one before back.

        A counter that was refused is asked for ``again`` only when somebody wants that.
        """
        with self._wake:
            if not self._is_over and (place != self._wanted or take_over or again):
                self._wanted, self._take_over, self._is_new = place, take_over, True
                self._wake.notify_all()

    def stop(self, patience: float = 2.0) -> None:
        """Give the claim back; waits so many seconds for that."""
        with self._wake:
            self._wanted, self._is_over = None, True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(patience)

    def _run(self) -> None:
        while True:
            with self._wake:
                # What failed is tried again with the next beat, never at once: the server may be down.
                self._wake.wait_for(lambda: self._is_new or self._is_over, self._every)
                wanted, take_over, is_new, is_over = self._wanted, self._take_over, self._is_new, self._is_over
                self._take_over = self._is_new = False
            self._is_refused = self._is_refused and not is_new
            self._try_to_settle(wanted, take_over=take_over)
            if is_over:
                return

    def _try_to_settle(self, wanted: Place | None, *, take_over: bool) -> None:
        """What fails in a way that nobody thought of is said once, and tried again with the next beat."""
        try:
            self._settle(wanted, take_over=take_over)
        except Exception as error:
            words, was_broken, self._is_broken = in_words(error), self._is_broken, True
            if not was_broken:
                where = wanted.counter if wanted else ""
                sentence = f"Counter {where} could not be kept for you ({words})."
                self._tell(Trouble(sentence, "It is tried again every few seconds."))
        else:
            self._is_broken = False

    def _settle(self, wanted: Place | None, *, take_over: bool) -> None:
        try:
            if self._held and not (wanted and wanted.is_at(self._held)):
                self._give_back(self._held)
            if wanted is None or self._is_refused:
                return
            if wanted != self._held or take_over:
                self._open(wanted, take_over=take_over)
                self._held = wanted
            else:
                self._api.beat(wanted.branch, wanted.counter)
        except Refused as refusal:
            self._refused(refusal)
        except TokenqError:
            # The badge says that the server is away; the claim is asked for again at the next beat.
            return

    def _open(self, wanted: Place, *, take_over: bool) -> None:
        view = self._api.open_counter(
            wanted.branch, wanted.counter, wanted.departments or None, take_over=take_over, as_it_is=True
        )
        if view["state"] == "PAUSED":
            reason = f" ({view['reason']})" if view["reason"] else ""
            self._tell(Trouble(f"Counter {wanted.counter} is paused{reason}.", "Press o to open it."))

    def _give_back(self, place: Place) -> None:
        self._held = None
        try:
            self._api.leave_counter(place.branch, place.counter)
        except Refused:
            # It is another's by now, or nobody's.
            return

    def _refused(self, refusal: Refused) -> None:
        problem = refusal.problem
        if problem.code in _PASSING:
            return
        was_ours, self._held = self._held is not None, None
        if was_ours and problem.code is ProblemCode.UNKNOWN_COUNTER:
            # It was closed or forgotten behind our back: the next beat claims it anew.
            return
        self._is_refused = True
        if problem.code is ProblemCode.COUNTER_CLAIMED:
            self._tell(CounterTaken(str(problem.extra.get("operator") or "somebody else")))
        else:
            self._tell(Trouble(locale.sentence(problem), hint_of(problem)))
