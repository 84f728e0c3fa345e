"""Reads ``token-events`` for verification, from its beginning to its current end, in no group."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tokenq.contract.events import TOPIC, BadEvent, decode
from tokenq.contract.fetching import Leaps, fitting_wait
from tokenq.contract.kafka_access import KafkaAccess
from tokenq_server.adapters.kafka.clients import Clients, leap, partitions
from tokenq_server.adapters.kafka.consumer import GROUP
from tokenq_server.domain.invariants.topic import TopicRecord
from tokenq_server.services.verification.ports import TopicAway

_PIECE = 2_000
_PATIENCE = 30.0
"""Seconds without a record after which the topic counts as unreadable."""
_ASKING_SECONDS = 10.0


class KafkaReader:
    """Reads the topic. Blocking calls run in threads."""

    def __init__(self, access: KafkaAccess) -> None:
        self._clients = Clients(access)
        self._ends: dict[int, tuple[int, int]] = {}

    async def taken(self) -> dict[int, int]:
        """Return the offset per partition up to which notify has processed the records."""
        return await asyncio.to_thread(self._cursors)

    async def find_ends(self) -> dict[int, tuple[int, int]]:
        """Fix the end of reading; return the first offset and that end per partition."""
        self._ends = await asyncio.to_thread(self._find_ends)
        return self._ends

    async def ends(self) -> dict[int, int]:
        """Return the next offset of each partition that contains or contained records."""
        return {number: high for number, (_, high) in (await asyncio.to_thread(self._find_ends)).items() if high}

    async def records(self) -> AsyncIterator[Sequence[TopicRecord]]:
        """Yield every record up to that end, a partition's in order."""
        left = {number: high for number, (low, high) in self._ends.items() if high > low}
        if not left:
            return
        # A transaction marker has an offset but is no record: only the end-of-partition event reveals it.
        wait = fitting_wait(max(left.values()), 20)
        consumer = self._clients.consumer("tokenq-verify", enable_partition_eof=True, fetch_wait_max_ms=wait)
        try:
            consumer.assign([TopicPartition(TOPIC, number, self._ends[number][0]) for number in left])
            leaps = Leaps()
            while left:
                yield await asyncio.to_thread(_read_some, consumer, left, leaps)
        finally:
            await asyncio.to_thread(consumer.close)

    def _cursors(self) -> dict[int, int]:
        consumer = self._clients.consumer(GROUP)
        try:
            all_partitions = [TopicPartition(TOPIC, number) for number in _partitions(consumer)]
            committed = consumer.committed(all_partitions, timeout=_ASKING_SECONDS)
            return {position.partition: position.offset for position in committed if position.offset > 0}
        except KafkaException as error:
            raise TopicAway(self._why(consumer, error)) from error
        finally:
            consumer.close()

    def _find_ends(self) -> dict[int, tuple[int, int]]:
        consumer = self._clients.consumer("tokenq-verify")
        try:
            return {
                number: consumer.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=_ASKING_SECONDS)
                for number in _partitions(consumer)
            }
        except KafkaException as error:
            raise TopicAway(self._why(consumer, error)) from error
        finally:
            consumer.close()

    def _why(self, consumer: Consumer, error: KafkaException) -> str:
        fault = error.args[0]
        refusal = self._clients.refusal(consumer, fault)
        return refusal.sentence if refusal else f"Kafka: {fault.str() if isinstance(fault, KafkaError) else error}"


def _partitions(consumer: Consumer) -> list[int]:
    if not (numbers := partitions(consumer, _ASKING_SECONDS)):
        raise TopicAway("Kafka: there is no topic token-events")
    return numbers


def _read_some(consumer: Consumer, left: dict[int, int], leaps: Leaps) -> list[TopicRecord]:
    """Return the next records; remove a partition from ``left`` when its end is reached."""
    records: list[TopicRecord] = []
    give_up = time.monotonic() + _PATIENCE
    while left and len(records) < _PIECE:
        message = consumer.poll(0.5)
        if message is None or message.error() is not None:
            if message is not None and (_is_at_end(message, left) or _ends_unreadably(consumer, message, left, leaps)):
                del left[message.partition() or 0]
            elif time.monotonic() > give_up:
                raise TopicAway("Kafka: the topic cannot be read to its end")
            continue
        give_up = time.monotonic() + _PATIENCE
        record = _record(message)
        end = left.get(record.partition)
        if end is not None and record.offset < end:
            records.append(record)
        if end is not None and record.offset >= end - 1:
            del left[record.partition]
    return records


def _is_at_end(message: Message, left: dict[int, int]) -> bool:
    """Whether nothing more comes. A new leader reports the end too early, so the offset counts."""
    error, end = message.error(), left.get(message.partition() or 0)
    if error is None or error.code() != KafkaError._PARTITION_EOF:
        return False
    return end is not None and (message.offset() or 0) >= end


def _ends_unreadably(consumer: Consumer, message: Message, left: dict[int, int], leaps: Leaps) -> bool:
    """Go on behind an unreadable batch; return whether nothing comes after it. What it hid is missing, and found so."""
    try:
        offset = leap(consumer, message, leaps)
    except KafkaException as error:
        raise TopicAway(f"Kafka: {error.args[0].str()}") from error
    end = left.get(message.partition() or 0)
    return offset is not None and end is not None and offset >= end


def _record(message: Message) -> TopicRecord:
    value = message.value() or b""
    try:
        event = decode(value)
        name, seq = event.department_id, event.seq
    except BadEvent:
        name, seq = None, 0
    return TopicRecord(message.partition() or 0, message.offset() or 0, value, name, seq)
