"""The relay is told soon of a commit, seldom of the next ones, and nobody waits for it."""

import asyncio

import pytest

from tokenq_server.services import bell as bells
from tokenq_server.services.bell import Bell
from tokenq_server.services.ports import LedgerDown


class Ringing:
    """Counts rings; fails with what is in ``fault``."""

    def __init__(self) -> None:
        self.rings = 0
        self.fault: Exception | None = None

    async def __call__(self) -> None:
        self.rings += 1
        if self.fault:
            raise self.fault


async def test_many_commits_at_once_ring_once_and_later_ones_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(bells.time, "monotonic", lambda: now[0])
    ringing = Ringing()
    bell = Bell(ringing)
    for _ in range(5):
        bell.committed()
        await asyncio.sleep(0)
    assert ringing.rings == 1
    now[0] += 2 * bells.QUIET_SECONDS
    bell.committed()
    await bell.close()
    assert ringing.rings == 2


@pytest.mark.parametrize("fault", [LedgerDown(), RuntimeError("a fault")])
async def test_a_ring_that_fails_disturbs_nobody(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    now = [100.0]
    monkeypatch.setattr(bells.time, "monotonic", lambda: now[0])
    ringing = Ringing()
    ringing.fault = fault
    bell = Bell(ringing)
    bell.committed()
    await bell.close()
    now[0] += 1.0
    bell.committed()
    await bell.close()
    assert ringing.rings == 2
