"""How many numbers an account, a key and a customer may have issued."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.people import ANN, DESK
from tokenq.contract.enums import Priority, Role
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq_server.domain.commands import CallNext, Issue, IssueGroup
from tokenq_server.domain.principal import Principal
from tokenq_server.services.issue_limits import IssueBudgets, IssueLimits
from tokenq_server.services.memory_counts import MemoryCounts
from tokenq_server.services.rate_limits import RateLimits
from tokenq_server.services.requests import Answer, Request

EVE, FRED = (Principal("session", number, "eve", Role.CUSTOMER, user_id=number) for number in (7, 8))


@dataclass
class Batches:
    """The next batch: remembers keys; ``refusal`` is its answer to what is new."""

    executed: list[Request] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    refusal: Refused | None = None
    asked: int = 0

    async def submit(self, request: Request) -> Answer:
        self.asked += 1
        if request.key in self.seen:
            return Answer(is_repeat=True)
        if refusal := request.refusal or self.refusal:
            raise refusal
        self.executed.append(request)
        self.seen |= {request.key} if request.key else set()
        return Answer(is_new=True)


class Desk:
    """Limits of 10 numbers a minute, 4 a day and 8 requests a minute, and a clock."""

    def __init__(self, staff: int = 10, customer: int = 4, requests: int = 8, visitor: int = 3) -> None:
        self.now, self.batches = 1000.0, Batches()
        limits = RateLimits(MemoryCounts(lambda: self.now), lambda: self.now)
        self.limits = IssueLimits(cast(Any, self.batches), limits, IssueBudgets.of(staff, customer, visitor, requests))

    async def issue(self, caller: Principal, department: str = "CW", key: str | None = None, **more: Any) -> str:
        """Issue; return ``issued``, ``repeated`` or the code of the refusal."""
        return await self.send(Issue(department, caller, **more), key)

    async def send(self, command: Any, key: str | None = None) -> str:
        try:
            answer = await self.limits.submit(Request(command, command.caller.identity, key))
        except Refused as refusal:
            self.refusal = refusal.problem
            return str(refusal.problem.code)
        return "repeated" if answer.is_repeat else "issued"


async def test_a_key_or_an_account_issues_so_many_a_minute() -> None:
    """L7: whatever department they are of. Others are not concerned."""
    desk = Desk()
    assert [await desk.issue(DESK, name) for name in "ABCDEFGHIJK"] == ["issued"] * 10 + ["rate_limited"]
    assert (desk.refusal.code.status, desk.refusal.extra) == (429, {"retryAfter": 7})
    assert desk.refusal.params["seconds"] == 7
    assert "desk has issued too many numbers" in desk.refusal.detail
    assert await desk.issue(ANN) == "issued"
    desk.now += 6
    assert [await desk.issue(DESK) for _ in range(2)] == ["issued", "rate_limited"]


async def test_a_customer_takes_so_many_of_a_department_a_day() -> None:
    """L7, row 35: issuing and cancelling in a loop burns few numbers, there and then."""
    desk = Desk(requests=100)
    assert [await desk.issue(EVE) for _ in range(6)] == ["issued"] * 4 + ["rate_limited"] * 2
    assert desk.refusal.params == {"department": "CW", "minutes": 361, "seconds": 21601}
    assert await desk.issue(EVE, "HR") == "issued"
    assert await desk.issue(FRED) == "issued"
    desk.now += 24 * 3600
    assert [await desk.issue(EVE) for _ in range(5)] == ["issued"] * 4 + ["rate_limited"]


async def test_a_customer_s_flood_does_not_reach_the_database() -> None:
    """Row 31: refused and repeated requests are requests too."""
    desk = Desk()
    desk.batches.refusal = refuse(DepartmentReason.CLOSED, name="Cash", department="CW")
    codes = [await desk.issue(EVE, key=f"k{number}") for number in range(5000)]
    assert codes == ["department_closed"] * 8 + ["rate_limited"] * 4992
    assert desk.batches.asked == 8
    assert desk.refusal.extra == {"retryAfter": 8}


async def test_a_flood_of_a_customer_whose_day_is_used_up_does_not_reach_the_database() -> None:
    """Row 31: with a key each of them could be a repetition; as requests they count all the same."""
    desk = Desk()
    assert [await desk.issue(EVE) for _ in range(4)] == ["issued"] * 4
    assert {await desk.issue(EVE, key=f"k{number}") for number in range(5000)} == {"rate_limited"}
    assert desk.batches.asked == 8
    assert desk.refusal.detail == "You have sent too many requests."


async def test_what_was_refused_issued_nothing_and_uses_nothing() -> None:
    desk = Desk(requests=100)
    desk.batches.refusal = refuse(DepartmentReason.CLOSED, name="Cash", department="CW")
    for _ in range(20):
        assert [await desk.issue(each) for each in (EVE, DESK)] == ["department_closed"] * 2
    desk.batches.refusal = None
    assert [await desk.issue(EVE) for _ in range(5)] == ["issued"] * 4 + ["rate_limited"]
    assert [await desk.issue(DESK) for _ in range(11)] == ["issued"] * 10 + ["rate_limited"]


@pytest.mark.parametrize("caller", [EVE, DESK], ids=["customer", "desk"])
async def test_a_repetition_is_no_new_number_and_always_gets_its_answer(caller: Principal) -> None:
    """Even if the budget is used up by now: the first answer may have been lost."""
    desk = Desk(staff=4, requests=100)
    assert [await desk.issue(caller, key=key) for key in "aaabbb"] == ["issued", *["repeated"] * 2] * 2
    assert [await desk.issue(caller, key=key) for key in "cde"] == ["issued"] * 2 + ["rate_limited"]
    assert [await desk.issue(caller, key=key) for key in "ad"] == ["repeated"] * 2
    assert await desk.issue(caller, key="e") == "rate_limited"
    assert len(desk.batches.executed) == 4


async def test_a_flood_of_supposed_repetitions_of_staff_does_not_reach_the_database() -> None:
    desk = Desk()
    await desk.send(IssueGroup("CW", DESK, (Issue("CW", DESK),) * 10))
    assert {await desk.issue(DESK, key=f"k{number}") for number in range(500)} == {"rate_limited"}
    assert desk.batches.asked == 1 + 10


async def test_a_group_counts_as_many_as_it_issues() -> None:
    desk = Desk()
    group = IssueGroup("CW", DESK, (Issue("CW", DESK),) * 8)
    assert [await desk.send(group) for _ in range(2)] == ["issued", "rate_limited"]
    assert [await desk.issue(DESK) for _ in range(3)] == ["issued"] * 2 + ["rate_limited"]


async def test_what_nobody_may_do_is_said_before_the_limit() -> None:
    desk = Desk(customer=1, requests=1)
    assert [await desk.issue(EVE) for _ in range(2)] == ["issued", "rate_limited"]
    assert await desk.issue(EVE, priority=Priority.URGENT) == str(ProblemCode.FORBIDDEN)


async def test_calls_are_not_limited() -> None:
    desk = Desk()
    assert {await desk.send(CallNext("CW", ANN, "1")) for _ in range(100)} == {"issued"}
