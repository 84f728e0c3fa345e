"""Redis Cluster and replicas that take over: nothing is lost, no call is wrong, the queue in Redis recovers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path

import pytest
from redis.crc import key_slot

from tests.forwarder import forwarder
from tests.people import DESK
from tests.valkeys import OwnValkeys, ValkeyCluster, certificates, cut_off, joined_again
from tests.waiting import until
from tests.without_http import Core, assert_all_is_well, department_id, open_core
from tokenq.contract.enums import Priority
from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.adapters.redis.address import read_address
from tokenq_server.adapters.redis.line_copies import RedisLineCopies
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.bootstrap import open_recovery
from tokenq_server.domain.commands import Housekeep, Issue
from tokenq_server.recovery.rebuild import rebuild_lines
from tokenq_server.services.ports import Advance, Ask, LineAnswer, LineChange, LineDown, LineEntry, WaitingLine
from tokenq_server.services.verification.ports import VerifyOptions
from tokenq_server.services.verification.verifier import Verifier
from tokenq_server.settings import ServerSettings


@pytest.fixture
async def core(valkey_cluster: ValkeyCluster, fresh_database: Callable[..., str], schema: str) -> AsyncIterator[Core]:
    async with open_core(fresh_database(schema), valkey_cluster.url) as opened:
        yield opened
    await asyncio.to_thread(valkey_cluster.heal)


async def standing(core: Core, department: str) -> LineAnswer | None:
    """The line's answer to the request of the next batch; None while it is unavailable."""
    (row,) = await core.rows("SELECT * FROM dept_state WHERE department_id = %s", department)
    waiting = {name: row[f"waiting_{name}"] for name in Priority}
    try:
        (answer,) = await core.line.ask(
            [Ask(department, row["day"], row["last_no"], row["last_seq"], waiting, heads=10_000)]
        )
    except LineDown:
        return None
    return answer


async def is_right(core: Core, department: str) -> bool:
    """Whether the line contains exactly the waiting tokens, in order."""
    answer = await standing(core, department)
    rows = await core.rows(
        "SELECT token_id FROM token WHERE department_id = %s AND state = 'WAITING' ORDER BY place, token_id", department
    )
    return answer is not None and answer.heads == [row["token_id"] for row in rows]


async def comes_right(core: Core, department: str) -> None:
    """Assert that the line is right after one round of housekeeping."""
    async with asyncio.timeout(30):
        while not await is_right(core, department):
            await core.do(Housekeep(department))
            await asyncio.sleep(0.05)


async def departments_of_all_shards(core: Core, cluster: ValkeyCluster) -> list[str]:
    """A department on each of the three primaries."""
    found: dict[int, str] = {}
    while len(found) < 3:
        name = department_id()
        found.setdefault(cluster.primary_of(name).server.port, name)
    for name in found.values():
        await core.setup.create_department(name, {"name": name})
    return list(found.values())


async def test_a_primary_killed_under_load_loses_no_one(core: Core, valkey_cluster: ValkeyCluster) -> None:
    """kill -9: numbers have no gap, calls stay in order, and the replica's line recovers by itself."""
    names = await departments_of_all_shards(core, valkey_cluster)
    victim = valkey_cluster.primary_of(names[0])
    heir = valkey_cluster.replica_of(names[0])
    called: list[int] = []
    has_failed_over = asyncio.Event()

    async def issue(name: str) -> None:
        while not has_failed_over.is_set():
            await core.do(Issue(name, DESK))

    async def call() -> None:
        while not has_failed_over.is_set():
            called.append((await core.serve(names[0], "1"))["tokenNo"])

    await asyncio.gather(*(core.issue(name, 5) for name in names))
    work = [asyncio.create_task(issue(name)) for name in [*names, names[0]]] + [asyncio.create_task(call())]
    await asyncio.to_thread(until, lambda: len(called) > 20)
    victim.kill()
    await asyncio.to_thread(until, lambda: heir.server.role() == "master")
    seen = len(called)
    await asyncio.to_thread(until, lambda: len(called) > seen + 20)
    has_failed_over.set()
    await asyncio.gather(*work)

    assert called == list(range(1, len(called) + 1))
    assert core.counts.seen["line_fallbacks"] > 0
    for name in names:
        await comes_right(core, name)
        await assert_all_is_well(core, name)


async def test_a_dead_shard_affects_only_its_departments(core: Core, valkey_cluster: ValkeyCluster) -> None:
    """Redis still serves the others, in the same batch."""
    dead, alive, _ = await departments_of_all_shards(core, valkey_cluster)
    for name in (dead, alive):
        await core.issue(name, 2)
    await core.line.ping()
    valkey_cluster.primary_of(dead).kill()
    first, second = await asyncio.gather(core.call(dead, "1"), core.call(alive, "2"))

    assert (first["tokenNo"], second["tokenNo"]) == (1, 1)
    assert core.counts.seen["line_fallbacks"] == 1
    with pytest.raises(LineDown):  # /readyz reports degraded
        await core.line.ping()


async def test_a_stale_replica_that_takes_over_catches_up(core: Core, valkey_cluster: ValkeyCluster) -> None:
    """Isolated, then promoted by force, without our functions: no call is wrong, and the log fills the gap."""
    name, *_ = await departments_of_all_shards(core, valkey_cluster)
    await core.issue(name, 6)
    heir = valkey_cluster.replica_of(name).server
    with heir.client() as client:
        await asyncio.to_thread(until, lambda: client.execute_command("CLUSTER", "COUNTKEYSINSLOT", _slot(name)))
        cut_off(heir)
        assert [(await core.call(name, counter))["tokenNo"] for counter in "123"] == [1, 2, 3]
        await core.issue(name, 2)
        client.execute_command("CLUSTER", "FAILOVER", "TAKEOVER")
        await asyncio.to_thread(until, lambda: heir.role() == "master")
        client.execute_command("FUNCTION", "FLUSH")
    await asyncio.to_thread(until, lambda: valkey_cluster.primary_of(name).server.port == heir.port)

    assert [(await core.call(name, counter))["tokenNo"] for counter in "456"] == [4, 5, 6]
    await comes_right(core, name)
    assert core.counts.seen["line_replays"] + core.counts.seen["line_rebuilds"] >= 2  # the first fills a new line
    await assert_all_is_well(core, name)
    joined_again(heir)


def _slot(department: str) -> int:
    return key_slot(department.encode())


async def test_rebuild_fills_the_lines_of_a_cluster(core: Core, valkey_cluster: ValkeyCluster) -> None:
    """`tokenq server rebuild` reaches every shard."""
    names = await departments_of_all_shards(core, valkey_cluster)
    for name in names:
        await core.issue(name, 3)
        with valkey_cluster.primary_of(name).server.client() as client:
            client.flushall()
    assert not any([await is_right(core, name) for name in names])

    settings = ServerSettings(database_url=core.dsn, redis_url=valkey_cluster.url)
    async with open_recovery(settings) as stores:
        assert (await rebuild_lines(stores)).items() >= dict.fromkeys(names, 3).items()
    assert all([await is_right(core, name) for name in names])


async def test_verify_reads_the_lines_of_a_cluster(core: Core, valkey_cluster: ValkeyCluster) -> None:
    """Each line from its own shard; a foreign entry in one is detected."""
    names = await departments_of_all_shards(core, valkey_cluster)
    for name in names:
        await core.issue(name, 3)
    lines = RedisLineCopies(valkey_cluster.url)
    verifying = Verifier(PostgresSnapshots(core.dsn), lines, None, VerifyOptions(at_rest=True))
    assert (await verifying.run()).violations == {}
    with valkey_cluster.primary_of(names[0]).server.client() as client:
        (line,) = client.scan_iter(f"tq:{{{names[0]}}}:*:q", count=1_000)
        client.zadd(line, {"4711": 1})
    assert set((await verifying.run()).found) == {"R1"}
    await lines.close()


async def test_a_stale_replica_behind_the_same_address_catches_up(
    valkeys: OwnValkeys, fresh_database: Callable[..., str], schema: str
) -> None:
    """One Redis with a replica, and an address that moves when the first dies, as with Sentinel."""
    first, second = valkeys.start(), valkeys.start()
    with second.server.client() as client:
        client.config_set("masterauth", first.server.password)
        client.replicaof("127.0.0.1", str(first.server.port))
        async with forwarder(first.server.port) as address:
            url = f"redis://:{first.server.password}@127.0.0.1:{address.port}/0"
            async with open_core(fresh_database(schema), url) as core:
                name = await core.department()
                await core.issue(name, 6)
                await asyncio.to_thread(until, lambda: client.keys(f"tq:{{{name}}}:*:q"))
                client.replicaof("NO", "ONE")
                assert [(await core.call(name, counter))["tokenNo"] for counter in "123"] == [1, 2, 3]
                await core.issue(name, 2)
                before = core.counts.seen["line_replays"]
                first.kill()
                address.point_at(second.server.port)

                assert [(await core.call(name, counter))["tokenNo"] for counter in "456"] == [4, 5, 6]
                await comes_right(core, name)
                assert core.counts.seen["line_replays"] == before + 1
                await assert_all_is_well(core, name)
    second.stop()


async def test_an_encrypted_redis_is_used_if_its_certificate_is_trusted(valkeys: OwnValkeys, tmp_path: Path) -> None:
    """rediss:// with its own certificate authority; without it nothing is sent."""
    certificate, context = certificates(tmp_path)
    server = valkeys.start().server
    async with forwarder(server.port, context) as address:
        await assert_it_is_used_if_trusted(f"rediss://:{server.password}@127.0.0.1:{address.port}/0", certificate)


async def test_an_encrypted_cluster_uses_tls_on_every_node(valkey_cluster: ValkeyCluster, tmp_path: Path) -> None:
    """rediss+cluster:// applies to discovered nodes too."""
    certificate, context = certificates(tmp_path)
    async with AsyncExitStack() as stack:
        ends = [await stack.enter_async_context(forwarder(node.server.port, context)) for node in valkey_cluster.nodes]
        with valkey_cluster.announcing([end.port for end in ends]):
            password = valkey_cluster.nodes[0].server.password
            await assert_it_is_used_if_trusted(f"rediss+cluster://:{password}@127.0.0.1:{ends[0].port}", certificate)


async def test_a_redis_behind_a_socket_file_is_used(valkeys: OwnValkeys) -> None:
    """unix://, for a Redis on the same machine without a network port."""
    socket = valkeys.socket_folder() / "valkey.sock"
    server = valkeys.start(f"unixsocket {socket}\nunixsocketperm 777\n").server
    async with using(f"unix://:{server.password}@{socket}") as line:
        assert await answers(line)


@asynccontextmanager
async def using(url: str) -> AsyncIterator[WaitingLine]:
    """A line with a longer timeout than a row lock allows."""
    line = open_line(url, timeout=2.0)
    yield line
    await line.close()


async def assert_it_is_used_if_trusted(url: str, certificate: Path) -> None:
    """It responds if its certificate is trusted; otherwise nothing is sent."""
    async with using(f"{url}?ssl_ca_certs={certificate}") as line:
        await line.ping()
        assert await answers(line)
    async with using(url) as line:
        with pytest.raises(LineDown):
            await line.ping()


async def answers(line: WaitingLine) -> bool:
    """Whether the line accepts a new entry."""
    ask = Ask("CW", date(2026, 11, 24), 0, 0, heads=1)
    await line.install(ask, [])
    await line.advance([Advance("CW", ask.day, 0, 1, [LineChange(True, LineEntry(7, Priority.NORMAL, 1))])])
    (answer,) = await line.ask([Ask("CW", ask.day, 0, 1, {Priority.NORMAL: 1}, heads=1)])
    return answer is not None and answer.heads == [7]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:6379",
        "http://127.0.0.1:6379",
        "redis://",
        "redis://host:many",
        "redis://host:0",
        "redis://one:6379,two:6379",
        "redis://host:6379/first",
        "redis://host?socket_timeout=soon",
        "unix://",
        "redis+cluster://one,,two",
        "redis+cluster://one:6379/3",
    ],
)
def test_an_invalid_redis_url_is_one_sentence(url: str) -> None:
    """It names the setting, and the hint shows how to write it."""
    with pytest.raises(Refused) as refused:
        read_address(url)

    assert refused.value.problem.code is ProblemCode.INVALID
    assert "TOKENQ_REDIS_URL" in refused.value.problem.detail
    assert "redis+cluster://" in refused.value.problem.hint


def test_a_cluster_s_nodes_share_credentials_and_options() -> None:
    """They are written once."""
    address = read_address("rediss+cluster://ann:secret@one:7001,two/0?ssl_ca_certs=/ca.pem")

    assert address.is_cluster
    assert address.nodes == (
        "rediss://ann:secret@one:7001?ssl_ca_certs=/ca.pem",
        "rediss://ann:secret@two?ssl_ca_certs=/ca.pem",
    )
