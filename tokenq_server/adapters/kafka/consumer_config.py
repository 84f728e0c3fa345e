"""What everybody here who consumes ``token-events`` shares: a consumer's settings, and the topic's partitions."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer

from tokenq.contract.events import TOPIC

_ALIKE: Mapping[str, Any] = {
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    # A transaction that a stranger left open must not hide our own records behind it.
    "isolation.level": "read_uncommitted",
    "fetch.wait.max.ms": 20,
    "log_level": 2,
}


def new_consumer(bootstrap: str, group: str, **more: Any) -> Consumer:
    """A consumer that commits only when told to. ``more`` settings are written with ``_`` for each dot."""
    chosen = {name.replace("_", "."): value for name, value in more.items()}
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group, **_ALIKE, **chosen})


def partitions(consumer: Consumer, seconds: float) -> list[int]:
    """The numbers of the topic's partitions; none while there is no such topic.

    Raises:
        KafkaException: no broker answers within that time.
    """
    topic = consumer.list_topics(TOPIC, timeout=seconds).topics[TOPIC]
    return sorted(topic.partitions) if topic.error is None else []
