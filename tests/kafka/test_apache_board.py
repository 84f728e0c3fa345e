"""The board's reader on Apache Kafka: it reads only recent records, and survives a crash of the broker."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer

from tests.kafka.apache import ApacheKafka
from tests.servers import Running
from tests.waiting import until
from tests.without_http import department_id
from tokenq.board.state import Fold
from tokenq.contract.events import TOPIC, Event, encode
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.stream import Arrived
from tokenq.stream.event_stream import EventStream

pytestmark = pytest.mark.kafka


@pytest.fixture
def stream(apache_kafka: Running[ApacheKafka]) -> Iterator[EventStream]:
    reader = EventStream(KafkaAccess(apache_kafka.server.bootstrap), window=timedelta(hours=36))
    yield reader
    reader.close()


def publish(kafka: Running[ApacheKafka], department: str, seqs: range, *, age: timedelta = timedelta()) -> None:
    """Publish TOKEN_GENERATED events with a timestamp of that age."""
    producer = Producer({"bootstrap.servers": kafka.server.bootstrap})
    at = datetime.now(UTC) - age
    for seq in seqs:
        day = at.astimezone().date().isoformat()
        made = Event("TOKEN_GENERATED", str(seq), seq, at, "main", department, day, seq, seq, f"{department}-{seq:03d}")
        moment = int((time.time() - age.total_seconds()) * 1000)
        producer.produce(TOPIC, encode(made), key=department.encode(), timestamp=moment)
    assert producer.flush(20) == 0


def read_until(stream: EventStream, department: str, fold: Fold, waiting: int) -> list[int]:
    """Read until the board shows that many waiting; return the seqs that arrived."""
    seqs: list[int] = []

    def holds() -> bool:
        item = stream.read(0.1)
        if isinstance(item, Arrived) and item.event.department_id == department:
            fold.apply(item.event)
            seqs.append(item.event.seq)
        shown = {row.department_id: row for row in fold.picture(datetime.now().astimezone()).departments}
        return department in shown and shown[department].waiting == waiting

    until(holds, lambda: f"{seqs}", seconds=60)
    return seqs


def test_a_board_reads_the_last_days_and_nothing_older(apache_kafka: Running[ApacheKafka], stream: EventStream) -> None:
    """offsets_for_times: a week of history is not replayed on a Raspberry Pi each morning."""
    name = department_id()
    publish(apache_kafka, name, range(1, 51), age=timedelta(days=3))
    publish(apache_kafka, name, range(51, 61))

    assert read_until(stream, name, Fold(), 10) == list(range(51, 61))


def test_a_board_resumes_after_a_crash_of_the_broker(apache_kafka: Running[ApacheKafka], stream: EventStream) -> None:
    """A durable broker loses nothing; reading twice changes nothing."""
    name, fold = department_id(), Fold()
    publish(apache_kafka, name, range(1, 6))
    read_until(stream, name, fold, 5)
    apache_kafka.kill()
    until(lambda: stream.read(0.1) is not None, lambda: "the loss is not noticed", seconds=30)
    apache_kafka.start()
    publish(apache_kafka, name, range(6, 9))
    read_until(stream, name, fold, 8)

    assert fold.gaps == 0
