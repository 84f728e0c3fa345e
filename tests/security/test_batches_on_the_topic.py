"""Batches on the topic that unfold to more than a client takes: no reader stops at them. Row 58.

A broker stores what is compressed; only who reads it unpacks it. Whoever may write to the topic could otherwise stop
every board, notify, the relay's next start and ``verify`` by one small batch, for as long as the topic keeps it.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.hostile_records import written
from tests.servers import Running, running_broker
from tests.waiting import until
from tokenq.contract.events import TOPIC
from tokenq.contract.fetching import Leaps
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.stream import Arrived
from tokenq.stream.event_stream import EventStream
from tokenq_server.adapters.kafka.consumer import KafkaConsumer
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.embedded.broker import Broker
from tokenq_server.services.publishing import Cursor

UNFOLDED = 110_000_000
"""More than a client of Kafka takes in one answer (``receive.message.max.bytes``)."""


@pytest.fixture(scope="module")
async def topic() -> AsyncIterator[Running[Broker]]:
    """A topic with an event, two bombs, an event, and a bomb at the end."""
    with running_broker() as broker:
        opened = KafkaTopic(KafkaAccess(broker.server.bootstrap), 1, embedded=True)
        await opened.open()
        await opened.close()
        servers = {"bootstrap.servers": broker.server.bootstrap, "batch.num.messages": 1}
        packed = {"compression.type": "zstd", "message.max.bytes": 500_000_000, "queue.buffering.max.kbytes": 500_000}
        plain, bombs = Producer(servers), Producer({**servers, **packed})
        values: list[tuple[Producer, Any]] = [
            (plain, written(seq=17)),
            (bombs, b" " * UNFOLDED),
            (bombs, b" " * UNFOLDED),
            (plain, written(seq=18)),
            (bombs, b" " * UNFOLDED),
        ]
        for producer, value in values:
            producer.produce(TOPIC, value, b"CW")
            assert producer.flush(30) == 0
        yield broker


async def test_verify_reads_what_is_between_them(topic: Running[Broker]) -> None:
    reader = KafkaReader(KafkaAccess(topic.server.bootstrap))
    await reader.find_ends()
    read = [record.seq async for piece in reader.records() for record in piece]
    assert read == [17, 18]


async def test_the_relay_reads_what_is_between_them(topic: Running[Broker]) -> None:
    reader = KafkaTopic(KafkaAccess(topic.server.bootstrap), 1, embedded=True)
    await reader.open()
    events = await reader.events_after({"CW": Cursor(16, 0, -1)}, ["CW"])
    assert [event.seq for event in events] == [17, 18]
    await reader.close()


async def test_notify_reads_what_is_between_them(topic: Running[Broker]) -> None:
    consumer = KafkaConsumer(KafkaAccess(topic.server.bootstrap), 20, embedded=True)
    values: list[bytes] = []
    for _ in range(40):
        records = await consumer.take(10, 0.5)
        values += [record.value for record in records]
        if len(values) == 2:
            break
    await consumer.close()
    assert values == [written(seq=17), written(seq=18)]


def test_a_board_reads_what_is_between_them(topic: Running[Broker]) -> None:
    stream = EventStream(KafkaAccess(topic.server.bootstrap))
    seqs: list[int] = []

    def is_read() -> bool:
        item = stream.read(0.1)
        if isinstance(item, Arrived):
            seqs.append(item.event.seq)
        return seqs == [17, 18]

    until(is_read, lambda: str(seqs))
    stream.close()


def test_a_batch_of_few_records_hides_none_behind_it() -> None:
    """The library names where a batch begins; its end is found one by one."""
    leaps = Leaps()
    assert [leaps.behind(0, 100, -1) for _ in range(64)] == list(range(101, 165))
    assert leaps.behind(0, 170, -1) == 171, "the next batch is one of its own"
    assert leaps.behind(1, 5, -1) == 6, "so is another partition's"


def test_a_batch_of_a_million_records_is_left_behind_soon_and_never_beyond_the_end() -> None:
    leaps = Leaps()
    tries = 0
    while leaps.behind(0, 100, 1_000_000) < 1_000_000:
        tries += 1
    assert tries < 100
    assert leaps.behind(0, 100, 1_000_000) == 1_000_000
