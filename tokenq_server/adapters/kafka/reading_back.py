"""Reading a partition of ``token-events`` to its end, within one deadline."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from tokenq.contract.events import TOPIC, BadEvent, Event, decode
from tokenq.contract.fetching import Leaps
from tokenq_server.adapters.kafka.clients import leap
from tokenq_server.services.publishing import PublishFailed


class Patience:
    """One deadline for all partitions, extended by each answer: a long tail may take its time."""

    def __init__(self, seconds: float, told_to_stop: threading.Event) -> None:
        self._seconds = seconds
        self._told_to_stop = told_to_stop
        self.renew()

    def renew(self) -> None:
        """Extend the deadline after progress."""
        self._give_up = time.monotonic() + self._seconds

    def left(self) -> float:
        """Return the seconds left for the next call.

        Raises PublishFailed if there are none, or the relay is stopping.
        """
        if self._told_to_stop.is_set():
            raise PublishFailed("The relay is stopping.")
        left = self._give_up - time.monotonic()
        if left <= 0:
            raise PublishFailed("The topic could not be read to its end in time.")
        return min(left, 10.0)


def _event(message: Message) -> Event | None:
    with suppress(BadEvent):
        return decode(message.value())
    return None


def records_of(
    consumer: Consumer, number: int, start: int, end: int, patience: Patience, *, trusts_eof: bool
) -> Iterator[tuple[Event, int]]:
    """Read a partition to its end; stopping earlier would mean publishing records again.

    A new leader may report the end before it knows its followers' progress: unless ``trusts_eof``, only the offset
    counts.
    """
    if end <= start:
        return
    consumer.assign([TopicPartition(TOPIC, number, start)])
    leaps = Leaps()
    while True:
        message = consumer.poll(min(0.5, patience.left()))
        if message is None:
            continue
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF and (trusts_eof or (message.offset() or 0) >= end):
                return
            if error.fatal():
                raise PublishFailed(str(error))
            if (offset := leap(consumer, message, leaps)) is not None:
                patience.renew()
                if not trusts_eof and offset >= end:
                    return
            continue
        patience.renew()
        if (event := _event(message)) is not None:
            yield event, message.offset() or 0
        if not trusts_eof and (message.offset() or 0) >= end - 1:
            return
