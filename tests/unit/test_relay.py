"""The relay's loop on fakes: what it does when things fail in between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.fakes import MemoryLog, MemoryTopic
from tokenq_server.relay import Relay, resumed
from tokenq_server.services.publishing import Cursor, Entry, Tail


def log_of(count: int, **more: bool) -> MemoryLog:
    return MemoryLog([Entry("CW", seq, f'{{"seq":{seq}}}') for seq in range(1, count + 1)], **more)


@asynccontextmanager
async def running(log: MemoryLog, topic: MemoryTopic) -> AsyncIterator[Relay]:
    relay = Relay(log, topic)
    task = asyncio.create_task(relay.run())
    yield relay
    relay.stop()
    await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_the_whole_log_is_published_in_order() -> None:
    """1, 2, 3 … and nothing twice."""
    log, topic = log_of(1_200), MemoryTopic()
    async with running(log, topic):
        await until(lambda: len(topic.records) >= 1_200)

    assert [one.seq for one in topic.records] == list(range(1, 1_201))


async def test_a_crash_before_the_cursor_moves_publishes_nothing_twice() -> None:
    """The read-back finds what landed."""
    log, topic = log_of(10, loses_cursor_once=True), MemoryTopic()
    async with running(log, topic):
        await until(lambda: log.positions.get("CW") == Cursor(10))

    assert [one.seq for one in topic.records] == list(range(1, 11))


async def test_a_publish_that_fails_half_way_goes_on_after_what_landed() -> None:
    """Half a batch landed: the second half follows, the first is not repeated."""
    log, topic = log_of(10), MemoryTopic(fails_after=4)
    async with running(log, topic):
        await until(lambda: len(topic.records) >= 10)

    assert [one.seq for one in topic.records] == list(range(1, 11))


def test_a_lost_topic_is_filled_again_from_where_the_log_still_is() -> None:
    """The cursor goes back, but not before what is kept, nor before what the topic still has."""
    cursor = Cursor(50, 0, 49)

    assert resumed(cursor, Tail({}, {0}), "CW", 30) == Cursor(30)
    assert resumed(cursor, Tail({"CW": 40}, {0}), "CW", 30) == Cursor(40)
    assert resumed(cursor, Tail({"CW": 60}, set()), "CW", 0) == Cursor(60, 0, 49)
