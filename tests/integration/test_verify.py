"""Verify: silent while all is well, even under load; each rule's own code once something is damaged."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.people import ANN
from tests.servers import Servers
from tests.without_http import Body, Core
from tokenq.contract.enums import Priority, RequeuePosition
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.problems import Refused
from tokenq.contract.verbs import VERBS, Verb, verbs_from
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.adapters.redis.line_copies import RedisLineCopies
from tokenq_server.domain.commands import CallToken, Housekeep, MarkNearTurn, TransferToken, UndoMove
from tokenq_server.domain.invariants.catalog import RULES
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.relay import Relay
from tokenq_server.services.requests import Request
from tokenq_server.services.setup_views import Branch
from tokenq_server.services.verification.ports import VerifyOptions
from tokenq_server.services.verification.verifier import Verifier


@pytest.fixture
async def core(core: Core) -> Core:
    await core.run("INSERT INTO app_user (name, role) SELECT 'Ada', 'customer' FROM generate_series(1, 3)")
    return core


async def verified(
    core: Core, servers: Servers, *names: str, options: VerifyOptions = VerifyOptions(), with_topic: bool = False
) -> Tally:
    lines = RedisLineCopies(servers.redis_url)
    topic = KafkaReader(KafkaAccess(servers.kafka_bootstrap)) if with_topic else None
    try:
        return await Verifier(PostgresSnapshots(core.dsn), lines, topic, options).run(names)
    finally:
        await lines.close()


async def publish(core: Core, servers: Servers) -> None:
    """Run a relay until it has caught up."""
    log = PostgresEventLog(core.dsn, "tokenq-relay")
    relay = Relay(log, KafkaTopic(KafkaAccess(servers.kafka_bootstrap), 3, embedded=servers.has_embedded_broker))
    task = asyncio.create_task(relay.run())
    behind = "SELECT 1 FROM relay_cursor JOIN dept_state s USING (department_id) WHERE seq < last_seq"
    async with asyncio.timeout(30):
        while await core.rows(behind):
            await asyncio.sleep(0.02)
    relay.stop()
    await task


async def a_day(core: Core, first: str, other: str, steps: int, seed: int) -> None:
    """Issue, call, move and undo tokens, in every way; refusals are ignored."""
    chance = random.Random(seed)
    tokens = await core.issue(first, 3, email="ada@example.com")
    for _ in range(steps):
        token = chance.choice(tokens[-6:])
        token |= await latest(core, token)
        where, counter = chance.choice((first, other)), f"{seed}-{chance.randrange(3)}"
        try:
            match chance.randrange(11):
                case 0 | 1 | 2:
                    priority = chance.choice(list(Priority))
                    tokens += await core.issue(where, 1, priority=priority, user_id=chance.choice((None, 1, 2, 3)))
                case 3 | 4:
                    await core.call(where, counter)
                case 5:
                    await core.serve(where, counter)
                case 6 | 7 | 8:
                    verb = chance.choice([verb for verb in verbs_from(token["held"]) if verb not in _NOT_MOVES])
                    more = {"position": chance.choice(list(RequeuePosition)), "priority": chance.choice(list(Priority))}
                    await core.move(token, verb, user_id=token["user"], **more)
                case 9:
                    to = first if token["departmentId"] == other else other
                    await core.do(
                        TransferToken(token["departmentId"], ANN, token["tokenId"], to, user_id=token["user"])
                    )
                case 10:
                    await core.do(
                        UndoMove(
                            token["departmentId"],
                            ANN,
                            token["tokenId"],
                            back_to=token["backTo"] or None,
                            counter_id=token["backAt"],
                            user_id=token["user"],
                        )
                    )
                    await core.do(CallToken(where, ANN, counter, token["tokenId"], "a wheelchair"))
        except (Refused, IndexError):
            continue


async def one_of_each(core: Core, name: str) -> None:
    """Every verb that stays in the department, at least once."""
    tokens = await core.issue(name, 2)
    await core.move(await core.move(tokens[1], Verb.PRIORITY, priority=Priority.PRIORITY), Verb.CANCEL)
    await core.move(tokens[0], Verb.EDIT, email="ada@example.com")
    for verbs in ((Verb.RECALL, Verb.REQUEUE), (Verb.PARK, Verb.RESUME), (Verb.NO_SHOW, Verb.REINSTATE)):
        token = await core.call(name, "1")
        for verb in verbs:
            token = await core.move(token, verb)
    await core.move(await core.move(await core.call(name, "1"), Verb.START), Verb.SERVE)


_NOT_MOVES = (Verb.CALL, Verb.TRANSFER, Verb.EDIT, Verb.UNDO, Verb.EXPIRE)


async def latest(core: Core, token: Body) -> Body:
    """The current claim version and state of a token."""
    (row,) = await core.rows(
        """
        SELECT department_id AS "departmentId", claim_version AS "claimVersion", state AS held, user_id AS user,
               undo->'was'->>'department_id' AS "backTo", undo->'was'->>'counter_id' AS "backAt"
        FROM token WHERE token_id = %s
        """,
        token["tokenId"],
    )
    return row


async def test_a_day_with_every_verb_violates_nothing(core: Core, servers: Servers) -> None:
    """The replay accepts everything legal; every rule was checked."""
    first, other = await core.department(ratio="2:1"), await core.department()
    await one_of_each(core, first)
    await asyncio.gather(*(a_day(core, first, other, 70, seed) for seed in range(5)))
    await core.issue(first)
    await core.issue(other)
    await publish(core, servers)
    tally = await verified(core, servers, options=VerifyOptions(at_rest=True), with_topic=True)

    kinds = {row["event_type"] for row in await core.rows("SELECT DISTINCT event_type FROM outbox")}

    assert tally.violations == {}
    assert {str(move.event) for verb, move in VERBS.items() if verb is not Verb.EXPIRE} <= kinds
    assert set(RULES) - set(tally.checked) <= {"M1", "M2", "M3", "M4", "M6"}
    assert tally.checked["S3"] > 200


async def test_a_system_under_load_gives_no_false_alarm(core: Core, servers: Servers) -> None:
    """Verify takes no lock, and nothing in flight looks wrong."""
    first, other = await core.department(), await core.department()
    await core.issue(first, 5)
    log = PostgresEventLog(core.dsn, "tokenq-relay")
    relay = Relay(log, KafkaTopic(KafkaAccess(servers.kafka_bootstrap), 3, embedded=servers.has_embedded_broker))
    relaying = asyncio.create_task(relay.run())
    load = [asyncio.create_task(a_day(core, first, other, 60, seed)) for seed in range(6)]
    rounds = 0
    while not all(task.done() for task in load):
        tally = await verified(core, servers, with_topic=rounds % 2 == 1)
        assert tally.violations == {}
        rounds += 1
    await asyncio.gather(*load)
    relay.stop()
    await relaying

    assert rounds > 1


async def test_automatic_moves_violate_nothing(core: Core, servers: Servers) -> None:
    """Parked tokens resume, near turns are recorded, and the end of a day expires what remains."""
    await core.setup.put_branch(Branch("main", "Main", "Pacific/Pago_Pago", 0), "ann")
    first, other = await core.department(), await core.department()
    tokens = await core.issue(first, 6, email="ada@example.com", near_turn=3)
    until = datetime.now(UTC) + timedelta(milliseconds=800)
    await core.move(await core.call(first, "1"), Verb.PARK, until=until)
    await core.commit.submit(Request(MarkNearTurn(first, ((tokens[3]["tokenId"], 3),))))
    async with asyncio.timeout(10):
        while not await core.rows("SELECT 1 FROM outbox WHERE event_type = 'TOKEN_RESUMED'"):
            await core.commit.submit(Request(Housekeep(first)))
    await core.move(await core.call(first, "1"), Verb.START)
    await core.call(first, "2")
    await core.move(await core.call(first, "3"), Verb.PARK)
    await core.do(TransferToken(first, ANN, tokens[5]["tokenId"], other))
    # More than a day further east: the business day is over at any time of day.
    await core.setup.put_branch(Branch("main", "Main", "Pacific/Kiritimati", 0), "ann", may_end_day=True)
    await core.issue(first, 2)
    await core.issue(other)
    await core.serve(first, "1")
    await core.serve(first, "1")
    tally = await verified(core, servers, options=VerifyOptions(at_rest=True))
    kinds = {row["event_type"] for row in await core.rows("SELECT DISTINCT event_type FROM outbox")}

    assert tally.violations == {}
    assert {"TOKEN_EXPIRED", "TOKEN_RESUMED", "TOKEN_TURN_NEAR", "TOKEN_TRANSFERRED"} <= kinds
    assert tally.checked["L2"] == 9


async def test_a_deleted_department_violates_nothing(core: Core, servers: Servers) -> None:
    """Its deletion is the last entry of its log, and does not reach its queue in Redis."""
    name = await core.department()
    (token,) = await core.issue(name)
    await core.move(token, Verb.CANCEL)
    await core.setup.delete_department(name)
    tally = await verified(core, servers, options=VerifyOptions(at_rest=True))

    assert tally.violations == {}


async def test_a_lost_topic_not_yet_refilled_is_no_violation(core: Core, servers: Servers) -> None:
    """As for a moment after each start of a memory-only broker; at rest it must be complete."""
    name = await core.department()
    await core.issue(name, 2)
    await publish(core, servers)
    await core.run("UPDATE relay_cursor SET kafka_offset = kafka_offset + 1000000, seq = 99")
    tally = await verified(core, servers, name, with_topic=True)
    at_rest = await verified(core, servers, name, options=VerifyOptions(at_rest=True), with_topic=True)

    assert (set(tally.found), "refilling it" in tally.unchecked["K1"]) == (set(), True)
    assert "K1" not in at_rest.unchecked
