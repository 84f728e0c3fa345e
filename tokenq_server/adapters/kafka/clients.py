"""Makes every client of Kafka in the server's programs, and says why the brokers refuse one."""

import logging
import time
from collections.abc import Mapping
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tokenq.contract.events import TOPIC
from tokenq.contract.fetching import UNREADABLE_BATCH, Leaps
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.kafka_refusals import SETTLED, Refusal, Refusals, forbidden

logger = logging.getLogger(__name__)

_CONSUMERS: Mapping[str, Any] = {
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    # An open transaction of another producer must not hide our records behind it.
    "isolation.level": "read_uncommitted",
    "fetch.wait.max.ms": 20,
}
_LOGGED_EVERY = 60.0
"""Seconds between two log lines about refusals: the library tries again several times a second."""

Client = Consumer | Producer | AdminClient
_Kind = TypeVar("_Kind", Consumer, Producer, AdminClient)


class Clients:
    """Makes clients of a cluster, and remembers why it refused the last connection."""

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access
        self._refusals = Refusals(access)
        self._logged_at = -_LOGGED_EVERY

    def consumer(self, group: str, **settings: Any) -> Consumer:
        """Return a consumer that commits only when told to. Names in ``settings`` have ``_`` for each dot."""
        chosen = {name.replace("_", "."): value for name, value in settings.items()}
        return self._open(Consumer, {"group.id": group, **_CONSUMERS, **chosen})

    def producer(self, settings: Mapping[str, Any]) -> Producer:
        """Return a producer."""
        return self._open(Producer, settings)

    def admin(self, settings: Mapping[str, Any]) -> AdminClient:
        """Return an administrator of topics."""
        return self._open(AdminClient, settings)

    def refusal(self, client: Client, error: object = None) -> Refusal | None:
        """Return why the brokers refuse the client whose call just failed with ``error``; ``None`` if they do not."""
        if isinstance(error, KafkaError) and (found := forbidden(self._access, error.name(), error.str())):
            return found
        client.poll(0)  # calls back
        if self._refusals.is_unsettled:
            client.poll(SETTLED + 0.1)
        return self._refusals.last

    def why(self, client: Client, error: object) -> str:
        """Return why a client's call failed: the refusal if there was one, else the call's own error."""
        found = self.refusal(client, error)
        return found.sentence if found else str(error)

    def report(self, error: KafkaError) -> None:
        """Log an error that a client got while it was polling."""
        if refusal := forbidden(self._access, error.name(), error.str()):
            self._log(refusal)
        else:
            logger.warning("the broker refused a request", extra={"why": str(error)})

    def report_silence(self) -> None:
        """Log why a client gets nothing, if the brokers refuse it."""
        if refusal := self._refusals.last:
            self._log(refusal)

    def _open(self, kind: type[_Kind], settings: Mapping[str, Any]) -> _Kind:
        """Return a client.

        Raises:
            Refused: a certificate's file has changed since the start, and is wrong now.
        """
        common: dict[str, Any] = {"log_level": 2, **self._access.client_settings(), "error_cb": self._hear}
        try:
            return kind({**common, **settings})
        except KafkaException:
            self._access.check()
            raise

    def _hear(self, error: KafkaError) -> None:
        if refusal := self._refusals.hear(error.name(), error.str()):
            self._log(refusal)

    def _log(self, refusal: Refusal) -> None:
        if time.monotonic() - self._logged_at >= _LOGGED_EVERY:
            self._logged_at = time.monotonic()
            logger.error("Kafka refuses this program", extra={"why": refusal.sentence, "hint": refusal.hint})


def leap(consumer: Consumer, message: Message, leaps: Leaps) -> int | None:
    """Go on behind a batch that nobody can unpack; return the offset, or ``None`` if a message is no such error.

    Raises:
        KafkaException: the library cannot go there now.
    """
    error, partition, offset = message.error(), message.partition(), message.offset()
    if error is None or error.name() not in UNREADABLE_BATCH or partition is None or offset is None or offset < 0:
        return None
    place = TopicPartition(TOPIC, partition)
    _, end = consumer.get_watermark_offsets(place, cached=True)
    place.offset = leaps.behind(partition, offset, end)
    consumer.seek(place)
    logger.error(
        "records of the topic cannot be unpacked and are skipped",
        extra={"partition": partition, "offset": offset, "next": place.offset, "why": error.str()},
    )
    return place.offset


def partitions(consumer: Consumer, seconds: float) -> list[int]:
    """Return the numbers of the topic's partitions; empty if there is no such topic.

    Raises:
        KafkaException: no broker answers in time, or this client may not see the topic.
    """
    topic = consumer.list_topics(TOPIC, timeout=seconds).topics[TOPIC]
    if topic.error is not None and topic.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        raise KafkaException(topic.error)
    return sorted(topic.partitions) if topic.error is None else []
