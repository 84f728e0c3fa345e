"""The lease on our counter: claimed when it is chosen, renewed while the console runs, released at the end."""

import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from textual.message import Message

from tokenq import locale
from tokenq.contract.names import MAIN_BRANCH
from tokenq.contract.problems import Problem, ProblemCode, Refused
from tokenq.contract.reasons.queue import CounterReason
from tokenq.contract.views import CounterView
from tokenq.errors import TokenqError
from tokenq.locale import notices, texts
from tokenq_tui.console.advice import hint_of
from tokenq_tui.console.keys import NO_KEYS, shown_key
from tokenq_tui.console.messages import CounterRefused, CounterTaken, Trouble
from tokenq_tui.faults import describe

RENEW_SECONDS = 10.0
"""Interval of renewals; on the server a claim expires after thirty seconds."""

_MOST_NAMED = 4
"""The most departments that a sentence names."""

_PASSING = frozenset({ProblemCode.UNAVAILABLE, ProblemCode.OVERLOADED, ProblemCode.RATE_LIMITED})


class CounterApi(Protocol):
    """The counter calls of the API; implemented by :class:`tokenq.client.Client`."""

    def counters(self, branch: str) -> list[CounterView]:
        """Return the counters of a branch."""

    def open_counter(
        self,
        branch: str,
        counter: str,
        departments: Sequence[str] | None = None,
        *,
        take_over: bool = False,
        as_it_is: bool = False,
    ) -> CounterView:
        """Claim the counter."""

    def leave_counter(self, branch: str, counter: str) -> CounterView:
        """Release the claim."""

    def renew_counter(self, branch: str, counter: str) -> CounterView:
        """Renew the claim."""


@dataclass(frozen=True)
class CounterClaim:
    """A counter and the departments shown, in order: what it serves if it is new."""

    branch: str
    counter: str
    departments: tuple[str, ...] = ()

    def is_same_counter(self, other: "CounterClaim") -> bool:
        """Return whether both are the same counter, whatever is shown."""
        return (self.branch, self.counter) == (other.branch, other.counter)

    def is_served_by(self, counter: CounterView) -> bool:
        """Return whether the counter serves any of the departments shown."""
        return not counter["departments"] or not set(self.departments).isdisjoint(counter["departments"])


class CounterLease:
    """Holds one claim at a time, in its own thread."""

    def __init__(
        self,
        api: CounterApi,
        notify: Callable[[Message], object],
        *,
        every: float = RENEW_SECONDS,
        keys: Mapping[str, str] = NO_KEYS,
    ) -> None:
        self._api, self._notify, self._every, self._keys = api, notify, every, keys
        self._wake = threading.Condition()
        self._target: CounterClaim | None = None
        self._take_over = False
        self._is_new = False
        self._is_over = False
        self._held: CounterClaim | None = None
        self.unserved: list[str] = []
        """Who waits where nobody serves since the last release."""
        self._is_refused = False
        self._is_broken = False
        self._thread = threading.Thread(target=self._run, name="console-counter", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def claim(self, claim: CounterClaim, *, take_over: bool = False, again: bool = False) -> None:
        """Claim this counter and release the previous one.

        A refused counter is only requested again with ``again`` or ``take_over``.
        """
        with self._wake:
            if not self._is_over and (claim != self._target or take_over or again):
                self._target, self._take_over, self._is_new = claim, take_over, True
                self._wake.notify_all()

    def stop(self, timeout: float = 2.0) -> None:
        """Release the claim; wait at most ``timeout`` seconds for that."""
        with self._wake:
            self._target, self._is_over = None, True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._wake:
                # A failure is retried at the next interval, never at once: the server may be down.
                self._wake.wait_for(lambda: self._is_new or self._is_over, self._every)
                target, take_over, is_new, is_over = self._target, self._take_over, self._is_new, self._is_over
                self._take_over = self._is_new = False
            self._is_refused = self._is_refused and not is_new
            self._try_to_reconcile(target, take_over=take_over)
            if is_over:
                return

    def _try_to_reconcile(self, target: CounterClaim | None, *, take_over: bool) -> None:
        """Report an unexpected error once and retry at the next interval."""
        try:
            self._reconcile(target, take_over=take_over)
        except Exception as error:
            description, was_broken, self._is_broken = describe(error), self._is_broken, True
            if not was_broken:
                counter = target.counter if target else ""
                sentence = texts().gettext(
                    "The claim on counter {counter} could not be renewed ({error}).", counter=counter, error=description
                )
                self._notify(Trouble(sentence, texts().gettext("Retrying every few seconds.")))
        else:
            self._is_broken = False

    def _reconcile(self, target: CounterClaim | None, *, take_over: bool) -> None:
        try:
            if self._held and not (target and target.is_same_counter(self._held)):
                self._release(self._held)
            if target is None or self._is_refused:
                return
            if target != self._held or take_over:
                if self._serves_others(target):
                    return
                self._open(target, take_over=take_over)
                self._held = target
            else:
                self._api.renew_counter(target.branch, target.counter)
        except Refused as refusal:
            self._handle_refusal(refusal, target)
        except TokenqError:
            # The badge shows that the server is unavailable; the claim is retried at the next interval.
            return

    def _serves_others(self, target: CounterClaim) -> bool:
        """Report a counter that serves none of the departments shown: nobody could be called from here."""
        counters = self._api.counters(target.branch)
        known = next((counter for counter in counters if counter["counterId"] == target.counter), None)
        if known is None or target.is_served_by(known):
            return False
        self._held, self._is_refused = None, True
        served = ", ".join(known["departments"])
        said, counter = texts(), target.counter
        if len(target.departments) <= _MOST_NAMED:
            shown = ", ".join(target.departments)
            sentence = said.gettext(
                "Counter {counter} serves {served}, not {shown}.", counter=counter, served=served, shown=shown
            )
        else:
            sentence = said.gettext(
                "Counter {counter} serves {served}, not the departments shown.", counter=counter, served=served
            )
        self._notify(CounterRefused(target.counter, sentence, _how_to_work_at(known, target)))
        return True

    def _open(self, target: CounterClaim, *, take_over: bool) -> None:
        view = self._api.open_counter(
            target.branch, target.counter, target.departments or None, take_over=take_over, as_it_is=True
        )
        if view["state"] == "PAUSED":
            self._notify(
                Trouble(_paused(view), texts().gettext("Press {key} to open it.", key=shown_key("open", self._keys)))
            )

    def _release(self, claim: CounterClaim) -> None:
        self._held = None
        try:
            self.unserved = notices.unserved(self._api.leave_counter(claim.branch, claim.counter), texts())
        except Refused:
            # Someone else has claimed it, or the claim has expired.
            return

    def _handle_refusal(self, refusal: Refused, target: CounterClaim | None) -> None:
        problem = refusal.problem
        if problem.code in _PASSING:
            return
        was_ours, self._held = self._held is not None, None
        if was_ours and problem.code is ProblemCode.UNKNOWN_COUNTER:
            # The counter was closed or deleted in the meantime: the next renewal claims it again.
            return
        self._is_refused = True
        if problem.code is ProblemCode.COUNTER_CLAIMED:
            self._notify(CounterTaken(str(problem.extra.get("operator") or texts().gettext("another operator"))))
        elif target and _needs_another(problem):
            self._notify(CounterRefused(target.counter, locale.sentence(problem), hint_of(problem, self._keys)))
        else:
            self._notify(Trouble(locale.sentence(problem), hint_of(problem, self._keys)))


def _needs_another(problem: Problem) -> bool:
    """Whether another counter has to be chosen: there is no such one, or it holds somebody else's customer."""
    return problem.code is ProblemCode.UNKNOWN_COUNTER or problem.reason == CounterReason.HOLDS_OTHERS.id


def _how_to_work_at(counter: CounterView, claim: CounterClaim) -> str:
    """Return the commands with which an operator who means this counter can use it."""
    name = shlex.quote(claim.counter)
    said, console = texts(), f"tokenq console {' '.join(counter['departments'])} --counter {name}"
    hint = said.gettext("Type another one, or start '{command}'.", command=console)
    if len(claim.departments) > _MOST_NAMED:
        return hint
    branch = "" if claim.branch == MAIN_BRANCH else f" --branch {claim.branch}"
    profile = f"{name}{branch}" + "".join(f" --dept {department}" for department in claim.departments)
    command = f"tokenq counter {'declare' if counter['isDeclared'] else 'open'} {profile}"
    if counter["isDeclared"]:
        return f"{hint} " + said.gettext("An admin changes what it serves with '{command}'.", command=command)
    return f"{hint} " + said.gettext("Change what it serves with '{command}'.", command=command)


def _paused(counter: CounterView) -> str:
    if counter["reason"]:
        return texts().gettext(
            "Counter {counter} is paused ({reason}).", counter=counter["counterId"], reason=counter["reason"]
        )
    return texts().gettext("Counter {counter} is paused.", counter=counter["counterId"])
