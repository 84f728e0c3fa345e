"""What records carry beside events, and which addresses they do not carry. Rows 64 and 65."""

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Producer
from redis import Redis

from tests.hostile_records import written
from tests.security.audited import audited_api
from tests.servers import Servers, running_broker
from tests.waiting import until
from tokenq.contract.events import TOPIC
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.stream import Arrived
from tokenq.stream.event_stream import EventStream
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import KafkaTopic

ADDRESS = "canary.of.row65@example.com"
HEADERS: list[list[tuple[str, bytes | None]]] = [
    [("x", b"\xff\xfe\x00" * 200_000)],
    [("\u202e\x1b[2J", b"\x1b]52;c;eA==\x1b\\"), ("", b""), ("x", None)],
    [(f"h{number}", b"x") for number in range(5_000)],
    [("eventType", b"TOKEN_SERVED"), ("departmentId", b"HR"), ("seq", b"99"), ("email", b"eve@example.com")],
]


async def test_headers_are_not_read() -> None:
    """Row 64: whatever is in them, the event is what the record's value says."""
    with running_broker() as broker:
        access = KafkaAccess(broker.server.bootstrap)
        topic = KafkaTopic(access, 1, embedded=True)
        await topic.open()
        await topic.close()
        one_by_one = {"batch.num.messages": 1, "message.max.bytes": 2_000_000}
        producer = Producer({"bootstrap.servers": broker.server.bootstrap, **one_by_one})
        for seq, headers in enumerate(HEADERS, start=17):
            producer.produce(TOPIC, written(seq=seq), b"CW", headers=headers)
        assert producer.flush(30) == 0
        verify = KafkaReader(access)
        await verify.find_ends()
        read = [record async for piece in verify.records() for record in piece]
        assert [record.department_id for record in read] == ["CW"] * len(HEADERS)
        stream = EventStream(access)
        found: list[Arrived] = []

        def is_read() -> bool:
            item = stream.read(0.05)
            if isinstance(item, Arrived):
                found.append(item)
            return len(found) == len(HEADERS)

        until(is_read)
        stream.close()
        assert [(arrived.event.department_id, arrived.event.seq) for arrived in found] == [
            ("CW", seq) for seq in range(17, 17 + len(HEADERS))
        ]


@pytest.mark.parametrize("mode", ["omit", "plain"])
def test_an_address_is_left_out_if_it_shall_be(
    servers: Servers, fresh_database: Callable[..., str], schema: str, tmp_path: Path, mode: str
) -> None:
    """Row 65: through every move, what the relay publishes; in both modes neither Redis, log nor figures have it."""
    with audited_api(servers, fresh_database(schema), tmp_path / "api", TOKENQ_EVENTS_EMAIL=mode) as api:
        ask = api.ask
        for name in ("CW", "HR"):
            ask("PUT", f"/departments/{name}", json={"name": name})
        user = ask("POST", "/users", json={"name": "Ada", "email": ADDRESS}).json()
        tokens = [
            ask("POST", "/departments/CW/tokens", json=body).json()["tokenId"]
            for body in ({"email": ADDRESS}, {"userId": user["userId"]}, {"email": "a@example.com"})
        ]
        ask("PATCH", f"/tokens/{tokens[2]}", json={"email": ADDRESS})
        version = ask("POST", "/departments/CW/call", json={"counterId": "1"}).json()["claimVersion"]
        for verb, more in (("recall", {}), ("start", {}), ("requeue", {}), ("transfer", {"to": "HR"}), ("cancel", {})):
            answer = ask("POST", f"/tokens/{tokens[0]}/{verb}", json={"claimVersion": version} | more)
            assert answer.status_code == 200, answer.text
            version = answer.json()["claimVersion"]
        with psycopg.connect(api.dsn) as connection:
            records = [row[0] for row in connection.execute("SELECT payload FROM outbox")]
        with_address = [record for record in records if ADDRESS in record]
        assert len(records) > 8
        assert bool(with_address) is (mode == "plain")
        assert all(json.loads(record).get("email") in (ADDRESS, "a@example.com") for record in with_address)
        metrics = ask("GET", "/../../metrics").text
        assert ADDRESS not in metrics + api.api.log.read_text() + str(api.rows())
    with Redis.from_url(servers.redis_url) as redis:
        for key in redis.scan_iter():
            assert ADDRESS.encode() not in key + (redis.dump(key) or b"")
