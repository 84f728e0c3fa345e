"""Shared by all consumers of ``token-events`` in the server: settings, and the topic's partitions."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer

from tokenq.contract.events import TOPIC

_ALIKE: Mapping[str, Any] = {
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    # An open transaction of another producer must not hide our records behind it.
    "isolation.level": "read_uncommitted",
    "fetch.wait.max.ms": 20,
    "log_level": 2,
}


def new_consumer(bootstrap: str, group: str, **settings: Any) -> Consumer:
    """Return a consumer that commits only when told to. Names in ``settings`` have ``_`` for each dot."""
    chosen = {name.replace("_", "."): value for name, value in settings.items()}
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group, **_ALIKE, **chosen})


def partitions(consumer: Consumer, seconds: float) -> list[int]:
    """Return the numbers of the topic's partitions; empty if there is no such topic.

    Raises:
        KafkaException: no broker answers in time.
    """
    topic = consumer.list_topics(TOPIC, timeout=seconds).topics[TOPIC]
    return sorted(topic.partitions) if topic.error is None else []
