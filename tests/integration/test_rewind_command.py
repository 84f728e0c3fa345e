"""``tokenq server rewind``: what it shows, asks and refuses, and rebuilding the queues in Redis."""

import asyncio
import json
import os
import subprocess
import sys

from redis.asyncio import Redis

from tests.integration.restored_place import Place, a_lost_hour, lost_but_to_redis, refused, refused_with
from tokenq.contract.problems import ProblemCode
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.domain.commands import Housekeep


def typed(place: Place, *options: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """``tokenq server rewind`` on these stores, without a terminal."""
    command = [sys.executable, "-m", "tokenq", "server", "rewind", *options]
    environment = os.environ | place.environment
    return subprocess.run(command, env=environment, input=said, capture_output=True, text=True, timeout=60)


async def test_the_command_shows_what_is_missing_and_restores_it(place: Place) -> None:
    """A table for people, JSON for scripts; and nothing to do the second time."""
    name = await a_lost_hour(place)
    place.restore()
    done, again = typed(place, "--yes"), typed(place, "--yes", "--json")

    assert done.returncode == again.returncode == 0, done.stderr + again.stderr
    assert [name, "6", "16", "16", "10", "events"] in [line.split() for line in done.stdout.splitlines()]
    assert f"Waiting again: {name}-007, {name}-008, {name}-009" in done.stdout
    assert json.loads(again.stdout) == {"departments": [], "linesRebuilt": True}


async def test_the_command_does_nothing_without_confirmation(place: Place) -> None:
    """Without a terminal it cannot ask: a script must use --yes, and input on stdin is ignored."""
    await a_lost_hour(place)
    place.restore()
    done = typed(place, said="n\n")

    assert done.returncode == 2, done.stderr
    assert "--yes" in done.stderr
    await refused(place.guard())


async def test_the_command_does_not_stop_the_relay_when_nothing_is_missing(place: Place) -> None:
    """It checks first, so a running relay does not matter."""
    async with place.core() as core:
        await core.issue(await core.department(), 2)
    relay = place.relay()
    running = asyncio.create_task(relay.run())
    log = PostgresEventLog(place.dsn, "tokenq-test")
    async with asyncio.timeout(30):
        while not running.done() and await log.unpublished(1):
            await asyncio.sleep(0.02)
    done = await asyncio.to_thread(typed, place)
    assert not running.done()
    relay.stop()
    await asyncio.gather(running, log.close())

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing is missing")


async def test_a_rewind_needs_redis_for_what_redis_alone_has_seen(place: Place) -> None:
    """Redis knows more but is now unavailable: no number is issued on a guess."""
    name, _ = await lost_but_to_redis(place)
    await place.put_stranger(name)
    refusal = await refused_with(place.rewind(patience=0.0), ProblemCode.UNAVAILABLE)

    assert f"Redis cannot report its position in {name}" in refusal.problem.detail
    await place.put_stranger(name, leaves=True)
    await place.rewind()
    async with place.core() as core:
        assert (await core.issue(name))[0]["tokenNo"] == 6


async def test_a_rewind_names_what_blocks_it(place: Place) -> None:
    """A session that holds a lock differs from a database that refuses the row."""
    name = await a_lost_hour(place)
    place.restore()
    async with place.held(name):
        busy = await refused_with(place.rewind(), ProblemCode.UNAVAILABLE)
    async with place.core() as core:
        await core.run("ALTER TABLE token ADD CONSTRAINT no_more CHECK (number < 7)")
    refusal = await refused_with(place.rewind(), ProblemCode.INTERNAL)

    assert "is running on this database" in busy.problem.detail
    assert "no_more" in refusal.problem.detail
    assert "is running" not in refusal.problem.detail


async def test_an_enormous_gap_is_refused(place: Place) -> None:
    """Each missing seq becomes an entry; millions of them would repair nothing."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 2)
    await place.publish()
    client: Redis = Redis.from_url(place.servers.redis_url, decode_responses=True)
    keys = [key async for key in client.scan_iter(f"tq:{{{name}}}:*") if await client.type(key) == "hash"]
    assert [await client.hset(key, "seq", "4611686018427387904") for key in keys] == [0]
    await client.aclose()

    refusal = await refused_with(place.rewind(), ProblemCode.LOG_BEHIND)
    assert f"{name} lacks 4611686018427387901 events" in refusal.problem.detail


async def test_a_rewind_reports_even_if_a_queue_cannot_be_rebuilt(place: Place) -> None:
    """All is committed by then: a locked row must not hide the list of restored tokens."""
    async with place.core() as core:
        other = await core.department()
    name = await a_lost_hour(place)
    place.restore()
    async with place.held(other):
        done = await place.rewind()

    assert done["waitingAgain"] == [f"{name}-{number:03d}" for number in (7, 8, 9)]
    assert not done["linesRebuilt"]


async def test_a_locked_department_is_skipped_by_a_rebuild_and_named(place: Place) -> None:
    """Its row is locked for too long: the others are rebuilt, and there is no traceback."""
    async with place.core() as core:
        names = sorted([await core.department() for _ in range(3)])
        for name in names:
            await core.issue(name)
            await place.empty_redis(name)
    async with place.held(names[1]):
        refusal = await refused_with(place.rebuild(), ProblemCode.UNAVAILABLE)

        assert refusal.problem.detail.startswith(f"{names[1]} is busy")
    async with place.core() as core:
        (row,) = await core.rows("SELECT day FROM dept_state WHERE department_id = %s", names[0])
        assert [(await core.line.state(name, row["day"])).at for name in names] == [2, -1, 2]
    assert set(names) <= set(await place.rebuild())


async def test_a_redis_with_equal_counts_but_other_members_is_refilled(place: Place) -> None:
    """The same seq and counts, other members: only the members differ."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 3)
        (row,) = await core.rows("SELECT day FROM dept_state WHERE department_id = %s", name)
        state = await core.line.state(name, row["day"])
        assert await swapped(place, name) != state.token_ids
        await place.rewind()
        await core.do(Housekeep(name))
        assert [(await core.call(name, counter))["tokenNo"] for counter in "123"] == [1, 2, 3]
        assert core.counts.seen["line_fallbacks"] == 0


async def swapped(place: Place, name: str) -> list[int]:
    """Replace the first entry with a foreign one."""
    client: Redis = Redis.from_url(place.servers.redis_url, decode_responses=True)
    (key,) = [key async for key in client.scan_iter(f"tq:{{{name}}}:*:q")]
    ((_, score),) = await client.zrange(key, 0, 0, withscores=True)
    await client.zremrangebyrank(key, 0, 0)
    await client.zadd(key, {f"{999_999_999:019d}": score})
    members = [int(member) for member in await client.zrange(key, 0, -1)]
    await client.aclose()
    return members
