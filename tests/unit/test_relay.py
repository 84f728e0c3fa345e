"""The relay's loop on fakes: what it does when things fail in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.fakes import MemoryLog, MemoryTopic
from tests.waiting import eventually
from tokenq.contract.problems import ProblemCode, Refused
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


async def test_the_whole_log_is_published_in_order() -> None:
    """1, 2, 3 … and nothing twice."""
    log, topic = log_of(1_200), MemoryTopic()
    async with running(log, topic):
        await eventually(lambda: len(topic.records) >= 1_200)

    assert [one.seq for one in topic.records] == list(range(1, 1_201))


async def test_a_crash_before_the_cursor_moves_publishes_nothing_twice() -> None:
    """The read-back finds what landed."""
    log, topic = log_of(10, loses_cursor_once=True), MemoryTopic()
    async with running(log, topic):
        await eventually(lambda: log.positions.get("CW") == Cursor(10, 0, 9))

    assert [one.seq for one in topic.records] == list(range(1, 11))


async def test_a_publish_that_fails_half_way_goes_on_after_what_landed() -> None:
    """Half a batch landed: the second half follows, the first is not repeated."""
    log, topic = log_of(10), MemoryTopic(fails_after=4)
    async with running(log, topic):
        await eventually(lambda: len(topic.records) >= 10)

    assert [one.seq for one in topic.records] == list(range(1, 11))


def test_a_lost_topic_is_filled_again_from_where_the_log_still_is() -> None:
    """The cursor goes back, but not before what is kept, nor before what the topic still has."""
    cursor = Cursor(50, 0, 49)

    assert resumed(cursor, Tail({}, {0}), "CW", 30) == Cursor(30)
    assert resumed(cursor, Tail({"CW": 20}, {0}, spots={"CW": (0, 19)}), "CW", 30) == Cursor(30)
    assert resumed(cursor, Tail({"CW": 40}, {0}, spots={"CW": (0, 39)}), "CW", 30) == Cursor(40, 0, 39)
    assert resumed(cursor, Tail({"CW": 60}, set(), spots={"CW": (0, 59)}), "CW", 0) == Cursor(60, 0, 59)
    assert resumed(cursor, Tail({}, set()), "CW", 0) == cursor


async def test_a_topic_lost_after_a_relay_died_is_filled_again() -> None:
    """What was published and not noted has a place all the same, so its loss is noticed."""
    log, topic = log_of(10, loses_cursor_once=True), MemoryTopic()
    async with running(log, topic):
        await eventually(lambda: log.positions.get("CW", Cursor(0)).seq == 10)
    topic.records.clear()
    async with running(log, topic):
        await eventually(lambda: len(topic.records) >= 10)

    assert [one.seq for one in topic.records] == list(range(1, 11))


def told(last: int, by: str = "told") -> list[Entry]:
    return [Entry("CW", seq, f'{{"eventId":"{by} {seq}"}}') for seq in range(1, last + 1)]


@pytest.mark.parametrize(
    ("kept", "is_refused"),
    [
        (told(7), False),
        (told(5), False),
        (told(4), True),
        (told(2) + told(9, "after a restore")[2:], True),
    ],
    ids=["ahead", "even", "behind", "behind, and gone on"],
)
async def test_a_log_that_is_behind_the_topic_is_refused_not_skipped(kept: list[Entry], is_refused: bool) -> None:
    """Readers drop what they have seen: new entries under old numbers would reach nobody."""
    log, topic = MemoryLog(kept), MemoryTopic(told(5))
    relay = Relay(log, topic)
    task = asyncio.create_task(relay.run())
    await eventually(
        lambda: task.done() or log.positions == {"CW": Cursor(len(kept))} or len(topic.records) == len(kept)
    )
    relay.stop()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)

    assert isinstance(outcome, Refused) == is_refused
    if is_refused:
        assert outcome.problem.code is ProblemCode.LOG_BEHIND
        assert "(partition 0, offset 4)" in outcome.problem.detail
        assert topic.records == told(5)


async def test_a_department_that_is_made_again_does_not_begin_under_old_numbers() -> None:
    """The database that was restored did not know it; the topic does."""
    log, topic = MemoryLog([]), MemoryTopic(told(5))
    relay = Relay(log, topic)
    task = asyncio.create_task(relay.run())
    await eventually(lambda: relay._strangers == {"CW": 5})
    log.entries.append(told(1, "again")[0])
    (outcome,) = await asyncio.gather(task, return_exceptions=True)

    assert isinstance(outcome, Refused)
    assert "in CW its log ends at 1, the topic at 5 (partition 0, offset 4)" in outcome.problem.detail
    assert topic.records == told(5)
