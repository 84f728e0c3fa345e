"""``token-events`` on Kafka: one idempotent producer, and the read-back that makes restarts safe."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # not in the stub

from tokenq.contract.events import DLQ_TOPIC, TOPIC, Event
from tokenq.contract.kafka_access import KafkaAccess
from tokenq_server.adapters.kafka.clients import Clients, partitions
from tokenq_server.adapters.kafka.reading_back import Patience, records_of
from tokenq_server.failpoints import reach
from tokenq_server.recovery.contiguous_tail import ContiguousTail, TailRecord
from tokenq_server.services.publishing import Cursor, Entry, PublishFailed, Tail, offsets

_READ_PATIENCE = 30.0
"""Seconds without a record after which the topic counts as unreadable."""
_ANSWERS_SOON = {"socket.timeout.ms": 10_000}
"""A broker that is silent for longer counts as away."""


class KafkaTopic:
    """Publishes entries, and reads what the topic already contains. Blocking calls run in threads."""

    def __init__(
        self,
        access: KafkaAccess,
        partitions: int,
        *,
        embedded: bool,
        patience: float = 300.0,
    ) -> None:
        self._clients = Clients(access)
        self._partitions = partitions
        # The memory-only broker forgets producers when it restarts, and names as a partition's end the offset after the
        # first record of its last batch.
        self._embedded = embedded
        self._homes: dict[str, int] = {}
        """The partitions of departments, as far as they are known."""
        self._patience = 10.0 if embedded else patience
        self._producer: Producer | None = None
        self._is_open = False
        self._admin: AdminClient | None = None
        self._ends: dict[int, int] = {}
        self._told_to_stop = threading.Event()

    def abort(self) -> None:
        """Stop waiting for acknowledgements: the relay is to stop."""
        self._told_to_stop.set()

    async def open(self) -> None:
        """Make sure that both topics exist, and permit publishing."""
        await asyncio.to_thread(self._open)

    async def read_back(self, cursors: Mapping[str, Cursor], patience: float | None = None) -> Tail:
        """Read the tail of every partition up to its end; ``patience`` overrides the seconds without a record."""
        return await asyncio.to_thread(self._read, cursors, ContiguousTail(cursors), patience)

    async def events_after(self, cursors: Mapping[str, Cursor], departments: Collection[str]) -> list[Event]:
        """Return the events of these departments after their cursors, each department's in order and gapless.

        Raises:
            PublishFailed: the broker is unavailable.
        """
        tail = ContiguousTail(cursors, departments)
        await asyncio.to_thread(self._read, cursors, tail)
        return tail.events

    async def publish(self, entries: Sequence[Entry]) -> dict[str, Cursor]:
        """Publish in order; returns when every record is acknowledged."""
        return await asyncio.to_thread(self._publish, entries)

    async def ping(self) -> None:
        """Return if a broker answers within a second. Raises PublishFailed."""
        await asyncio.to_thread(self._metadata, 1.0)

    async def close(self) -> None:
        """Close the producer; its unacknowledged records will be read back."""
        self._is_open = False
        self._homes.clear()
        if self._producer is not None:
            # Unacknowledged records must not arrive later, behind those of another producer.
            self._producer.purge()
            self._producer = None

    def _open(self) -> None:
        admin = self._open_admin()
        try:
            existing = admin.list_topics(timeout=10).topics
            required = {TOPIC: self._partitions, DLQ_TOPIC: 1}
            missing = [NewTopic(name, count, -1) for name, count in required.items() if name not in existing]
            for created in (admin.create_topics(missing, operation_timeout=10) if missing else {}).values():
                created.result(timeout=15)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise PublishFailed(self._clients.why(admin, error.args[0])) from error
        except TimeoutError as error:
            raise PublishFailed("The broker did not create the topic in time.") from error
        self._is_open = True

    def _open_admin(self) -> AdminClient:
        if self._admin is None:
            self._admin = self._clients.admin(_ANSWERS_SOON)
        return self._admin

    def open_producer(self) -> Producer:
        """Return the producer, which connects with the first record: commands that only read may not write.

        Raises:
            PublishFailed: the topic is not open.
        """
        if self._producer is not None:
            return self._producer
        if not self._is_open:
            raise PublishFailed("The producer is closed.")
        self._producer = self._clients.producer(
            {
                **_ANSWERS_SOON,
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2_random",
                "linger.ms": 0,
                # No message gives up by itself: one that did, between two delivered ones, would leave a gap.
                "message.timeout.ms": 0,
            }
        )
        return self._producer

    def _metadata(self, timeout: float) -> Any:
        admin = self._open_admin()
        try:
            return admin.list_topics(timeout=timeout)
        except KafkaException as error:
            raise PublishFailed(self._clients.why(admin, error.args[0])) from error

    def _read(self, cursors: Mapping[str, Cursor], tail: ContiguousTail, seconds: float | None = None) -> Tail:
        """Pass every event at the end of each partition to ``tail``."""
        last_offsets = offsets(cursors)
        patience = Patience(_READ_PATIENCE if seconds is None else seconds, self._told_to_stop)
        consumer = self._clients.consumer("tokenq-relay-read-back", enable_partition_eof=True, socket_timeout_ms=10_000)
        try:
            if not (numbers := partitions(consumer, patience.left())):
                raise PublishFailed("The topic cannot be read.")
            lost = last_offsets.keys() - numbers
            self._ends = {}
            for number in numbers:
                low, high = consumer.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=patience.left())
                patience.renew()
                last_offset = last_offsets.get(number)
                if last_offset is not None and high <= last_offset:
                    lost.add(number)
                    last_offset = None
                expected = 0 if last_offset is None else last_offset + 1
                start, is_cut, is_lost = max(low, expected), low > expected, number in lost
                for event, offset in records_of(consumer, number, start, high, patience, trusts_eof=self._embedded):
                    tail.take(TailRecord(event, number, offset, is_cut), is_lost=is_lost)
                self._ends[number] = high - 1
            return tail.tail(lost)
        except KafkaException as error:
            raise PublishFailed(self._clients.why(consumer, error.args[0])) from error
        finally:
            consumer.close()

    def _publish(self, entries: Sequence[Entry]) -> dict[str, Cursor]:
        producer = self.open_producer()
        landed = _Landed()
        give_up = time.monotonic() + self._patience
        half = entries[len(entries) // 2]
        try:
            for part in self._parts(entries, landed):
                for entry in part:
                    if entry is half:
                        reach("relay.half_published")
                    _produce(producer, entry, landed)
                self._await_acknowledgement(producer, landed, give_up)
        except KafkaException as error:
            # A producer that may not write at all fails as a whole.
            raise PublishFailed(self._clients.why(self._open_admin(), error.args[0])) from error
        self._check_ends(landed)
        return landed.cursors

    def _await_acknowledgement(self, producer: Producer, landed: "_Landed", give_up: float) -> None:
        while producer.flush(0.2) and not landed.failures and time.monotonic() < give_up:
            if self._told_to_stop.is_set():
                raise PublishFailed("The relay is stopping.")
        if landed.failures or len(producer):
            fault = landed.failures[0] if landed.failures else "The broker did not acknowledge in time."
            raise PublishFailed(self._clients.why(producer, fault))

    def _parts(self, entries: Sequence[Entry], landed: "_Landed") -> Iterator[Sequence[Entry]]:
        """Split entries into parts that are acknowledged one after the other, each department's in order.

        The memory-only broker knows a partition's end only if the last record is a batch of its own. In which partition
        a department is shows when its first record has landed.
        """
        if not self._embedded:
            yield entries
            return
        left: list[Entry] = []
        for entry in entries:
            if entry.department_id in self._homes:
                left.append(entry)
            else:
                yield [entry]
                self._homes[entry.department_id] = landed.partition_of(entry.department_id)
        last = {self._homes[entry.department_id]: entry for entry in left}
        yield [entry for entry in left if entry is not last[self._homes[entry.department_id]]]
        yield list(last.values())

    def _check_ends(self, landed: "_Landed") -> None:
        """A record stored before the known end means that the topic was recreated under the same name."""
        if any(first <= self._ends.get(number, -1) for number, (first, _) in landed.spans.items()):
            raise PublishFailed("The topic was recreated.")
        self._ends |= {number: last for number, (_, last) in landed.spans.items()}


def _produce(producer: Producer, entry: Entry, landed: "_Landed") -> None:
    try:
        producer.produce(
            TOPIC,
            key=entry.department_id.encode(),
            value=entry.payload.encode(),
            headers={"seq": str(entry.seq)},
            on_delivery=landed.note(entry),
        )
    except BufferError as error:
        raise PublishFailed(str(error)) from error
    producer.poll(0)


class _Landed:
    """Where the records of a batch were stored: the last per department, first and last offset per partition."""

    def __init__(self) -> None:
        self.cursors: dict[str, Cursor] = {}
        self.spans: dict[int, tuple[int, int]] = {}
        self.failures: list[KafkaError] = []

    def partition_of(self, department_id: str) -> int:
        """The partition of a department that has an acknowledged record."""
        return self.cursors[department_id].partition or 0

    def note(self, entry: Entry) -> Callable[[KafkaError | None, Message], None]:
        """Return the delivery callback of an entry. It only takes notes: it must not call the library."""

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self.failures.append(error)
                return
            partition, offset = message.partition() or 0, message.offset() or 0
            self.cursors[entry.department_id] = Cursor(entry.seq, partition, offset)
            first, last = self.spans.get(partition, (offset, offset))
            self.spans[partition] = (min(first, offset), max(last, offset))

        return delivered
