"""``token-events`` on Kafka: one idempotent producer, and the read-back that makes its restart safe."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # not in the stub

from tokenq.contract.events import DLQ_TOPIC, TOPIC, BadEvent, decode
from tokenq_server.services.publishing import Cursor, Entry, PublishFailed, Tail

_TAIL_RECORDS = 2_000
"""Records read back per partition: at least two batches of the relay."""


class KafkaTopic:
    """Publishes entries and tells what the topic already holds. Blocking calls run in threads."""

    def __init__(self, bootstrap: str, partitions: int, *, embedded: bool, patience: float = 300.0) -> None:
        self._bootstrap = bootstrap
        self._partitions = partitions
        # The memory-only broker answers wrong watermarks for batches, and forgets producers when it restarts.
        self._embedded = embedded
        self._patience = 10.0 if embedded else patience
        self._producer: Producer | None = None

    async def open(self) -> None:
        """Make sure both topics are there, and connect."""
        await asyncio.to_thread(self._open)

    async def read_back(self, last_offsets: dict[int, int]) -> Tail:
        """Read the tail of every partition up to its end."""
        return await asyncio.to_thread(self._read_back, last_offsets)

    async def publish(self, entries: Sequence[Entry]) -> dict[str, Cursor]:
        """Publish all, in order; returns when every record is acknowledged."""
        return await asyncio.to_thread(self._publish, entries)

    async def ping(self) -> None:
        """Return if a broker answers within a second. Raises PublishFailed."""
        await asyncio.to_thread(self._metadata, 1.0)

    async def close(self) -> None:
        """Let go of the producer; what it still holds was not acknowledged and will be read back."""
        if self._producer is not None:
            self._producer.purge()
            self._producer = None

    def _config(self, **more: Any) -> dict[str, Any]:
        return {"bootstrap.servers": self._bootstrap, "log_level": 2, "socket.timeout.ms": 10_000, **more}

    def _open(self) -> None:
        admin = AdminClient(self._config())
        try:
            known = admin.list_topics(timeout=10).topics
            wanted = {TOPIC: self._partitions, DLQ_TOPIC: 1}
            missing = [NewTopic(name, count, -1) for name, count in wanted.items() if name not in known]
            for created in (admin.create_topics(missing, operation_timeout=10) if missing else {}).values():
                created.result(timeout=15)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise PublishFailed(str(error.args[0])) from error
        except TimeoutError as error:
            raise PublishFailed("The broker did not create the topic in time.") from error
        batching = {"batch.num.messages": 1} if self._embedded else {}
        self._producer = Producer(
            self._config(
                **batching,
                **{
                    "enable.idempotence": True,
                    "acks": "all",
                    "partitioner": "murmur2_random",
                    "linger.ms": 0,
                    "message.timeout.ms": int(self._patience * 1000),
                },
            )
        )

    def _metadata(self, timeout: float) -> Any:
        try:
            admin = AdminClient(self._config())
            return admin.list_topics(timeout=timeout)
        except KafkaException as error:
            raise PublishFailed(str(error.args[0])) from error

    def _read_back(self, last_offsets: dict[int, int]) -> Tail:
        consumer = Consumer(
            self._config(
                **{
                    "group.id": "tokenq-relay-read-back",
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "enable.partition.eof": True,
                    "fetch.wait.max.ms": 20,
                }
            )
        )
        try:
            partitions = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
            found: dict[str, int] = {}
            lost = set()
            for number in partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=10)
                is_short = number in last_offsets and high <= last_offsets[number]
                if is_short:
                    lost.add(number)
                start = low if is_short else max(low, high - _TAIL_RECORDS)
                _read_partition(consumer, number, start, high, found)
            return Tail(found, lost)
        except KafkaException as error:
            raise PublishFailed(str(error.args[0])) from error
        finally:
            consumer.close()

    def _publish(self, entries: Sequence[Entry]) -> dict[str, Cursor]:
        producer = self._producer
        if producer is None:
            raise PublishFailed("The producer is closed.")
        failures: list[KafkaError] = []
        cursors: dict[str, Cursor] = {}

        for entry in entries:
            producer.produce(
                TOPIC,
                key=entry.department_id.encode(),
                value=entry.payload.encode(),
                headers={"seq": str(entry.seq)},
                on_delivery=_note(entry, cursors, failures),
            )
            producer.poll(0)
        give_up = time.monotonic() + self._patience + 5
        while producer.flush(0.5) and not failures and time.monotonic() < give_up:
            pass
        if failures or len(producer):
            raise PublishFailed(str(failures[0]) if failures else "The broker did not acknowledge in time.")
        return cursors


def _note(entry: Entry, cursors: dict[str, Cursor], failures: list[KafkaError]) -> Any:
    def delivered(error: KafkaError | None, message: Message) -> None:
        # Nothing but notes here: the library must not be called from its own callback.
        if error is not None:
            failures.append(error)
        else:
            cursors[entry.department_id] = Cursor(entry.seq, message.partition(), message.offset())

    return delivered


def _read_partition(consumer: Consumer, number: int, start: int, end: int, found: dict[str, int]) -> None:
    """Read a partition to its end; short of it would mean publishing again what is there already."""
    if end <= start:
        return
    consumer.assign([TopicPartition(TOPIC, number, start)])
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        message = consumer.poll(0.5)
        if message is None:
            continue
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                return
            if error.fatal():
                raise PublishFailed(str(error))
            continue
        try:
            event = decode(message.value())
        except BadEvent:
            continue
        found[event.department_id] = max(found.get(event.department_id, 0), event.seq)
    raise PublishFailed(f"Partition {number} could not be read to its end.")
