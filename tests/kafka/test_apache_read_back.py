"""What the relay reads back from Apache Kafka: all records, whatever strangers do to the topic."""

from collections.abc import AsyncIterator

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.kafka.apache import ApacheKafka
from tests.ports.test_topic import entries
from tests.servers import Running
from tests.waiting import until
from tests.without_http import department_id
from tokenq.contract.events import TOPIC
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.stream import Arrived
from tokenq.stream.event_stream import EventStream
from tokenq_server.adapters.kafka.consumer import KafkaConsumer
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import KafkaTopic

pytestmark = pytest.mark.kafka


@pytest.fixture
async def topic(apache_kafka: Running[ApacheKafka]) -> AsyncIterator[KafkaTopic]:
    made = KafkaTopic(KafkaAccess(apache_kafka.server.bootstrap), 3, embedded=False)
    await made.open()
    yield made
    await made.close()


async def test_a_foreign_open_transaction_hides_nothing(apache_kafka: Running[ApacheKafka], topic: KafkaTopic) -> None:
    """Our records behind it were invisible: the relay published them twice, and boards and e-mails stopped."""
    bootstrap, name = apache_kafka.server.bootstrap, department_id()
    first = (await topic.publish(entries(name, 1, 1)))[name]
    partition = first.partition or 0
    stranger = Producer({"bootstrap.servers": bootstrap, "transactional.id": name, "log_level": 0})
    stranger.init_transactions(20)
    stranger.begin_transaction()
    stranger.produce(TOPIC, b"{}", partition=partition)
    stranger.flush(20)
    board, consumer = EventStream(KafkaAccess(bootstrap)), KafkaConsumer(KafkaAccess(bootstrap), 20)
    try:
        await topic.publish(entries(name, 2, 5))
        tail = await topic.read_back({name: first})
        assert (tail.found[name], tail.lost) == (5, set())
        seen: set[int] = set()

        def board_shows_all() -> bool:
            item = board.read(0.1)
            if isinstance(item, Arrived) and item.event.department_id == name:
                seen.add(item.event.seq)
            return seen == {1, 2, 3, 4, 5}

        until(board_shows_all, lambda: str(seen))
        taken: list[bytes] = []
        while not any(name.encode() in value and b'"seq": 5' in value for value in taken):
            taken += [record.value for record in await consumer.take(500, 5.0)]
    finally:
        stranger.abort_transaction(20)
        board.close()
        await consumer.close()


async def test_verify_reads_past_a_transaction_marker(apache_kafka: Running[ApacheKafka], topic: KafkaTopic) -> None:
    """Such a marker can end a partition and is never delivered: its offset must count as read."""
    bootstrap, name = apache_kafka.server.bootstrap, department_id()
    partition = (await topic.publish(entries(name, 1, 2)))[name].partition or 0
    stranger = Producer({"bootstrap.servers": bootstrap, "transactional.id": name, "log_level": 0})
    stranger.init_transactions(20)
    stranger.begin_transaction()
    stranger.produce(TOPIC, b"{}", partition=partition)
    stranger.commit_transaction(20)
    try:
        reader = KafkaReader(KafkaAccess(bootstrap))
        await reader.find_ends()
        seen = [event.seq async for piece in reader.records() for event in piece if event.department_id == name]
    finally:
        await topic.publish(entries(name, 3, 3))

    assert seen == [1, 2]


async def test_retention_is_no_loss(apache_kafka: Running[ApacheKafka], topic: KafkaTopic) -> None:
    """An empty partition with the right end offset has lost nothing."""
    name = department_id()
    last = (await topic.publish(entries(name, 1, 5)))[name]
    partition, offset = last.partition or 0, last.offset or 0
    admin = AdminClient({"bootstrap.servers": apache_kafka.server.bootstrap})
    for done in admin.delete_records([TopicPartition(TOPIC, partition, offset + 1)]).values():
        done.result(timeout=20)
    tail = await topic.read_back({name: last})

    assert (tail.lost, name in tail.found) == (set(), False)
    cursor = (await topic.publish(entries(name, 6, 6)))[name]
    assert (await topic.read_back({name: last})).found[name] == 6
    assert cursor.offset == offset + 1


async def test_notify_logs_what_the_topic_deleted_unread(
    apache_kafka: Running[ApacheKafka], topic: KafkaTopic, caplog: pytest.LogCaptureFixture
) -> None:
    """Stopped for longer than the topic's retention: the number of lost records is logged, and the rest is read."""
    bootstrap, name = apache_kafka.server.bootstrap, department_id()
    first = (await topic.publish(entries(name, 1, 1)))[name]
    assert len(await deal_with(KafkaConsumer(KafkaAccess(bootstrap), 20), name)) == 1
    end = (await topic.publish(entries(name, 2, 4)))[name].offset or 0
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for done in admin.delete_records([TopicPartition(TOPIC, first.partition or 0, end)]).values():
        done.result(timeout=20)

    (rest,) = await deal_with(KafkaConsumer(KafkaAccess(bootstrap), 20), name)

    assert b'"seq": 4' in rest
    said = [vars(record) for record in caplog.records if "deleted events" in record.message]
    assert (first.partition, 2) in [(record["partition"], record["events"]) for record in said]


async def deal_with(consumer: KafkaConsumer, name: str) -> list[bytes]:
    """Poll and commit until a record of that department comes; leave the group."""
    mine: list[bytes] = []
    while not mine:
        records = await consumer.take(500, 5.0)
        mine = [record.value for record in records if name.encode() in record.value]
        await consumer.commit(records)
    await consumer.close()
    return mine
