"""The claim on a counter: asked for once, renewed, given back, and never in anybody's way."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from textual.message import Message

from tests.refusals import refusal
from tests.waiting import until
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.queue import CounterReason
from tokenq.contract.views import CounterView
from tokenq.errors import Unreachable
from tokenq_tui.console.counter_lease import CounterClaim, CounterLease
from tokenq_tui.console.messages import CounterRefused, CounterTaken, Trouble

SECONDS = 10.0
THREE = CounterClaim("main", "3", ("CW",))


class FakeCounters:
    """Remembers what was asked; each verb fails as ``faults`` says."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.faults: dict[str, Exception] = {}
        self.state, self.reason = "OPEN", ""
        self.known: list[CounterView] = []
        self.lock, self.entered = threading.Lock(), 0
        """While it is held, nothing is answered."""

    def open_counter(
        self,
        branch: str,
        counter: str,
        departments: Sequence[str] | None = None,
        *,
        take_over: bool = False,
        as_it_is: bool = False,
    ) -> CounterView:
        if take_over:
            self.faults.clear()
        return self._answer("open", counter)

    def counters(self, branch: str) -> list[CounterView]:
        return self.known

    def leave_counter(self, branch: str, counter: str) -> CounterView:
        return self._answer("leave", counter)

    def renew_counter(self, branch: str, counter: str) -> CounterView:
        return self._answer("renew", counter)

    def _answer(self, verb: str, counter: str) -> CounterView:
        self.entered += 1
        with self.lock:
            self.asked.append(f"{verb} {counter}")
        if verb in self.faults:
            raise self.faults[verb]
        return cast(CounterView, {"counterId": counter, "state": self.state, "reason": self.reason})


@contextmanager
def keeping(api: FakeCounters, *, every: float = 0.02) -> Iterator[tuple[CounterLease, list[Message]]]:
    told: list[Message] = []
    lease = CounterLease(api, told.append, every=every)
    lease.start()
    try:
        yield lease, told
    finally:
        lease.stop()


def claimed() -> Refused:
    return refusal(ProblemCode.COUNTER_CLAIMED, "Counter 3 is in use by ada.", operator="ada")


def test_a_counter_is_claimed_renewed_and_given_back() -> None:
    api = FakeCounters()
    with keeping(api) as (lease, told):
        lease.claim(THREE)
        lease.claim(THREE)
        until(lambda: api.asked.count("renew 3") > 2)
    assert api.asked.count("open 3") == 1
    assert (api.asked[0], api.asked[-1], told) == ("open 3", "leave 3", [])


def test_who_has_left_claims_nothing_more() -> None:
    """A queue that arrives while the screen closes would claim the counter once more."""
    api, others = FakeCounters(), set(threading.enumerate())
    with keeping(api, every=60) as (lease, _):
        lease.claim(THREE)
        until(lambda: api.asked)
        with api.lock:
            lease.claim(CounterClaim("main", "4"))
            until(lambda: api.entered > 1)
            lease.stop(0)
            lease.claim(CounterClaim("main", "5"))
        until(lambda: set(threading.enumerate()) <= others)
    assert api.asked == ["open 3", "leave 3", "open 4", "leave 4"]


def test_another_counter_gives_the_first_one_back() -> None:
    api = FakeCounters()
    with keeping(api, every=60) as (lease, _):
        lease.claim(THREE)
        until(lambda: api.asked)
        lease.claim(CounterClaim("main", "4"))
        until(lambda: "open 4" in api.asked)
        lease.claim(CounterClaim("main", "4", ("CW",)))
        until(lambda: api.asked.count("open 4") == 2)
    assert api.asked == ["open 3", "leave 3", "open 4", "open 4", "leave 4"]


def test_who_is_in_use_is_asked_about_once_and_left_alone_until_the_person_decides() -> None:
    """No second question stands on top of the first, however long the person thinks."""
    api = FakeCounters()
    api.faults["open"] = claimed()
    with keeping(api) as (lease, told):
        lease.claim(THREE)
        until(lambda: told)
        lease.claim(THREE)
        time.sleep(0.1)  # several renewals, in which nothing may happen
        assert (api.asked, told) == (["open 3"], [CounterTaken("ada")])
        lease.claim(THREE, again=True)
        until(lambda: len(told) == 2)
        lease.claim(THREE, take_over=True)
        until(lambda: "renew 3" in api.asked)
    assert api.asked[-1] == "leave 3"


def test_a_counter_that_another_one_took_over_is_asked_about_once() -> None:
    api = FakeCounters()
    with keeping(api) as (lease, told):
        lease.claim(THREE)
        until(lambda: "renew 3" in api.asked)
        api.faults["renew"] = claimed()
        until(lambda: told)
        renewals = api.asked.count("renew 3")
        time.sleep(0.1)  # several renewals
        assert (api.asked.count("renew 3"), told) == (renewals, [CounterTaken("ada")])
    assert api.asked[-1] == "renew 3", "it is not ours to close"


def test_a_server_that_is_away_is_asked_again_at_the_next_beat_and_not_before() -> None:
    api = FakeCounters()
    api.faults["open"] = Unreachable("The server cannot be reached.")
    with keeping(api, every=60) as (lease, told):
        lease.claim(THREE)
        until(lambda: api.asked)
        time.sleep(0.05)  # a loop without a pause would have asked a thousand times
        assert (api.asked, told) == (["open 3"], [])
    api = FakeCounters()
    api.faults["open"] = refusal(ProblemCode.UNAVAILABLE, "The database is away.")
    with keeping(api) as (lease, told):
        lease.claim(THREE)
        until(lambda: len(api.asked) > 2)
        api.faults.clear()
        until(lambda: "renew 3" in api.asked)
        assert told == []


def test_a_counter_closed_behind_our_back_is_claimed_anew() -> None:
    api = FakeCounters()
    with keeping(api) as (lease, told):
        lease.claim(THREE)
        until(lambda: "renew 3" in api.asked)
        api.faults["renew"] = refusal(ProblemCode.UNKNOWN_COUNTER, "There is no counter 3.")
        until(lambda: api.asked.count("open 3") > 1)
        assert told == []


def test_a_counter_that_the_server_does_not_make_is_asked_for_once() -> None:
    api = FakeCounters()
    api.faults["open"] = refusal(ProblemCode.UNKNOWN_COUNTER, "There is no counter 3.", "Did you mean 2?")
    with keeping(api) as (lease, told):
        lease.claim(THREE)
        until(lambda: told)
        time.sleep(0.1)  # several renewals
        assert told == [CounterRefused("3", "There is no counter 3.", "Did you mean 2?")]
        api.faults.clear()
        lease.claim(CounterClaim("main", "2"))
        until(lambda: "open 2" in api.asked)


def test_a_counter_that_serves_nothing_of_what_is_shown_is_not_claimed() -> None:
    api = FakeCounters()
    api.known = [
        cast(CounterView, {"counterId": name, "departments": served, "isDeclared": name == "4"})
        for name, served in (("3", ["A", "B"]), ("4", ["A"]), ("5", ["A", "CW"]), ("6", []))
    ]
    with keeping(api) as (lease, told):
        for count, counter in enumerate("34", 1):
            lease.claim(CounterClaim("north", counter, ("CW",)))
            until(lambda count=count: len(told) == count)
        for counter in "56":
            lease.claim(CounterClaim("north", counter, ("CW",)))
            until(lambda counter=counter: f"open {counter}" in api.asked)
    assert [request for request in api.asked if request.startswith("open")] == ["open 5", "open 6"]
    three, four = (message for message in told if isinstance(message, CounterRefused))
    assert three.sentence == "Counter 3 serves A, B, not CW."
    assert "start 'tokenq console A B --counter 3'" in three.hint
    assert "with 'tokenq counter open 3 --branch north --dept CW'" in three.hint
    assert "An admin changes what it serves with 'tokenq counter declare 4 --branch north --dept CW'" in four.hint


def test_a_counter_that_holds_somebody_else_s_customer_is_asked_for_again() -> None:
    api = FakeCounters()
    params = {"counter": "3", "number": "A-002", "department": "A"}
    api.faults["open"] = refuse(CounterReason.HOLDS_OTHERS, **params)
    with keeping(api) as (lease, told):
        lease.claim(THREE)
        until(lambda: told)
    (message,) = told
    assert isinstance(message, CounterRefused)
    assert message.sentence == "Counter 3 holds A-002 of A, where you do not work."


def test_a_paused_counter_is_said_and_stays_paused() -> None:
    api = FakeCounters()
    api.state, api.reason = "PAUSED", "lunch"
    with keeping(api) as (lease, told):
        lease.claim(THREE)
        until(lambda: "renew 3" in api.asked)
        assert told == [Trouble("Counter 3 is paused (lunch).", "Press o to open it.")]


def test_a_counter_that_may_not_be_opened_is_said_once() -> None:
    api = FakeCounters()
    api.faults["open"] = refusal(ProblemCode.FORBIDDEN, "You are not staff of CW.", "Ask an admin.")
    with keeping(api) as (lease, told):
        lease.claim(THREE)
        until(lambda: told)
        time.sleep(0.1)  # several renewals
        assert told == [Trouble("You are not staff of CW.", "Ask an admin.")]
