"""The tests' Apache Kafka: it is real, keeps its records, and stops on request."""

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from tests.kafka.apache import ApacheKafka, watermark
from tests.servers import Running
from tokenq.contract.events import DLQ_TOPIC

pytestmark = pytest.mark.kafka


def test_records_survive_a_stop_and_a_kill(apache_kafka: Running[ApacheKafka]) -> None:
    """What the memory-only broker cannot do: the log is on disk, and the high watermark is right in one batch."""
    bootstrap = apache_kafka.server.bootstrap
    before = watermark(bootstrap, DLQ_TOPIC)
    produce(bootstrap, 10)
    assert watermark(bootstrap, DLQ_TOPIC) == before + 10
    apache_kafka.stop()
    apache_kafka.start()
    produce(bootstrap, 5)
    apache_kafka.kill()
    apache_kafka.start()
    assert watermark(bootstrap, DLQ_TOPIC) == before + 15


def test_the_servers_fixture_can_run_on_it(apache_kafka: Running[ApacheKafka]) -> None:
    """The topics have the same partitions as on the embedded broker."""
    topics = AdminClient({"bootstrap.servers": apache_kafka.server.bootstrap}).list_topics(timeout=5).topics
    assert {len(topics["token-events"].partitions), len(topics[DLQ_TOPIC].partitions)} == {3, 1}


def produce(bootstrap: str, count: int) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "linger.ms": 50})
    for number in range(count):
        producer.produce(DLQ_TOPIC, str(number), "CW")
    assert producer.flush(20) == 0
