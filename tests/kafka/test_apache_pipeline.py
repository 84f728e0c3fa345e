"""tokenq's own programs on Apache Kafka: what is committed reaches topic and mailbox, despite a broker crash."""

import email
import email.policy
import json
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.kafka.apache import ApacheKafka, watermark
from tests.servers import Running
from tests.stack import Stack
from tests.waiting import until
from tokenq.contract.events import TOPIC, Event, decode
from tokenq_server.embedded.broker import TOPICS

pytestmark = pytest.mark.kafka

_DEPARTMENT = "/api/v1/departments/KFK"


def test_the_e_mails_and_every_event_over_a_crash_of_the_broker(
    stack: Stack, apache_kafka: Running[ApacheKafka]
) -> None:
    """Tokens are issued and served before, during and after a kill -9 of Kafka; nothing is lost or mailed twice.

    An e-mail about the issue may be overtaken by the service, the one about the service is always sent.
    """
    starts = [watermark(stack.endpoints.kafka, TOPIC, partition) for partition in range(TOPICS[TOPIC])]
    assert stack.ask("PUT", _DEPARTMENT, {"name": "Kafka"})[0] == 200
    served = [_issue_and_serve(stack, "before")]
    until(lambda: len(_events(stack, starts)) >= 4, lambda: "nothing reaches the topic")
    apache_kafka.kill()
    served += [_issue_and_serve(stack, f"during{number}") for number in range(5)]
    apache_kafka.start()
    served.append(_issue_and_serve(stack, "after"))
    until(lambda: len(_letters(stack, "served")) >= len(served), lambda: f"{_letters(stack)}", seconds=60)
    assert Counter(_letters(stack, "served").values()) == Counter(served)
    assert max(Counter(_letters(stack, "issued").values()).values(), default=0) <= 1
    entries = 1 + 3 * len(served)  # the first is about the department itself
    until(lambda: {event.seq for event in _events(stack, starts)} == set(range(1, entries + 1)))


def _issue_and_serve(stack: Stack, person: str) -> str:
    address = f"{person}@example.com"
    assert stack.ask("POST", f"{_DEPARTMENT}/tokens", {"email": address})[0] == 201
    code, token = stack.ask("POST", f"{_DEPARTMENT}/serve", {"counterId": "1"})
    assert (code, token["state"]) == (200, "SERVED"), json.dumps(token)
    return address


def _letters(stack: Stack, kind: str = "*") -> dict[str, str]:
    """The e-mails in the outbox, of one kind or all, with their recipients."""
    letters = Path(stack.endpoints.mail_outbox).glob(f"*-{kind}.eml")
    return {
        path.name: email.message_from_bytes(path.read_bytes(), policy=email.policy.default)["To"] for path in letters
    }


def _events(stack: Stack, starts: list[int]) -> list[Event]:
    """This test's department's records on the topic."""
    consumer = Consumer(
        {"bootstrap.servers": stack.endpoints.kafka, "group.id": "pipeline", "enable.partition.eof": True}
    )
    consumer.assign([TopicPartition(TOPIC, partition, start) for partition, start in enumerate(starts)])
    found: list[Event] = []
    open_partitions = set(range(len(starts)))
    while open_partitions:
        record = consumer.poll(10)
        assert record is not None
        if record.error() is not None:
            open_partitions.discard(record.partition())
        elif (event := decode(record.value())).department_id == "KFK":
            found.append(event)
    consumer.close()
    return found
