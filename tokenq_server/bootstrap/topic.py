"""The topic, which several programs open."""

from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.settings import ServerSettings


def open_topic(settings: ServerSettings) -> KafkaTopic:
    """The topic as the settings describe it; connects when it is first used."""
    return KafkaTopic(settings.kafka_bootstrap, settings.kafka_partitions, embedded=settings.kafka_embedded)
