"""Notify's consumer group on ``token-events``, and its producer for the dead-letter topic."""

import asyncio
import logging
import time
from collections.abc import Sequence

from confluent_kafka import OFFSET_STORED, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from tokenq.contract.events import DLQ_TOPIC, TOPIC
from tokenq.contract.fetching import Leaps
from tokenq.contract.kafka_access import KafkaAccess
from tokenq_server.adapters.kafka.clients import Clients, leap, partitions
from tokenq_server.services.notifications import ConsumerLost, Copy, RawRecord

logger = logging.getLogger(__name__)

GROUP = "tokenq-notify"
"""The consumer group shared by all notify processes."""
_LARGEST_COPY = 900_000
"""Bytes of a record copied to the dead-letter topic: brokers accept about a megabyte. Postgres keeps all of it."""

_MOST_BYTES = 16 * 1024 * 1024
"""Bytes per batch: our records are small, foreign ones need not be."""

_ASKING_SECONDS = 5.0


class KafkaConsumer:
    """Takes records, and commits their offsets only when told to."""

    def __init__(self, access: KafkaAccess, fetch_wait_ms: int, *, embedded: bool = False) -> None:
        self._clients = Clients(access)
        self._fetch_wait_ms = fetch_wait_ms
        self._embedded = embedded
        self._consumer: Consumer | None = None
        self._producer: Producer | None = None
        self._leaps = Leaps()

    async def take(self, limit: int, seconds: float) -> list[RawRecord]:
        """Return up to ``limit`` records; wait at most ``seconds`` for the first one."""
        return await asyncio.to_thread(self._take, limit, seconds)

    async def commit(self, records: Sequence[RawRecord]) -> None:
        """Commit the records, so that this group does not get them again."""
        await asyncio.to_thread(self._commit, records)

    async def copy(self, copies: Sequence[Copy]) -> None:
        """Copy dead letters to the dead-letter topic; returns when the broker has them. Raises ConsumerLost."""
        await asyncio.to_thread(self._copy, copies)

    async def close(self) -> None:
        """Leave the group."""
        if self._consumer is not None:
            await asyncio.to_thread(self._consumer.close)
            self._consumer = None

    def _open(self) -> Consumer:
        if self._consumer is None:
            self._consumer = self._clients.consumer(
                GROUP,
                enable_auto_offset_store=False,
                partition_assignment_strategy="range",
                session_timeout_ms=6_000,
                heartbeat_interval_ms=2_000,
                max_poll_interval_ms=1_800_000,
                fetch_wait_max_ms=self._fetch_wait_ms,
                topic_metadata_refresh_interval_ms=10_000,
            )
            if self._embedded:
                self._take_all_partitions(self._consumer)
            else:
                self._consumer.subscribe([TOPIC], on_assign=_say_what_is_gone)
        return self._consumer

    def _take_all_partitions(self, consumer: Consumer) -> None:
        """Assign all partitions without joining a group: the embedded broker has one notify, and keeps the group's
        offsets.

        With that broker, a killed member can block the group for minutes, and joining takes seconds.
        """
        if not (numbers := partitions(consumer, 10)):
            raise ConsumerLost("The topic does not exist yet.")
        consumer.assign([TopicPartition(TOPIC, number, OFFSET_STORED) for number in numbers])

    def _take(self, limit: int, seconds: float) -> list[RawRecord]:
        try:
            consumer = self._open()
        except KafkaException as lost:
            raise ConsumerLost(str(lost.args[0])) from lost
        records: list[RawRecord] = []
        size = 0
        give_up = time.monotonic() + seconds
        while len(records) < limit and size < _MOST_BYTES:
            message = consumer.poll(0.0 if records else max(give_up - time.monotonic(), 0.0))
            if message is None:
                break
            if (error := message.error()) is None:
                records.append(_record(message))
                size += len(records[-1].value)
            elif error.fatal():
                raise ConsumerLost(str(error))
            elif self._leaps_over(consumer, message):
                continue
            elif error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                break
            else:
                self._clients.report(error)
        if not records:
            self._clients.report_silence()
        return records

    def _leaps_over(self, consumer: Consumer, message: Message) -> bool:
        try:
            return leap(consumer, message, self._leaps) is not None
        except KafkaException as lost:
            raise ConsumerLost(str(lost.args[0])) from lost

    def _commit(self, records: Sequence[RawRecord]) -> None:
        ends: dict[tuple[str, int], int] = {}
        for record in records:
            place = (record.topic, record.partition)
            ends[place] = max(ends.get(place, 0), record.offset + 1)
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in ends.items()]
        consumer = self._open()
        try:
            consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # The rows are stored: whoever gets these records again finds them there.
            raise ConsumerLost(self._clients.why(consumer, error.args[0])) from error

    def _copy(self, copies: Sequence[Copy]) -> None:
        if self._producer is None:
            self._producer = self._clients.producer({"message.timeout.ms": 10_000})
        failures: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures.append(error)

        for copy in copies:
            headers: dict[str, str | bytes | None] = {
                "reason": copy.reason,
                "error": copy.error[:200],
                "source": copy.source,
            }
            if copy.channel:
                headers["channel"] = copy.channel
            if len(copy.raw) > _LARGEST_COPY:
                headers["truncated"] = str(len(copy.raw))
            try:
                self._producer.produce(DLQ_TOPIC, copy.raw[:_LARGEST_COPY], headers=headers, on_delivery=delivered)
            except (KafkaException, BufferError) as error:
                raise ConsumerLost(str(error)) from error
        if self._producer.flush(15) or failures:
            fault = failures[0] if failures else "The broker did not take the copies in time."
            raise ConsumerLost(self._clients.why(self._producer, fault))


def _say_what_is_gone(consumer: Consumer, partitions: list[TopicPartition]) -> None:
    """Log events that the topic deleted before notify read them: their notifications are lost."""
    try:
        for place in consumer.committed(partitions, timeout=_ASKING_SECONDS):
            low, _ = consumer.get_watermark_offsets(place, timeout=_ASKING_SECONDS)
            if 0 <= place.offset < low:
                logger.error(
                    "the topic deleted events before notify read them; 'verify' lists the missing notifications",
                    extra={"partition": place.partition, "events": low - place.offset},
                )
    except KafkaException as error:
        logger.warning("the broker's retained offsets could not be read", extra={"why": str(error.args[0])})


def _record(message: Message) -> RawRecord:
    return RawRecord(
        topic=message.topic() or TOPIC,
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        value=message.value() or b"",
    )
