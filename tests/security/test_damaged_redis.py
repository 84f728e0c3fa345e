"""Whatever is stored under tokenq's keys in Redis: ``verify`` says what it found, the API answers and mends it."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis import Redis

from tests.security.audited import AuditedApi
from tests.servers import Servers
from tests.without_http import Core, department_id, open_core
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.adapters.redis.line_copies import RedisLineCopies
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.services.verification.ports import VerifyOptions
from tokenq_server.services.verification.verifier import Verifier

Damage = Callable[[Redis, str], Any]

TYPES: dict[str, Damage] = {
    "string": lambda redis, key: redis.set(key, "x"),
    "hash": lambda redis, key: redis.hset(key, "x", "y"),
    "list": lambda redis, key: redis.rpush(key, "x"),
    "set": lambda redis, key: redis.sadd(key, "x"),
    "zset": lambda redis, key: redis.zadd(key, {"x": 1}),
    "stream": lambda redis, key: redis.xadd(key, {"x": "y"}),
}
OURS = {"meta": "hash", "ctr": "string", "q": "zset"}
WRONG_TYPES = [(name, kind) for name, ours in OURS.items() for kind in TYPES if kind != ours]

TEXTS = ["evil", "-7", "1e3", "inf", "nan", "0x10", "9" * 30, "1_0", "٣", "", "\x1b]0;x\x07", b"\xff\xfe"]
VALUES: dict[str, Damage] = {
    **{f"seq {text!r}": lambda redis, key, text=text: redis.hset(f"{key}:meta", "seq", text) for text in TEXTS},
    **{f"counter {text!r}": lambda redis, key, text=text: redis.set(f"{key}:ctr", text) for text in TEXTS},
    **{f"member {text!r}": lambda redis, key, text=text: swap(redis, f"{key}:q", text) for text in TEXTS},
}


def swap(redis: Redis, line: str, member: Any) -> None:
    """Put another member in the place of the first."""
    ((first, score),) = redis.zrange(line, 0, 0, withscores=True)
    redis.zrem(line, first)
    redis.zadd(line, {member: score})


def place(redis: Redis, department: str, name: str) -> str:
    if name == "meta":
        return f"tq:{{{department}}}:meta"
    (key,) = redis.scan_iter(f"tq:{{{department}}}:*:{name}")
    return str(key)


def damage_value(redis: Redis, department: str, what: str) -> None:
    name = {"seq": "meta", "counter": "ctr", "member": "q"}[what.split()[0]]
    VALUES[what](redis, place(redis, department, name).rpartition(":")[0])


@pytest.fixture
def redis(servers: Servers) -> Any:
    with Redis.from_url(servers.redis_url, decode_responses=True, encoding_errors="backslashreplace") as opened:
        yield opened


@pytest.fixture
async def core(servers: Servers, fresh_database: Callable[..., str], schema: str) -> AsyncIterator[Core]:
    async with open_core(fresh_database(schema), servers.redis_url, redis_timeout=10.0) as opened:
        yield opened


async def verified(core: Core, servers: Servers) -> Tally:
    lines = RedisLineCopies(servers.redis_url)
    try:
        return await Verifier(PostgresSnapshots(core.dsn), lines, None, VerifyOptions(at_rest=True)).run()
    finally:
        await lines.close()


async def is_found_and_mended(core: Core, servers: Servers, department: str, key: str) -> None:
    found = await verified(core, servers)
    (violation, *_) = found.violations["R1"]
    assert violation.department_id == department
    assert key in violation.sentence
    assert violation.sentence.isascii()
    assert violation.sentence.isprintable()
    assert len(violation.sentence) < 200

    (issued,) = await core.issue(department)
    called = await core.call(department, "1")
    assert (issued["tokenNo"], called["tokenNo"]) == (4, 1)
    assert (await verified(core, servers)).found == {}, "the first command after it has mended it"


@pytest.mark.parametrize(("name", "kind"), WRONG_TYPES)
async def test_a_key_of_another_type_is_found_and_mended(
    core: Core, servers: Servers, redis: Redis, name: str, kind: str
) -> None:
    department = await core.department()
    await core.issue(department, 3)
    key = place(redis, department, name)
    redis.delete(key)
    TYPES[kind](redis, key)
    await is_found_and_mended(core, servers, department, key)


@pytest.mark.parametrize("what", VALUES)
async def test_a_value_that_cannot_be_read_is_found_and_mended(
    core: Core, servers: Servers, redis: Redis, what: str
) -> None:
    department = await core.department()
    await core.issue(department, 3)
    damage_value(redis, department, what)
    await is_found_and_mended(core, servers, department, f"tq:{{{department}}}:")


async def test_damage_of_one_department_concerns_no_other_in_the_same_batch(
    core: Core, servers: Servers, redis: Redis
) -> None:
    """Otherwise one key would slow down everybody."""
    damaged, healthy = await core.department(), await core.department()
    for name in (damaged, healthy):
        await core.issue(name, 3)
    redis.delete(key := place(redis, damaged, "q"))
    redis.set(key, "x")
    tokens = [await core.call(name, counter) for name, counter in ((damaged, "1"), (healthy, "2"))]
    assert [token["tokenNo"] for token in tokens] == [1, 1]


def test_the_api_answers_whatever_the_keys_hold(audited: AuditedApi, servers: Servers, redis: Redis) -> None:
    """Row 74: whoever has this user's password can write every key that tokenq has in Redis, those of limits, too."""
    key = audited.key("desk")
    department = department_id()
    audited.ask("PUT", f"/departments/{department}", json={"name": "Cash window"})
    for kind in TYPES:
        audited.login("nobody", "wrong-password")
        audited.ask("POST", f"/departments/{department}/tokens", key, json={})
        for name in list(redis.scan_iter("tq:*")):
            with redis.pipeline() as at_once:  # or the API may write it in between
                at_once.delete(name)
                TYPES[kind](at_once, name)
                at_once.execute()
        answers = [
            audited.ask("POST", f"/departments/{department}/tokens", key, json={}),
            audited.ask("POST", f"/departments/{department}/call", json={"counterId": "1"}),
            audited.ask("GET", f"/departments/{department}/queue", key),
            audited.login("nobody", "wrong-password"),
        ]
        codes = [answer.status_code for answer in answers]
        assert codes[:1] == [201], answers[0].text
        assert max(codes) < 500, [answer.text for answer in answers]
    lines = [line for line in audited.log_lines() if "exception" in line]
    assert lines == [], json.dumps(lines)[:2000]


@pytest.mark.parametrize("text", ["inf 0 inf", "nan nan nan", "1e308 0 1e308", "-inf -inf -inf", "x y z", "1 1"])
def test_a_damaged_count_of_a_limit_locks_nobody_out(audited: AuditedApi, redis: Redis, text: str) -> None:
    audited.login("somebody", "wrong-password")
    for name in list(redis.scan_iter("tq:*")):
        if redis.type(name) == "string" and not name.endswith(":ctr"):
            redis.set(name, text)
    answer = audited.login("somebody", "wrong-password")
    assert answer.status_code == 401, answer.text
