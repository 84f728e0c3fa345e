"""A database that is restored from an older backup while the topic and Redis know more."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition
from redis.asyncio import Redis

from tests.programs import beside
from tests.servers import Servers
from tests.without_http import Body, Core, open_core
from tokenq.contract.events import TOPIC, Event, decode
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.bootstrap import check_at_start, open_recovery
from tokenq_server.recovery.ports import PATIENCE
from tokenq_server.recovery.rebuild import rebuild_lines
from tokenq_server.recovery.rewind import rewind
from tokenq_server.relay import Relay
from tokenq_server.services.ports import Guard
from tokenq_server.settings import ServerSettings


@pytest.fixture
def place(servers: Servers, fresh_database: Callable[..., str], schema: str) -> "Place":
    """A database that can be backed up and restored, with a topic and Redis."""
    return Place(servers, fresh_database(schema), fresh_database)


@dataclass
class Place:
    """A database that is backed up, changes, and is restored."""

    servers: Servers
    dsn: str
    fresh: Callable[..., str]
    backup: str = ""

    @property
    def settings(self) -> ServerSettings:
        """Settings of all programs here."""
        return ServerSettings(
            database_url=self.dsn, redis_url=self.servers.redis_url, kafka_bootstrap=self.servers.kafka_bootstrap
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same for a program."""
        return beside(self.servers, self.dsn)

    def back_up(self) -> None:
        """Like pg_dump; requires that no one is connected."""
        self._leave()
        self.backup = self.fresh(self.dsn)

    def restore(self) -> None:
        """Like pg_restore."""
        self._leave()
        name, old = (urlsplit(url).path.lstrip("/") for url in (self.dsn, self.backup))
        self.servers.drop_database(self.dsn)
        self.servers.psql(f"CREATE DATABASE {name} OWNER tokenq TEMPLATE {old} STRATEGY FILE_COPY")

    def _leave(self) -> None:
        name = urlsplit(self.dsn).path.lstrip("/")
        self.servers.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    @asynccontextmanager
    async def core(self) -> AsyncIterator[Core]:
        """A core that works on it."""
        async with open_core(self.dsn, self.servers.redis_url) as opened:
            yield opened

    def relay(self) -> Relay:
        """A relay, not yet started."""
        topic = KafkaTopic(KafkaAccess(self.servers.kafka_bootstrap), 3, embedded=self.servers.has_embedded_broker)
        return Relay(PostgresEventLog(self.dsn, "tokenq-relay"), topic)

    async def publish(self) -> None:
        """Run a relay until everything is on the topic."""
        relay, log = self.relay(), PostgresEventLog(self.dsn, "tokenq-test")
        running = asyncio.create_task(relay.run())
        async with asyncio.timeout(30):
            while not running.done() and await log.unpublished(1):
                await asyncio.sleep(0.02)
        relay.stop()
        await asyncio.gather(running, log.close())

    async def rewind(self, patience: float = PATIENCE) -> dict[str, Any]:
        """Advance the log past what others know."""
        async with open_recovery(self.settings, patience) as stores:
            return await rewind(stores)

    async def rebuild(self) -> dict[str, int]:
        """Rebuild all queues in Redis."""
        async with open_recovery(self.settings) as stores:
            return await rebuild_lines(stores)

    async def guard(self, **settings: Any) -> Guard | None:
        """Run the checks before a program starts."""
        return await check_at_start(self.settings.model_copy(update=settings))

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[None]:
        """Lock a department's row."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            await connection.execute("SELECT 1 FROM dept_state WHERE department_id = %s FOR UPDATE", [name])
            yield

    async def empty_redis(self, name: str) -> None:
        """Remove this department from Redis."""
        client: Redis = Redis.from_url(self.servers.redis_url)
        assert await client.delete(*[key async for key in client.scan_iter(f"tq:{{{name}}}:*")])
        await client.aclose()

    async def put_stranger(self, name: str, *, leaves: bool = False) -> None:
        """Add or remove an entry in Redis that is not a token."""
        client: Redis = Redis.from_url(self.servers.redis_url, decode_responses=True)
        (key,) = [key async for key in client.scan_iter(f"tq:{{{name}}}:*:q")]
        changed = await client.zrem(key, "stranger") if leaves else await client.zadd(key, {"stranger": 1})
        await client.aclose()
        assert changed == 1

    def topic(self, department: str) -> list[tuple[Event, bytes]]:
        """What readers see of a department: each seq once, in order."""
        seen = 0
        found: list[tuple[Event, bytes]] = []
        for raw in read(self.servers.kafka_bootstrap):
            event = decode(raw)
            if event.department_id == department and event.seq > seen:
                assert event.seq == seen + 1
                seen = event.seq
                found.append((event, raw))
        return found


def read(bootstrap: str) -> list[bytes]:
    """The whole topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test-rewind", "enable.partition.eof": True})
    partitions = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
    consumer.assign([TopicPartition(TOPIC, number, 0) for number in partitions])
    records, left = [], len(partitions)
    while left:
        message = consumer.poll(10)
        assert message is not None
        if message.error() is not None:
            left -= 1
        else:
            records.append(message.value() or b"")
    consumer.close()
    return records


async def a_lost_hour(place: Place) -> str:
    """Issue five; after the backup serve two, call one, cancel one and issue four more. All published."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 5, email="early@example.org")
    await place.publish()
    place.back_up()
    async with place.core() as core:
        await core.serve(name, "1")
        await core.serve(name, "1")
        await core.call(name, "1")
        late = await core.issue(name, 4, email="late@example.org")
        await core.move(late[0], Verb.CANCEL)
    await place.publish()
    return name


async def lost_but_to_redis(place: Place) -> tuple[str, list[Body]]:
    """Issue two; after the backup three more, which no relay publishes. Return them with the department."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 2)
    await place.publish()
    place.back_up()
    async with place.core() as core:
        late = await core.issue(name, 3)
    place.restore()
    return name, late


async def refused(work: Any) -> Refused:
    """Return the refusal that a program ends with."""
    with pytest.raises(Refused) as caught:
        async with asyncio.timeout(30):
            await work
    assert caught.value.problem.code is ProblemCode.LOG_BEHIND
    assert "recover it" in caught.value.problem.hint
    return caught.value


async def refused_with(work: Any, code: ProblemCode) -> Refused:
    """Assert that there is a refusal with this code, and return it."""
    with pytest.raises(Refused) as caught:
        await work
    assert caught.value.problem.code is code
    return caught.value
