"""Whatever is damaged directly in the stores, verify names the violated rule."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import psycopg
import pytest
from redis.asyncio import Redis

from tests.fakes import BY_EMAIL
from tests.integration.notifying import enqueue_all
from tests.people import ANN
from tests.servers import Servers
from tests.without_http import Core, open_core
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.adapters.redis.line_copies import RedisLineCopies
from tokenq_server.domain.commands import TransferToken, UndoMove
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.relay import Relay
from tokenq_server.services.notifications import Attempt, Settlement, Verdict
from tokenq_server.services.verification.ports import VerifyOptions
from tokenq_server.services.verification.verifier import Verifier

AT_REST = VerifyOptions(at_rest=True, letters_settled=True)


@dataclass(frozen=True)
class Base:
    """A database with a varied history; department ``name`` is the one to damage."""

    dsn: str
    name: str


@pytest.fixture(scope="module")
async def base(servers: Servers, schema: str) -> AsyncIterator[Base]:
    dsn = servers.new_database(schema)
    async with open_core(dsn, servers.redis_url) as core:
        await core.run("INSERT INTO app_user (name, role) SELECT 'Ada', 'customer' FROM generate_series(1, 2)")
        name, other = await core.department(), await core.department()
        await core.issue(name, user_id=1, email="ada@example.com")  # log entry 2: the first is its creation
        await send_letters(core)
        for _ in range(5):
            await core.issue(name)
        called = await core.call(name, "1")  # 8
        await send_letters(core)
        await core.move(called, Verb.START)  # 9
        served = await core.serve(name, "2")  # 10, 11
        await core.do(UndoMove(name, ANN, served["tokenId"], counter_id="2"))  # 12
        await core.serve(name, "1")  # 13
        gone = await core.issue(other, email="bob@example.com")
        await core.do(TransferToken(other, ANN, gone[0]["tokenId"], name))  # 14
        await send_letters(core)
        relay = Relay(
            PostgresEventLog(dsn, "tokenq-relay"),
            KafkaTopic(KafkaAccess(servers.kafka_bootstrap), 3, embedded=servers.has_embedded_broker),
        )
        task = asyncio.create_task(relay.run())
        async with asyncio.timeout(30):
            while await core.rows(
                "SELECT 1 FROM relay_cursor JOIN dept_state USING (department_id) WHERE seq < last_seq"
            ):
                await asyncio.sleep(0.02)
        relay.stop()
        await task
    yield Base(dsn, name)
    servers.drop_database(dsn)


async def send_letters(core: Core) -> None:
    """Let notify enqueue and send everything so far."""
    database = Database(core.dsn, size=2)
    queue = PostgresNotificationQueue(database, most_records=1000)
    await enqueue_all(core, queue)
    while claimed := await queue.claim("here", 10, BY_EMAIL):
        for job in claimed.to_send:
            await queue.settle([Settlement(job, Attempt(Verdict.SENT))], "here")
    await database.close()


async def verified(servers: Servers, dsn: str) -> Tally:
    lines = RedisLineCopies(servers.redis_url)
    try:
        return await Verifier(
            PostgresSnapshots(dsn), lines, KafkaReader(KafkaAccess(servers.kafka_bootstrap)), AT_REST
        ).run()
    finally:
        await lines.close()


async def test_the_base_violates_nothing(base: Base, servers: Servers) -> None:
    """Otherwise the damage would prove nothing."""
    assert (await verified(servers, base.dsn)).violations == {}


ENTRY = "UPDATE outbox SET {} WHERE department_id = '{{name}}' AND seq = {}"


def rewrite(seq: int, old: str, new: str, more: str = "") -> str:
    """A statement that changes an entry's payload, and optionally other columns."""
    return ENTRY.format(f"payload = replace(payload, '{old}', '{new}'){more}", seq)


def retold(seq: int, old: str, new: str) -> str:
    """A statement that changes an entry's type."""
    return rewrite(seq, f'"{old}"', f'"{new}"', f", event_type = '{new}'")


LETTER = "department_id = '{name}' AND kind = "
DAMAGES = {
    "N1": "ALTER TABLE token DROP CONSTRAINT token_number; UPDATE token SET number = 2 WHERE number = 3",
    "N2": "UPDATE token SET number = 99 WHERE number = 6",
    "N2 the department's own": "UPDATE dept_state SET last_no = 9 WHERE department_id = '{name}'",
    "N3": rewrite(4, '"tokenNo":3', '"tokenNo":2'),
    "N8": rewrite(3, '"userId":null', '"userId":1'),
    "N9": 'UPDATE outbox SET payload = regexp_replace(payload, \'"businessDay":"\\d+\', \'"businessDay":"2101\')'
    " WHERE department_id = '{name}' AND seq = 7",
    "S1": retold(9, "TOKEN_SERVICE_STARTED", "TOKEN_CALLED"),
    "S2": retold(12, "TOKEN_REVERTED", "TOKEN_SERVED"),
    "S3": retold(13, "TOKEN_SERVED", "TOKEN_RESUMED"),
    "S4": ENTRY.format("place = 99", 2),
    "S5": rewrite(10, '"counterId":"2"', '"counterId":"1"'),
    "S7": "UPDATE dept_state SET waiting_normal = waiting_normal + 1 WHERE department_id = '{name}'",
    "L1": "DELETE FROM outbox WHERE department_id = '{name}' AND seq = 5",
    "L1 the end": "UPDATE dept_state SET last_seq = 99 WHERE department_id = '{name}'",
    "L2": "UPDATE token SET state = 'SERVED' WHERE department_id = '{name}' AND state = 'WAITING' AND number = 5",
    "L2 no such token": "DELETE FROM token WHERE department_id = '{name}' AND number = 5",
    "L2 no such entry": "INSERT INTO token (token_id, department_id, branch_id, day, number, display, state, priority,"
    " place, original_place, issued_at, waiting_since, issued_in) SELECT 4711, department_id, branch_id, day, 7, 'X',"
    " 'SERVED', priority, place, place, issued_at, waiting_since, issued_in FROM token"
    " WHERE department_id = '{name}' AND number = 6",
    "L2 of one who was elsewhere": "UPDATE token SET claim_version = 7 WHERE email = 'bob@example.com'",
    "L3": ENTRY.format("joins = NULL", 3),
    "L4": ENTRY.format("payload = '{{}}'", 3),
    "R1": "UPDATE token SET place = 77 WHERE department_id = '{name}' AND number = 5",
    "K1": "UPDATE dept_state SET last_seq = 99 WHERE department_id = '{name}'",
    "K4": rewrite(3, '"actor":"desk"', '"actor":"eve"'),
    "M1": "DELETE FROM mail_job WHERE " + LETTER + "'issued'",
    "M1 unsettled": "UPDATE mail_job SET state = 'due' WHERE " + LETTER + "'issued'",
    "M1 served is always sent": "UPDATE mail_job SET state = 'overtaken' WHERE " + LETTER + "'served'",
    "M2": "UPDATE mail_job SET kind = 'missed' WHERE " + LETTER + "'issued'",
    "M3": "UPDATE mail_job SET sent_at = now() + interval '1 hour' WHERE " + LETTER + "'issued'",
    "M4": "UPDATE mail_job SET state = 'dead' WHERE " + LETTER + "'issued'",
    "M6": "UPDATE mail_job SET recipient = 'eve@example.com' WHERE " + LETTER + "'issued'",
}


@pytest.mark.parametrize("what", DAMAGES)
async def test_each_violation_is_detected(
    base: Base, servers: Servers, fresh_database: Callable[..., str], what: str
) -> None:
    """One statement directly on the stores."""
    dsn = fresh_database(base.dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(DAMAGES[what].format(name=base.name))  # type: ignore[arg-type]
    tally = await verified(servers, dsn)

    assert what.split()[0] in tally.found, tally.violations


@pytest.mark.parametrize("code", ["R1", "R3"])
async def test_a_wrong_queue_in_redis_is_detected(base: Base, servers: Servers, code: str) -> None:
    """An entry that is not waiting; a counter that is ahead."""
    redis: Redis = Redis.from_url(servers.redis_url, decode_responses=True)
    (counter,) = [key async for key in redis.scan_iter(f"tq:{{{base.name}}}:*:ctr")]
    before, line = await redis.get(counter), counter.replace(":ctr", ":q")
    if code == "R1":
        await redis.zadd(line, {"4711": 1})
    else:
        await redis.set(counter, 99)
    found = (await verified(servers, base.dsn)).found
    await redis.zrem(line, "4711")
    await redis.set(counter, before)
    await redis.aclose()

    assert set(found) == {code}


@pytest.mark.parametrize("score", [1.7e15, -5.0, 0.5, float("inf")])
async def test_a_foreign_entry_outside_all_classes_is_detected(base: Base, servers: Servers, score: float) -> None:
    """A member that no release can have added is reported like any other."""
    key = f"tq:{{{base.name}}}:{{day}}:q"
    async with await psycopg.AsyncConnection.connect(base.dsn) as connection:
        found = await connection.execute("SELECT day FROM dept_state WHERE department_id = %s", [base.name])
        key = key.replace("{day}", str((await found.fetchall())[0][0]))
    async with Redis.from_url(servers.redis_url) as redis:
        await redis.zadd(key, {f"{77:019d}": score})
        try:
            tally = await verified(servers, base.dsn)
        finally:
            await redis.zrem(key, f"{77:019d}")

    assert tally.found["R1"] == 1
    assert "Token 77 is outside every class" in tally.violations["R1"][0].sentence
