"""What the relay's topic must do, on the fake and on a real broker alike."""

import json
from collections.abc import AsyncIterator

import pytest
from confluent_kafka import Producer

from tests.fakes import MemoryTopic
from tests.servers import Servers
from tests.without_http import department_id
from tokenq.contract.kafka_access import KafkaAccess
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.services.publishing import Cursor, Entry, PublishFailed, Topic


@pytest.fixture(params=["memory", "kafka"])
async def topic(request: pytest.FixtureRequest, servers: Servers) -> AsyncIterator[Topic]:
    chosen: Topic = MemoryTopic()
    if request.param == "kafka":
        chosen = KafkaTopic(KafkaAccess(servers.kafka_bootstrap), 3, embedded=servers.has_embedded_broker)
    await chosen.open()
    yield chosen
    await chosen.close()


def entries(name: str, first: int, last: int) -> list[Entry]:
    """Log entries of one department."""
    wire = {"eventType": "TOKEN_GENERATED", "departmentId": name, "tokenId": 1, "tokenNo": 1}
    seqs = range(first, last + 1)
    return [Entry(name, seq, json.dumps(wire | {"seq": seq, "eventId": f"event {seq}"})) for seq in seqs]


async def test_cursors_are_the_last_of_each_department(topic: Topic) -> None:
    """A cursor moves only by what was acknowledged, and knows where that lies."""
    one, other = department_id(), department_id()
    cursors = await topic.publish([*entries(one, 1, 5), *entries(other, 1, 2)])

    assert {name: cursor.seq for name, cursor in cursors.items()} == {one: 5, other: 2}
    assert all(cursor.offset is not None and cursor.partition is not None for cursor in cursors.values())


async def test_the_broker_knows_each_partition_s_end(servers: Servers) -> None:
    """Those who read up to it, as verify does, would miss what lies behind it."""
    access = KafkaAccess(servers.kafka_bootstrap)
    topic = KafkaTopic(access, 3, embedded=servers.has_embedded_broker)
    await topic.open()
    names = [department_id() for _ in range(6)]
    for last in (1, 4, 30):
        cursors = await topic.publish([entry for name in names for entry in entries(name, last, last + 9)])
        ends: dict[int, int] = {}
        for cursor in cursors.values():
            ends[cursor.partition or 0] = max(ends.get(cursor.partition or 0, 0), (cursor.offset or 0) + 1)
        known = await KafkaReader(access).find_ends()
        assert {number: end for number, (_, end) in known.items() if number in ends} == ends
    await topic.close()


async def test_what_was_published_is_read_back(topic: Topic) -> None:
    """A relay that died after publishing must find out that it did."""
    name = department_id()
    cursor = (await topic.publish(entries(name, 1, 4)))[name]
    await topic.publish(entries(name, 5, 7))
    tail = await topic.read_back({name: cursor})

    assert tail.found[name] == 7
    assert tail.ids[name] == "event 7"
    assert tail.spots[name] == (cursor.partition, (cursor.offset or 0) + 3)
    assert tail.lost == set()


async def test_only_what_follows_without_a_gap_is_found(topic: Topic) -> None:
    """The log has no gaps: a record from far ahead, or from behind, is a stranger's and proves nothing."""
    name, other = department_id(), department_id()
    cursors = await topic.publish([*entries(name, 1, 4), *entries(other, 1, 2)])
    await topic.publish(
        [*entries(name, 5, 6), *entries(name, 2**62, 2**62), *entries(name, 3, 3), *entries(name, 8, 8)]
    )
    await topic.publish(entries(other, 2**62, 2**62))
    tail = await topic.read_back(cursors)

    assert (tail.found[name], tail.ids[name]) == (6, "event 6")
    assert other not in tail.found


async def test_a_topic_that_ends_too_early_has_lost_records(topic: Topic) -> None:
    """A broker that came back empty must be noticed."""
    name = department_id()
    cursor = (await topic.publish(entries(name, 1, 1)))[name]
    partition = cursor.partition or 0
    tail = await topic.read_back({name: Cursor(1, partition, (cursor.offset or 0) + 1_000_000)})

    assert tail.lost == {partition}
    assert tail.found[name] == 1


async def test_reading_back_has_one_deadline_for_all_of_it(servers: Servers) -> None:
    """A program that starts does not wait for each partition of a broker that is half away."""
    topic = KafkaTopic(KafkaAccess(servers.kafka_bootstrap), 3, embedded=servers.has_embedded_broker)
    await topic.open()

    with pytest.raises(PublishFailed, match="in time"):
        await topic.read_back({}, patience=0.0)
    await topic.close()


async def test_an_unreachable_broker_is_a_failure_not_a_hang() -> None:
    """The relay starts over; it must get the chance to."""
    topic = KafkaTopic(KafkaAccess("127.0.0.1:1"), 1, embedded=True)

    with pytest.raises(PublishFailed):
        await topic.ping()


async def test_a_full_queue_is_a_failure_not_a_crash() -> None:
    """More than the library holds while no broker takes any of it."""
    topic = KafkaTopic(KafkaAccess("127.0.0.1:1"), 1, embedded=False)
    topic._producer = Producer({"bootstrap.servers": "127.0.0.1:1", "queue.buffering.max.messages": 10, "log_level": 0})

    with pytest.raises(PublishFailed, match="full"):
        await topic.publish(entries("CW", 1, 20))
    await topic.close()


async def test_reading_back_ends_when_the_relay_is_told_to_stop(servers: Servers) -> None:
    """A long tail does not keep a program from ending."""
    topic = KafkaTopic(KafkaAccess(servers.kafka_bootstrap), 3, embedded=servers.has_embedded_broker)
    await topic.open()
    topic.abort()

    with pytest.raises(PublishFailed, match="stopping"):
        await topic.read_back({}, patience=0.0)
    await topic.close()


@pytest.mark.parametrize("last", [3, 30])
async def test_records_that_land_before_the_known_end_are_in_another_topic(servers: Servers, last: int) -> None:
    """Somebody deleted it and made it again meanwhile; also when more come at once than it had."""
    topic, name = (
        KafkaTopic(KafkaAccess(servers.kafka_bootstrap), 3, embedded=servers.has_embedded_broker),
        department_id(),
    )
    await topic.open()
    ends = (await topic.publish(entries(name, 1, 1)))[name]
    topic._ends = {ends.partition or 0: (ends.offset or 0) + 10}

    with pytest.raises(PublishFailed, match="was recreated"):
        await topic.publish(entries(name, 2, last))
    await topic.close()
