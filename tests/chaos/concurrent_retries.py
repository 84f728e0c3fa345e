"""Concurrent retries with one key while the API dies; and records on the topic that are not events."""

import asyncio
import random
import secrets
import signal
import uuid
from collections.abc import Iterable

from confluent_kafka import Producer

from tests.chaos.campaign import Fault
from tests.chaos.fixtures import DEPARTMENTS
from tests.chaos.system import System
from tests.chaos.workload import Workload
from tokenq.contract.events import TOPIC
from tokenq_server.embedded.broker import TOPICS

_AT_ONCE = 16
_RECORDS = 40


async def _one_key_sixteen_times(system: System, workload: Workload) -> None:
    """All send the same request with the same key, and the API is killed meanwhile."""
    key, name = uuid.uuid4().hex, random.choice(DEPARTMENTS)
    work = [asyncio.create_task(workload.issue_under(key, name)) for _ in range(_AT_ONCE)]
    await asyncio.sleep(random.uniform(0.0, 0.02))
    system.send(random.choice(system.named("api")), signal.SIGKILL)
    tokens = await asyncio.gather(*work)
    assert len({token["tokenId"] for token in tokens if token}) == 1


async def _poison(system: System, workload: Workload) -> None:
    """Unreadable records between valid ones."""
    producer = Producer({"bootstrap.servers": system.broker.bootstrap, "batch.num.messages": 1, "log_level": 0})
    for value in _unreadable():
        producer.produce(TOPIC, value, key=random.choice(DEPARTMENTS), partition=random.randrange(TOPICS[TOPIC]))
        producer.poll(0)
    assert await asyncio.to_thread(producer.flush, 10) == 0


def _unreadable() -> Iterable[bytes]:
    """Every kind of bad record of the security test plan, in random order; each with different bytes."""
    sorts = [
        b"", b"null", b"[]", b'""', b"123", b"{", b"\xff\xfe{\x00}\x00", b'{"event":"TOKEN_SERVED","tokenId":101}',
        b'{"eventType":"TOKEN_SERVED","seq":"12","departmentId":"CW"}', b'{"eventType":"TOKEN_SERVED","seq":-1}',
        b'{"seq":1e309}', b"[" * 20_000, secrets.token_bytes(100), b'{"eventType":5,"departmentId":[],"seq":{}}',
    ]  # fmt: skip
    return random.choices(sorts, k=_RECORDS)


FAULTS = [
    Fault("one key, 16 at once, kill -9 api", _one_key_sixteen_times),
    Fault(f"{_RECORDS} unreadable records", _poison, waits_for_relay=True),
]
