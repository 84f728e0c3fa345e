"""Rate limits of several processes: shared while Redis answers, and never without any limit."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tokenq_server.domain.budgets import Budget, Standing, Use
from tokenq_server.services import rate_limits
from tokenq_server.services.memory_counts import MemoryCounts
from tokenq_server.services.rate_limits import RateLimits

TEN = Budget("ten", 10, 60.0)
LATER = replace(TEN, name="later", is_counted_later=True)


class SharedCounts(MemoryCounts):
    """Redis, which may be away, and how often it was asked."""

    is_away = False
    asked = 0

    async def take(self, uses: Sequence[Use]) -> list[Standing | None]:  # type: ignore[override]
        self.asked += 1
        return [None for _ in uses] if self.is_away else [*await super().take(uses)]

    async def add(self, uses: Sequence[Use]) -> list[Standing | None]:  # type: ignore[override]
        self.asked += 1
        return [None for _ in uses] if self.is_away else [*await super().add(uses)]

    async def remembers(self, fact: str) -> bool | None:  # type: ignore[override]
        return None if self.is_away else await super().remembers(fact)


def clock() -> float:
    return 1000.0


@pytest.fixture
def redis() -> SharedCounts:
    return SharedCounts(clock)


@pytest.fixture
def processes(redis: SharedCounts) -> tuple[RateLimits, RateLimits]:
    return RateLimits(redis, clock), RateLimits(redis, clock)


async def allowed(limits: RateLimits, use: Use, times: int) -> int:
    """How many of so many uses are allowed."""
    return [await limits.take([use]) is None for _ in range(times)].count(True)


async def test_processes_share_a_budget(processes: tuple[RateLimits, RateLimits]) -> None:
    first, second = processes
    assert [await allowed(each, Use(TEN, "x"), 7) for each in (first, second)] == [7, 3]
    exceeded = await first.take([Use(TEN, "x")])
    assert exceeded is not None
    assert exceeded.seconds == 61


async def test_without_redis_each_process_continues_from_what_it_knows(
    processes: tuple[RateLimits, RateLimits], redis: SharedCounts, caplog: pytest.LogCaptureFixture
) -> None:
    """Row 33: it neither allows everything nor starts from nothing. One line says so, and one that it is over."""
    caplog.set_level(logging.INFO)
    first, second = processes
    await allowed(second, Use(TEN, "x"), 2)
    await allowed(first, Use(TEN, "x"), 4)
    redis.is_away = True
    assert [await allowed(each, Use(TEN, "x"), 20) for each in (first, second)] == [4, 8]
    redis.is_away = False
    assert [await allowed(each, Use(TEN, "x"), 20) for each in (first, second)] == [4, 0], "Redis counted 6"
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO", "INFO"]


async def test_a_refused_request_uses_nothing_of_its_other_budgets(
    processes: tuple[RateLimits, RateLimits], redis: SharedCounts
) -> None:
    full, other, later = Use(TEN, "full", 10), Use(TEN, "other"), Use(LATER, "later")
    first, second = processes
    await first.take([full])
    for redis.is_away in (False, True):
        exceeded = await first.take([later, other, replace(full, cost=1)])
        assert exceeded is not None
        assert exceeded.use.whose == "full"
    redis.is_away = False
    assert [await allowed(first, use, 20) for use in (other, later)] == [10, 10]
    assert await allowed(second, other, 20) == 0


async def test_what_is_given_back_is_so_with_and_without_redis(
    processes: tuple[RateLimits, RateLimits], redis: SharedCounts
) -> None:
    for whose, redis.is_away in (("x", False), ("y", True)):
        uses = [Use(TEN, whose, 10), Use(LATER, whose, 10)]
        assert await processes[0].take(uses) is None
        await processes[0].give_back(uses)
        assert await processes[0].take(uses) is None


async def test_what_is_counted_later_asks_nobody_and_is_told_afterwards(
    processes: tuple[RateLimits, RateLimits], redis: SharedCounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "_REPORT_SECONDS", 0.01)
    first, second = processes
    use = Use(LATER, "x")
    assert await allowed(first, use, 6) == 6
    assert await allowed(second, use, 3) == 3
    assert redis.asked == 0
    async with asyncio.timeout(5):
        while redis.asked < 2:
            await asyncio.sleep(0.01)
    assert await allowed(second, use, 20) == 1, "it knows of the other one's"
    await first.close()
    await second.close()
    assert (await redis.add([replace(use, cost=0)]))[0] == Standing(10.0)


async def test_what_is_counted_later_stays_counted_while_redis_is_away(
    processes: tuple[RateLimits, RateLimits], redis: SharedCounts
) -> None:
    """Nor does a Redis that comes back empty make anybody forget."""
    first, _ = processes
    use, redis.is_away = Use(LATER, "x"), True
    assert await allowed(first, use, 8) == 8
    await first._tell()
    assert await allowed(first, use, 20) == 2
    redis.is_away = False
    await first._tell()
    assert await allowed(first, use, 20) == 0
    await first.close()


async def test_more_than_the_whole_budget_counts_as_all_of_it(
    processes: tuple[RateLimits, RateLimits], redis: SharedCounts
) -> None:
    """In Redis too, and when it is given back."""
    first, _ = processes
    for budget in (TEN, LATER):
        group = Use(budget, "x", 1000)
        for _ in range(2):
            assert await first.take([group]) is None
            await first.give_back([group])
        assert await first.take([group]) is None
        await first._tell()
        assert (await redis.add([replace(group, cost=0)]))[0] == Standing(10.0)
    await first.close()


async def test_a_part_of_a_cluster_that_is_away_fills_no_log(
    processes: tuple[RateLimits, RateLimits], redis: SharedCounts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for redis.is_away in (True, False) * 20:
        await processes[0].take([Use(TEN, "x")])
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_facts_are_known_without_redis_too(processes: tuple[RateLimits, RateLimits], redis: SharedCounts) -> None:
    first, second = processes
    await first.remember("fact", 10.0)
    assert [await each.remembers("fact") for each in processes] == [True, True]
    redis.is_away = True
    assert [await each.remembers("fact") for each in (first, second)] == [True, False]


@pytest.fixture(params=[TEN, LATER], ids=["at once", "later"])
def unlimited(request: pytest.FixtureRequest) -> Budget:
    return replace(request.param, free=0)


async def test_a_budget_of_0_is_no_limit(
    processes: tuple[RateLimits, RateLimits], redis: SharedCounts, unlimited: Budget
) -> None:
    assert await allowed(processes[0], Use(unlimited, "x"), 1000) == 1000
    assert redis.asked == 0
