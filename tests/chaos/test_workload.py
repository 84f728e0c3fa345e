"""The workload covers everything the checker has rules for."""

import asyncio
import time
from collections import Counter

from tests.chaos.campaign import Campaign, carry_out
from tests.chaos.fixtures import ROVERS
from tests.chaos.history import Operation, read
from tests.chaos.system import Plan

_EACH = 5


def way(op: Operation) -> str:
    """The kind of an operation, more exactly than its verb."""
    if op.f == "issue" and "userId" in op.asked:
        return "issued for a user"
    if op.f == "serve" and "tokenId" not in op.asked:
        return "served at once"
    if op.f == "call" and "tokenId" in op.asked:
        return "called out of order"
    if op.f == "call" and op.asked["counterId"] in ROVERS:
        return f"called by {op.asked['counterId']} in {op.answer['departmentId']}"
    return op.f


WAYS = {
    "issued for a user", "served at once", "called out of order", "issue", "call", "start", "serve", "no-show",
    "requeue", "park", "transfer", "undo", "cancel", "recall", "called by all in XR", "called by two in CW",
}  # fmt: skip


async def test_what_the_workload_does_is_checked() -> None:
    """Each kind several times; the rules about users and about serving in one step had cases."""

    async def script(campaign: Campaign) -> None:
        give_up = time.monotonic() + 60
        while True:
            done = Counter(way(op) for op in read(campaign.workload.history.path) if op.outcome == "ok")
            if not (missing := [name for name in WAYS if done[name] < _EACH]):
                return
            assert time.monotonic() < give_up, f"missing {missing}: {done}"
            await asyncio.sleep(0.2)

    result = await carry_out("workload", Plan(apis=2), script)

    assert result.report.red == {}, result.report
    assert all(result.report.counts[code][0] for code in ("N8", "S1", "S2", "S5", "S6", "M2"))
