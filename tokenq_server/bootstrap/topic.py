"""The topic, which several programs open."""

from tokenq_server.adapters.kafka.topic import READ_PATIENCE, KafkaTopic
from tokenq_server.settings import ServerSettings


def open_topic(settings: ServerSettings, read_patience: float = READ_PATIENCE) -> KafkaTopic:
    """The topic as the settings describe it; connects when it is first used.

    ``read_patience``: seconds without a record after which reading it back fails.
    """
    return KafkaTopic(
        settings.kafka_bootstrap,
        settings.kafka_partitions,
        embedded=settings.kafka_embedded,
        read_patience=read_patience,
    )
