"""Three Kafka brokers that die one by one and two at a time: all events arrive in order, each e-mail once."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.request import urlopen

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests.kafka.cluster import NODES, KafkaCluster, running_cluster
from tests.kafka.office import NOTIFIES, Office, Watching, opened, workload_running
from tests.servers import Servers
from tests.waiting import until
from tokenq.contract.events import TOPIC
from tokenq.contract.kafka_access import KafkaAccess
from tokenq_server.adapters.kafka.probe import probe
from tokenq_server.adapters.kafka.reader import KafkaReader

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

_RELAY_DEATHS = 4
_STORM = int(os.environ.get("TOKENQ_TEST_STORM", "30"))
_AT_MOST_TWICE = 4 * 500 * _RELAY_DEATHS
"""A restarted relay does not know the outcome of one batch: 500 records of each of four departments."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    with running_cluster() as made:
        yield made


@pytest.fixture(scope="module")
async def office(
    cluster: KafkaCluster, servers: Servers, schema: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    url = servers.new_database(schema)
    async with opened(cluster, servers, url, tmp_path_factory.mktemp("office")) as made:
        yield made
    servers.drop_database(url)


@asynccontextmanager
async def load(office: Office) -> AsyncIterator[Watching]:
    """Runs the workload and a board meanwhile, then checks everything since the module started; yields the board."""
    history = office.folder / "history.jsonl"
    watching: Watching | None = None
    try:
        async with workload_running(office, history):
            await office.recovered("no fault", time.monotonic())
            watching = Watching(office.cluster.bootstrap)
            yield watching
        await asyncio.to_thread(office.settle)
        report = await asyncio.to_thread(office.check, history, None)
        assert report.red == {}, report
        assert {"K1", "K2", "K3", "M1", "M2"} <= {code for code, (seen, _) in report.counts.items() if seen}
        heads = office.heads()
        await asyncio.to_thread(until, lambda: watching.high == heads, lambda: f"{watching.high} {heads}")
        assert watching.gaps == []
    finally:
        if watching is not None:
            watching.close()


async def test_the_topic_is_as_safe_as_the_cluster(office: Office, cluster: KafkaCluster) -> None:
    """The relay creates it with the brokers' replication; the doctor warns if one crash could lose events."""
    await office.recovered("no fault", time.monotonic())

    def durability() -> tuple[bool, str]:
        found = asyncio.run(probe(KafkaAccess(cluster.bootstrap)))
        return next(
            ((finding.ok, finding.detail) for finding in found if finding.name.endswith("durability")),
            (False, str(found)),
        )

    good = (True, "3 replicas, 2 must have a record before it is acknowledged")
    await asyncio.to_thread(until, lambda: durability() == good, lambda: str(durability()))
    set_in_topic(cluster, "min.insync.replicas", "1")
    bad = (False, "min.insync.replicas=1")
    await asyncio.to_thread(until, lambda: durability() == bad, lambda: str(durability()))
    set_in_topic(cluster, "min.insync.replicas", "2")
    await asyncio.to_thread(until, lambda: durability() == good, lambda: str(durability()))


async def test_each_leader_killed_in_turn(office: Office, cluster: KafkaCluster) -> None:
    """The relay follows the partition to its new leader, and acknowledged records are there."""
    async with load(office):
        for partition in range(3):
            began, leader = time.monotonic(), cluster.leader(partition)
            await asyncio.to_thread(cluster.kill, leader)
            await office.recovered("leader killed -9", began)
            await asyncio.to_thread(cluster.heal)
            began = time.monotonic()
            await asyncio.to_thread(cluster.elect_preferred)
            await office.recovered("leaders moved", began)


async def test_two_of_three_down(office: Office, cluster: KafkaCluster) -> None:
    """Nothing counts as published that only one broker has. Desks and counters notice nothing."""
    async with load(office):
        survivor = cluster.leader(0)
        dead = [number for number in NODES if number != survivor]
        began = time.monotonic()
        await asyncio.to_thread(cluster.kill, *dead)
        before = office.waiting()
        await asyncio.to_thread(until, lambda: office.waiting() > before + 500, office.explain)
        await asyncio.to_thread(until, lambda: b'"degraded"' in readiness(office), lambda: str(readiness(office)))
        await asyncio.to_thread(cluster.heal)
        await office.recovered("two of three brokers killed -9, and back", began)
        await asyncio.to_thread(until, lambda: b'"ready"' in readiness(office), lambda: str(readiness(office)))


async def test_too_few_replicas_in_sync(office: Office, cluster: KafkaCluster) -> None:
    """A live leader refuses writes: the relay waits, and neither skips nor gives up."""
    async with load(office):
        await asyncio.to_thread(set_in_topic, cluster, "min.insync.replicas", "3")
        began = time.monotonic()
        await asyncio.to_thread(cluster.kill, cluster.leader(0))
        await asyncio.to_thread(until, lambda: office.waiting() > 500, office.explain)
        await asyncio.to_thread(set_in_topic, cluster, "min.insync.replicas", "2")
        await office.recovered("fewer in sync than min.insync.replicas", began)
        await asyncio.to_thread(cluster.heal)


async def test_the_relay_killed_in_mid_publish(office: Office, cluster: KafkaCluster) -> None:
    """The next one reads back what was written; also while a leader is down."""
    async with load(office):
        for number in range(_RELAY_DEATHS):
            began = time.monotonic()
            await asyncio.to_thread(office.kill, "relay")
            if number == _RELAY_DEATHS - 1:
                await asyncio.to_thread(cluster.kill, cluster.leader(0))
            office.failpoints["relay"] = "relay.half_published=kill"
            office.start("relay")
            await asyncio.to_thread(office.processes["relay"].wait, 60)
            office.failpoints.clear()
            office.start("relay")
            await office.recovered("relay killed -9 in mid-publish", began)
            await asyncio.to_thread(cluster.heal)


@pytest.mark.timeout(300 + 4 * _STORM)
async def test_a_rebalance_storm(office: Office) -> None:
    """Members die and join all the time; every e-mail is sent exactly once."""
    async with load(office):
        for _ in range(_STORM):
            name = random.choice(NOTIFIES)
            await asyncio.to_thread(random.choice((office.kill, office.end)), name)
            await asyncio.sleep(random.uniform(0, 0.3))
            office.start(name)
        office.recoveries["notify killed or stopped, and started"] = []
        await office.recovered("notify killed or stopped, and started", time.monotonic())


async def test_few_records_are_there_twice(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """The duplicates of all faults above are at most one batch per relay crash; prints the README's figures."""
    kept, records = set(), 0
    reader = KafkaReader(KafkaAccess(office.cluster.bootstrap))
    await reader.find_ends()
    async for piece in reader.records():
        kept |= {(event.department_id, event.seq) for event in piece}
        records += len(piece)
    with capsys.disabled():
        print("\n" + "\n".join([*office.figures(), f"{len(kept)} events, {records - len(kept)} twice"]))

    assert len(kept) == sum(office.heads().values())
    assert records - len(kept) <= _AT_MOST_TWICE


async def test_retention_deletes_the_beginning(office: Office, cluster: KafkaCluster) -> None:
    """Notify was stopped, the relay restarts on an empty topic, and a board starts afterwards."""
    async with load(office) as watching:
        await asyncio.to_thread(office.kill, "relay")
        await asyncio.to_thread(until, lambda: unread(cluster) == 0, office.explain)
        await asyncio.to_thread(until, lambda: watching.has_read(ends(cluster)), office.explain)
        for name in NOTIFIES:
            await asyncio.to_thread(office.end, name)
        began = time.monotonic()
        await asyncio.to_thread(set_in_topic, cluster, "retention.ms", "1000")
        await asyncio.to_thread(until, lambda: kept(cluster) == 0, lambda: f"{kept(cluster)} records are kept")
        await asyncio.to_thread(set_in_topic, cluster, "retention.ms", str(7 * 86_400_000))
        for name in ("relay", *NOTIFIES):
            office.start(name)
        await office.recovered("the whole topic taken by retention.ms", began)
        late, heads = Watching(cluster.bootstrap), office.heads()
        try:
            await asyncio.to_thread(
                until,
                lambda: all(late.high.get(name, 0) >= head for name, head in heads.items()),
                lambda: str(late.high),
            )
        finally:
            late.close()
        assert late.gaps == []


def readiness(office: Office) -> bytes:
    """The API's readiness."""
    with urlopen(f"{office.api}/readyz", timeout=5) as answer:
        body: bytes = answer.read()
        return body


def set_in_topic(cluster: KafkaCluster, name: str, value: str) -> None:
    """Change one setting of ``token-events``; retry if the broker has just lost its controller."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, TOPIC, incremental_configs=[entry])

    def is_set() -> bool:
        admin = cluster.admin()  # must outlive the response
        try:
            for done in admin.incremental_alter_configs([resource]).values():
                done.result(timeout=5)
        except (KafkaException, TimeoutError):
            return False
        return True

    until(is_set, lambda: f"{name} cannot be set", 60.0)


def unread(cluster: KafkaCluster) -> int:
    """The number of records that notify has not processed."""
    with consumer(cluster) as asking:
        taken = asking.committed([TopicPartition(TOPIC, number) for number in range(3)], timeout=20)
        return sum(asking.get_watermark_offsets(place, timeout=20)[1] - max(place.offset, 0) for place in taken)


def ends(cluster: KafkaCluster) -> dict[int, int]:
    """The offset after the last record of each partition."""
    with consumer(cluster) as asking:
        return {
            number: asking.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=20)[1] for number in range(3)
        }


def kept(cluster: KafkaCluster) -> int:
    """The number of records in the topic."""
    with consumer(cluster) as asking:
        ends = [asking.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=20) for number in range(3)]
        return sum(high - low for low, high in ends)


@contextmanager
def consumer(cluster: KafkaCluster) -> Iterator[Consumer]:
    """A client that can read the offsets of notify's group."""
    made = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": "tokenq-notify"})
    try:
        yield made
    finally:
        made.close()
