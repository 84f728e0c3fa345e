"""The topic, opened by several programs."""

from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.settings import ServerSettings


def open_topic(settings: ServerSettings) -> KafkaTopic:
    """Return the configured topic; it connects on first use."""
    return KafkaTopic(settings.kafka_access, settings.kafka_partitions, embedded=settings.kafka_embedded)
