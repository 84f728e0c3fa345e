"""What counts of rate limits must do, in memory, on Valkey and on a cluster of Valkeys alike."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random

import pytest
from redis.asyncio import Redis

from tests.servers import Servers
from tests.valkeys import OwnValkeys
from tokenq_server.adapters.redis.rate_counts import open_counts
from tokenq_server.domain.budgets import Budget, Standing, Use
from tokenq_server.services.memory_counts import MemoryCounts
from tokenq_server.services.ports import RateCounts
from tokenq_server.store_users import REDIS_RULES, REDIS_USER

TEN = Budget("ten", 10, 60.0)
GUESSES = Budget("guesses", 3, 300.0, longest_wait=300.0)
PATIENCE = 10.0
"""Seconds that Redis may take on a busy machine."""


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "redis", "cluster"])
async def counts(request: pytest.FixtureRequest, servers: Servers, clock: Clock) -> AsyncIterator[RateCounts]:
    if request.param == "memory":
        yield MemoryCounts(clock)
        return
    is_cluster = request.param == "cluster"
    url = request.getfixturevalue("valkey_cluster").url if is_cluster else servers.redis_url
    redis = open_counts(url, timeout=PATIENCE, clock=clock)
    yield redis
    await redis.close()


def somebody() -> str:
    """A new one: Redis is shared by all tests of a worker."""
    return secrets.token_hex(6)


async def taken(counts: RateCounts, use: Use, times: int = 1) -> list[float]:
    """The wait that each of so many equal uses is told."""
    standings = [(await counts.take([use]))[0] for _ in range(times)]
    return [standing.wait for standing in standings if standing]


async def test_a_budget_is_used_up_and_comes_back_evenly(counts: RateCounts, clock: Clock) -> None:
    """Not all at once at the end of a minute."""
    use = Use(TEN, somebody())
    assert await taken(counts, use, 12) == [0.0] * 10 + [60.0] * 2
    clock.now += 59
    assert await taken(counts, use) == [pytest.approx(1.0)]
    clock.now += 1
    assert await taken(counts, use, 2) == [0.0, 60.0]
    clock.now += 3600
    assert await taken(counts, use, 11) == [0.0] * 10 + [60.0]


async def test_everybody_has_a_budget_of_their_own(counts: RateCounts) -> None:
    uses = [Use(TEN, somebody(), 10), Use(TEN, somebody(), 10), Use(replace(TEN, name="other"), somebody(), 10)]
    assert await counts.take(uses) == [Standing(10.0)] * 3
    assert [standing and standing.wait for standing in await counts.take(uses)] == [600.0] * 3


async def test_several_at_once_count_as_several(counts: RateCounts) -> None:
    who = somebody()
    assert await taken(counts, Use(TEN, who, 6)) == [0.0]
    assert await taken(counts, Use(TEN, who, 6)) == [120.0]
    assert await taken(counts, Use(TEN, who, 4)) == [0.0]


async def test_more_than_the_whole_budget_needs_an_unused_one(counts: RateCounts, clock: Clock) -> None:
    """A group that is larger than what is allowed in a minute is not refused for ever."""
    who = somebody()
    assert await taken(counts, Use(TEN, who)) == [0.0]
    assert await taken(counts, Use(TEN, who, 1000)) == [60.0]
    clock.now += 60
    assert await taken(counts, Use(TEN, who, 1000)) == [0.0]


async def test_beyond_a_budget_of_guesses_each_costs_a_growing_wait(counts: RateCounts, clock: Clock) -> None:
    use, waits = Use(GUESSES, somebody()), []
    assert await taken(counts, use, 3) == [0.0] * 3
    for _ in range(18):
        (wait,) = await taken(counts, use)
        waits.append(round(wait))
        clock.now += wait + 0.01
        assert await taken(counts, use) == [0.0]
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert waits == sorted(waits)
    assert waits[-1] == 300


async def test_a_guess_that_is_forgotten_in_part_still_counts(counts: RateCounts, clock: Clock) -> None:
    """Whoever guesses slowly, a little before it is forgotten, waits too."""
    use = Use(GUESSES, somebody())
    for _ in range(3):
        assert await taken(counts, use) == [0.0]
        clock.now += 20
    clock.now -= 20
    assert await taken(counts, use) == [1.0]


async def test_what_is_given_back_can_be_used_again(counts: RateCounts) -> None:
    """Also the wait that it caused."""
    use, guess = Use(TEN, somebody(), 10), Use(GUESSES, somebody())
    await taken(counts, use)
    assert await counts.add([replace(use, cost=-10)]) == [Standing(0.0)]
    assert await taken(counts, use) == [0.0]
    assert await taken(counts, guess, 4) == [0.0, 0.0, 0.0, 1.0]
    assert await counts.add([replace(guess, cost=-1)]) == [Standing(2.0)]
    assert await taken(counts, guess) == [0.0]


async def test_what_happened_is_added_whatever_the_budget_allows(counts: RateCounts) -> None:
    use = Use(TEN, somebody(), 30)
    assert await counts.add([use]) == [Standing(30.0)]
    assert await taken(counts, replace(use, cost=1)) == [21 * 60.0]
    assert await counts.add([replace(use, cost=-100)]) == [Standing(0.0)]


async def test_a_forgotten_count_starts_from_nothing(counts: RateCounts) -> None:
    use = Use(GUESSES, somebody())
    await taken(counts, use, 3)
    await counts.forget([use])
    assert await taken(counts, use, 4) == [0.0, 0.0, 0.0, 1.0]


async def test_a_fact_is_remembered(counts: RateCounts) -> None:
    fact = somebody()
    assert await counts.remembers(fact) is False
    await counts.remember(fact, 100.0)
    assert await counts.remembers(fact) is True
    assert await counts.remembers(fact + "x") is False


async def test_many_at_once_take_exactly_what_there_is(counts: RateCounts) -> None:
    use = Use(TEN, somebody())
    standings = await asyncio.gather(*(counts.take([use, Use(TEN, somebody())]) for _ in range(40)))
    assert [own and own.wait for own, _ in standings].count(0.0) == 10
    assert all(other and not other.wait for _, other in standings)


async def test_memory_and_redis_count_alike(servers: Servers, clock: Clock) -> None:
    """The rule is written down twice; random uses, gifts and pauses tell whether it is the same one.

    No budget comes back within seconds: Redis forgets keys by its own clock, however slow this machine is.
    """
    chance, memory = Random(31), MemoryCounts(clock)
    redis = open_counts(servers.redis_url, timeout=PATIENCE, clock=clock)
    odd, one = Budget("odd", 7, 130.0137), Budget("one", 1, 100.0, 8.0)
    uses = [Use(budget, somebody()) for budget in (TEN, GUESSES, odd, one)]
    for _ in range(400):
        use = replace(chance.choice(uses), cost=chance.choice((1, 1, 1, 2, 9, 30)))
        give_back = chance.random() < 0.2
        answers = [
            await (each.add([replace(use, cost=-use.cost)]) if give_back else each.take([use]))
            for each in (memory, redis)
        ]
        (here,), (there,) = answers
        assert there is not None
        assert vars(here) == {name: pytest.approx(value, abs=0.01) for name, value in vars(there).items()}
        clock.now += chance.choice((0.0, 0.0, 0.001, 1.0, 20.0, 400.0))
    await redis.close()


async def test_by_redis_own_clock_a_count_comes_back_too(servers: Servers) -> None:
    counts = open_counts(servers.redis_url, timeout=PATIENCE)
    use = Use(Budget("quick", 1, 0.2), somebody())
    assert await taken(counts, use) == [0.0]
    async with asyncio.timeout(10):
        while await taken(counts, use) != [0.0]:
            await asyncio.sleep(0.02)
    await counts.close()


async def test_a_key_shows_no_name_and_ends_by_itself(valkeys: OwnValkeys) -> None:
    """Neither an account nor an address can be read in Redis; each key has a hash tag and a lifetime."""
    server = (await asyncio.to_thread(valkeys.start)).server
    counts = open_counts(server.url, timeout=PATIENCE)
    await counts.take([Use(TEN, "canary\0192.0.2.7"), Use(GUESSES, "canary@example.com")])
    await counts.remember("login canary", 1000.0)
    await counts.close()
    async with Redis.from_url(server.url, decode_responses=True) as redis:
        keys = [key async for key in redis.scan_iter()]
        assert len(keys) == 3
        for key in keys:
            readable = key + str(await redis.get(key))
            assert key.startswith("tq:limit:{")
            assert not any(word in readable for word in ("canary", "192.0.2.7", "example"))
            assert 0 < await redis.ttl(key) <= 1000


async def test_away_it_answers_nothing_at_once_and_comes_back(valkeys: OwnValkeys) -> None:
    """Nobody waits for it twice."""
    running = await asyncio.to_thread(valkeys.start)
    counts = open_counts(running.server.url, timeout=PATIENCE, pause=0.1)
    use = Use(TEN, somebody())
    assert await counts.take([use]) == [Standing(1.0)]
    running.kill()
    assert await counts.take([use, use]) == [None, None]
    assert await counts.add([use]) == [None]
    await counts.forget([use])
    await counts.remember("fact", 10.0)
    assert await counts.remembers("fact") is None
    await asyncio.to_thread(running.start)
    async with asyncio.timeout(20):
        while await counts.take([use]) == [None]:
            await asyncio.sleep(0.05)
    await counts.close()


async def test_a_server_that_refuses_to_count_is_like_one_that_is_away(valkeys: OwnValkeys) -> None:
    """A replica, or one that is full."""
    server = (await asyncio.to_thread(valkeys.start)).server
    counts = open_counts(server.url, timeout=PATIENCE)
    await counts.take([Use(TEN, "x")])
    with server.client() as client:
        client.config_set("maxmemory", "1")
    assert await counts.take([Use(TEN, "x")]) == [None]
    await counts.close()


async def test_it_counts_as_the_limited_user_of_redis(valkeys: OwnValkeys) -> None:
    """Once somebody else has loaded the functions, or with the address of who may."""
    server = (await asyncio.to_thread(valkeys.start)).server
    with server.client() as admin:
        admin.execute_command("ACL", "SETUSER", REDIS_USER, "on", ">secret", *REDIS_RULES.split())
    limited = f"redis://{REDIS_USER}:secret@127.0.0.1:{server.port}/0"
    use = Use(TEN, "x")
    without, loading = open_counts(limited, timeout=PATIENCE), open_counts(limited, server.url, timeout=PATIENCE)
    assert await without.take([use]) == [None]
    assert await loading.take([use]) == [Standing(1.0)]
    assert await loading.add([replace(use, cost=-1)]) == [Standing(0.0)]
    await loading.remember("fact", 10.0)
    assert await loading.remembers("fact") is True
    await loading.forget([use])
    again = open_counts(limited, timeout=PATIENCE)
    assert await again.take([use]) == [Standing(1.0)]
    for each in (without, loading, again):
        await each.close()


async def test_a_cancelled_caller_takes_no_reply_from_another(servers: Servers) -> None:
    counts = open_counts(servers.redis_url, timeout=PATIENCE)
    first, second = Use(TEN, somebody(), 3), Use(TEN, somebody(), 7)
    cancelled = asyncio.create_task(counts.take([first]))
    await asyncio.sleep(0)
    other = asyncio.create_task(counts.take([second]))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert await other == [Standing(7.0)]
    (standing,) = await counts.take([replace(first, cost=1)])
    assert standing == Standing(pytest.approx(4.0, abs=0.1))
    await counts.close()
