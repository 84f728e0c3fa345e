"""A Redis that evicts, or cannot write: refused where possible, and otherwise only slower."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.programs import refusal
from tests.servers import Running
from tests.valkeys import OwnValkey, OwnValkeys, ValkeyCluster
from tests.waiting import until
from tests.without_http import assert_all_is_well, open_core
from tokenq.contract.problems import ProblemCode
from tokenq_server.adapters.redis.probe import probe
from tokenq_server.bootstrap import unsafe_stores
from tokenq_server.domain.commands import Housekeep
from tokenq_server.services.findings import Finding
from tokenq_server.settings import ServerSettings

NOBODY = "postgresql://tokenq@127.0.0.1:1/none"


@pytest.fixture
def valkey(valkeys: OwnValkeys) -> Iterator[Running[OwnValkey]]:
    """A Valkey that this test may damage."""
    running = valkeys.start("save 3600 1\n")
    yield running
    running.stop()


async def findings(redis_url: str) -> dict[str, Finding]:
    """The doctor's findings about a Redis."""
    return {finding.name: finding for finding in await probe(redis_url)}


async def test_an_evicting_redis_is_refused_in_production(valkey: Running[OwnValkey]) -> None:
    """Waiting tokens would vanish; outside production it may run."""
    with valkey.server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    settings = ServerSettings(redis_url=valkey.server.url, database_url=NOBODY)
    (refused,) = await unsafe_stores(settings)

    assert refused.problem.code is ProblemCode.INVALID
    assert "allkeys-lru" in refused.problem.detail
    assert "noeviction" in refused.problem.hint
    assert await unsafe_stores(settings.model_copy(update={"env": "development"})) == []
    valkey.kill()
    assert await unsafe_stores(settings) == []


def test_the_api_reports_it_in_one_sentence(valkey: Running[OwnValkey]) -> None:
    """Exit code 1 and no traceback."""
    with valkey.server.client() as client:
        client.config_set("maxmemory-policy", "volatile-ttl")
    settings = {"TOKENQ_REDIS_URL": valkey.server.url, "TOKENQ_DATABASE_URL": NOBODY}

    assert "volatile-ttl" in refusal("api", settings)


async def test_the_doctor_names_an_evicting_redis(valkey: Running[OwnValkey]) -> None:
    """With the fix."""
    with valkey.server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-random")
    found = (await findings(valkey.server.url))["redis memory"]

    assert (found.ok, found.detail) == (False, "maxmemory-policy allkeys-random")
    assert "noeviction" in found.hint


async def test_one_evicting_primary_of_a_cluster_is_enough(valkey_cluster: ValkeyCluster) -> None:
    """The doctor names it; a complete and safe cluster has no findings."""
    node = valkey_cluster.primary_of("CW").server
    url = valkey_cluster.url
    with node.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert len(await unsafe_stores(ServerSettings(redis_url=url, database_url=NOBODY))) == 1
        assert not (await findings(url))[f"redis memory 127.0.0.1:{node.port}"].ok
        client.config_set("maxmemory-policy", "noeviction")
    found = await findings(url)
    assert [finding for finding in found.values() if not finding.ok] == []
    assert found["redis cluster"].detail == "3 primaries, 16384 of 16384 slots"


def fills_up(valkey: OwnValkey) -> Callable[[], None]:
    """No room for one more byte; return how to fix it."""
    client = valkey.client()
    client.config_set("maxmemory", 1)

    def mend() -> None:
        client.config_set("maxmemory", 0)
        client.close()

    return mend


def cannot_save(valkey: OwnValkey) -> Callable[[], None]:
    """As with a full disk: the snapshot failed, so writes are refused."""
    client, snapshot = valkey.client(), valkey.folder / "dump.rdb"
    snapshot.unlink(missing_ok=True)
    snapshot.mkdir()
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")

    def mend() -> None:
        snapshot.rmdir()
        client.bgsave()
        until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "ok")
        client.close()

    return mend


@pytest.mark.parametrize("is_empty", [True, False])
@pytest.mark.parametrize("fails", [fills_up, cannot_save])
async def test_a_redis_that_cannot_write_only_costs_time(
    fails: Callable[[OwnValkey], Callable[[], None]],
    is_empty: bool,
    valkey: Running[OwnValkey],
    fresh_database: Callable[..., str],
    schema: str,
) -> None:
    """OOM or MISCONF, before our functions are loaded or later: Postgres provides the queue."""
    async with open_core(fresh_database(schema), valkey.server.url) as core:
        name = await core.department()
        if not is_empty:
            await core.issue(name, 2)
            assert (await core.call(name, "0"))["tokenNo"] == 1
        called = 0 if is_empty else 1
        mend = await asyncio.to_thread(fails, valkey.server)
        await core.issue(name, 5)
        calls = [(await core.call(name, counter))["tokenNo"] for counter in "123"]
        assert calls == [called + 1, called + 2, called + 3]
        assert core.counts.seen["line_fallbacks"] == 3

        await asyncio.to_thread(mend)
        await core.do(Housekeep(name))  # what housekeeping does every few seconds
        assert (await core.call(name, "4"))["tokenNo"] == called + 4
        assert core.counts.seen["line_fallbacks"] == 3
        await assert_all_is_well(core, name)
