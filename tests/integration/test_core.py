"""The order of operations on real Postgres and Valkey, with failures in between."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import date

import psycopg
import pytest
from redis.asyncio import Redis

from tests.fakes import MemoryLine
from tests.people import ANN, DESK
from tests.servers import Servers
from tests.without_http import Core, assert_all_is_well, department_id, open_core
from tokenq.contract.enums import RequeuePosition
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.setup import PostgresSetup
from tokenq_server.domain.commands import CallByProfile, CallNext, Issue, IssueGroup
from tokenq_server.domain.estimate import Forecast
from tokenq_server.services.batch import Batch
from tokenq_server.services.group_commit import MAX_BATCH, MAX_QUEUED
from tokenq_server.services.ports import Ask, LineAnswer
from tokenq_server.services.requests import Request
from tokenq_server.services.setup import Branch


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(servers.redis_url)
    yield client
    await client.aclose()


async def test_many_at_once_get_gapless_numbers(core: Core) -> None:
    """Forty customers at once, at several desks."""
    names = [await core.department() for _ in range(3)]
    tokens = [token for group in await asyncio.gather(*(core.issue(name, 150) for name in names)) for token in group]

    assert len({token["tokenId"] for token in tokens}) == 450
    for name in names:
        numbers = [token["tokenNo"] for token in tokens if token["departmentId"] == name]
        assert sorted(numbers) == list(range(1, 151))
        await assert_all_is_well(core, name)


async def test_first_come_first_called_through_redis(core: Core) -> None:
    """The heads come from Redis, in the order of arrival."""
    name = await core.department()
    issued = await core.issue(name, 5)
    called = [await core.call(name, str(counter)) for counter in range(5)]

    assert [token["tokenNo"] for token in called] == sorted(token["tokenNo"] for token in issued)
    assert core.counts.seen["line_fallbacks"] == 0
    await assert_all_is_well(core, name)


async def test_the_first_call_while_no_counter_is_open_asks_for_a_new_forecast(core: Core) -> None:
    """Otherwise, customers would be told for a second or more that no counter is open."""
    name = await core.department()
    known = {name: Forecast(0, 300.0, {})}
    asked: list[str] = []
    batch = Batch(core.ledger, core.line, core.counts, known.get, asked.append)
    await batch.commit([Request(Issue(name, DESK), "test"), Request(Issue(name, DESK), "test")])
    assert asked == []
    await batch.commit([Request(CallNext(name, ANN, "1"), "test")])
    assert asked == ["main"]
    known[name] = Forecast(1, 300.0, {})
    await batch.commit([Request(CallNext(name, ANN, "2"), "test")])
    assert asked == ["main"]


async def test_thirty_two_counters_at_once_call_thirty_two_people(core: Core) -> None:
    """No token goes to two counters, and none is skipped."""
    name = await core.department()
    await core.issue(name, 40)
    called = await asyncio.gather(*(core.call(name, f"c{n}") for n in range(32)))

    assert sorted(token["tokenNo"] for token in called) == list(range(1, 33))
    await assert_all_is_well(core, name)


async def test_two_processes_share_counters_and_numbers(core: Core, servers: Servers) -> None:
    """With a second API process on the same stores there is still one order."""
    name = await core.department()
    async with open_core(core.dsn, servers.redis_url) as other:
        await asyncio.gather(core.issue(name, 60), other.issue(name, 60))
        called = await asyncio.gather(*((core, other)[n % 2].call(name, f"c{n}") for n in range(20)))

    assert sorted(token["tokenNo"] for token in called) == list(range(1, 21))
    await assert_all_is_well(core, name)


async def test_a_counter_holds_one_person_across_departments(core: Core, servers: Servers) -> None:
    """Two departments, one counter, two processes: the database itself refuses the second."""
    first, second = await core.department(), await core.department()
    await core.issue(first)
    await core.issue(second)
    async with open_core(core.dsn, servers.redis_url) as other:
        answers = await asyncio.gather(core.call(first, "9"), other.call(second, "9"), return_exceptions=True)

    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [refusal.problem.code for refusal in refused] == [ProblemCode.COUNTER_BUSY]


async def test_the_same_key_is_one_token(core: Core) -> None:
    """A retry, or sixteen at once, cannot issue two numbers."""
    name = await core.department()
    command = Issue(name, DESK)
    answers = await asyncio.gather(*(core.do(command, "key-1", b"same") for _ in range(16)))
    again = await core.do(command, "key-1", b"same")

    assert all(answer == again for answer in answers)
    await assert_all_is_well(core, name)
    assert len(await core.rows("SELECT 1 FROM token WHERE department_id = %s", name)) == 1


async def test_the_same_key_for_something_else_is_refused(core: Core) -> None:
    """A reused key is the caller's mistake; returning the old token would hide it."""
    name = await core.department()
    await core.do(Issue(name, DESK), "key-1", b"one")

    with pytest.raises(Refused) as refused:
        await core.do(Issue(name, DESK), "key-1", b"other")

    assert refused.value.problem.code is ProblemCode.IDEMPOTENCY_MISMATCH


async def test_a_refusal_does_not_fail_its_neighbours(core: Core) -> None:
    """In one batch, one is refused and the others succeed."""
    name = await core.department()
    commands = [Issue(name, DESK, user_id=999_999 if n == 1 else None) for n in range(3)]
    answers = await asyncio.gather(*(core.do(command) for command in commands), return_exceptions=True)

    assert [isinstance(answer, Refused) for answer in answers] == [False, True, False]
    await assert_all_is_well(core, name)


async def test_a_bad_command_does_not_fail_its_neighbours(core: Core) -> None:
    """A batch that the database refuses is split."""
    name = await core.department()
    texts = ["fine", "bad\x00text", "fine too"]
    answers = await asyncio.gather(*(core.do(Issue(name, DESK, name=text)) for text in texts), return_exceptions=True)

    assert [isinstance(answer, Refused) for answer in answers] == [False, True, False]
    await assert_all_is_well(core, name)


async def test_wiping_redis_changes_no_result(core: Core, redis: Redis) -> None:
    """Redis can lose everything at any moment; it is rebuilt from Postgres."""
    name = await core.department()
    await core.issue(name, 10)
    for expected in range(1, 6):
        await redis.flushall()
        assert (await core.call(name, f"c{expected}"))["tokenNo"] == expected
    (token,) = await core.issue(name)

    assert token["tokenNo"] == 11
    assert core.counts.seen["line_rebuilds"] >= 5


async def test_a_foreign_entry_in_redis_hides_no_token(core: Core, redis: Redis) -> None:
    """With a foreign entry at the head and one missing, the first to come is still called."""
    name = await core.department()
    await core.issue(name, 3)
    (key,) = [key async for key in redis.scan_iter(f"tq:{{{name}}}:*:q")]
    await redis.zadd(key, {f"{99:019d}": 1})
    await redis.zremrangebyrank(key, 1, 1)
    assert (await core.call(name, "1"))["tokenNo"] == 1

    await redis.delete(key)
    assert (await core.call(name, "2"))["tokenNo"] == 2
    assert (await core.call(name, "3"))["tokenNo"] == 3


async def test_redis_behind_catches_up_from_the_log(core: Core, redis: Redis) -> None:
    """After a failover to an old copy, the log provides what is missing."""
    name = await core.department()
    await core.issue(name, 3)
    keys = [key async for key in redis.scan_iter(f"tq:{{{name}}}:*")]
    old = {key: await redis.dump(key) for key in keys}
    await core.call(name, "1")
    await core.issue(name, 2)
    for key, value in old.items():
        await redis.restore(key, 0, value, replace=True)

    assert (await core.call(name, "2"))["tokenNo"] == 2
    assert core.counts.seen["line_replays"] == 1


async def test_redis_down_only_costs_time(servers: Servers, fresh_database: Callable[..., str], schema: str) -> None:
    """Postgres provides the queue meanwhile, and Redis catches up afterwards."""
    line = MemoryLine()
    async with open_core(fresh_database(schema), servers.redis_url, line) as core:
        name = await core.department()
        await core.issue(name, 3)
        line.is_down = True
        assert (await core.call(name, "1"))["tokenNo"] == 1
        await core.issue(name)
        line.is_down = False

        assert [(await core.call(name, counter))["tokenNo"] for counter in "234"] == [2, 3, 4]
        await assert_all_is_well(core, name)


async def test_an_orderly_end_leaves_redis_in_step(
    servers: Servers, fresh_database: Callable[..., str], schema: str
) -> None:
    """Redis learns before the end what it missed; else an older database would give numbers a second time."""
    line = MemoryLine()
    async with open_core(fresh_database(schema), servers.redis_url, line) as core:
        name = await core.department()
        line.is_down = True
        await core.issue(name, 3)
        line.is_down = False

    assert (await line.state(name, date.today())).last_no == 3


async def test_an_end_without_redis_says_which_lines_are_behind(
    servers: Servers, fresh_database: Callable[..., str], schema: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Who restores an older backup later must be able to know that Redis did not see the last numbers."""
    line = MemoryLine()
    async with open_core(fresh_database(schema), servers.redis_url, line) as core:
        name = await core.department()
        line.is_down = True
        await core.issue(name)

    (warning,) = [record for record in caplog.records if "behind at the end" in record.message]
    assert vars(warning)["departments"] == [name]


async def test_redis_holds_exactly_the_waiting_tokens(core: Core, redis: Redis) -> None:
    """After any mix of verbs the queue in Redis is the queue in Postgres."""
    name = await core.department()
    await core.issue(name, 12)
    for counter in "123":
        await core.call(name, counter)
    await core.move(await core.call(name, "1"), Verb.REQUEUE, position=RequeuePosition.LAST)
    await core.move(await core.call(name, "2"), Verb.NO_SHOW)
    await core.serve(name, "3")
    (last,) = await core.issue(name)
    await core.move(last, Verb.CANCEL)

    (key,) = [key async for key in redis.scan_iter(f"tq:{{{name}}}:*:q")]
    held = [int(member) for member in await redis.zrange(key, 0, -1)]
    rows = await core.rows("SELECT token_id FROM token WHERE state = 'WAITING' ORDER BY place, token_id")
    assert held == [row["token_id"] for row in rows]
    await assert_all_is_well(core, name)


async def test_a_lost_connection_is_reported_and_the_next_command_works(core: Core) -> None:
    """Postgres closed the connection: unavailable, then reconnected."""
    name = await core.department()
    await core.issue(name)
    await core.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tokenq-ledger'")

    outcomes = await asyncio.gather(core.issue(name), return_exceptions=True)
    if isinstance(outcomes[0], Refused):
        assert outcomes[0].problem.code is ProblemCode.UNAVAILABLE
    await core.issue(name)
    await assert_all_is_well(core, name)


async def test_a_day_that_is_over_is_ended_by_the_next_command(core: Core) -> None:
    """Numbers restart, remaining tokens expire with an event, none of yesterday's is called."""
    name = await core.department()
    await core.issue(name, 3)
    await core.run("UPDATE dept_state SET day = day - 1 WHERE department_id = %s", name)
    await core.run("UPDATE token SET day = day - 1 WHERE department_id = %s", name)

    (token,) = await core.issue(name)

    assert token["tokenNo"] == 1
    assert (await core.call(name, "1"))["tokenId"] == token["tokenId"]
    rows = await core.rows("SELECT state, count(*) FROM token WHERE department_id = %s GROUP BY 1", name)
    assert {row["state"]: row["count"] for row in rows} == {"EXPIRED": 3, "CALLED": 1}


async def test_redis_counter_hands_out_the_numbers(core: Core) -> None:
    """Redis' number is issued as long as it equals what the locked row expects."""
    name = await core.department()
    tokens = [token for _ in range(3) for token in await core.issue(name, 5)]

    assert [token["tokenNo"] for token in sorted(tokens, key=lambda token: token["tokenId"])] == list(range(1, 16))
    assert core.counts.seen["number_fallbacks"] == 0


class LyingLine(MemoryLine):
    """Returns numbers that were already issued, or far higher ones."""

    def __init__(self, by: int) -> None:
        super().__init__()
        self._by = by

    async def ask(self, asks: Sequence[Ask]) -> list[LineAnswer]:
        return [replace(answer, first_no=answer.first_no + self._by) for answer in await super().ask(asks)]


@pytest.mark.parametrize("by", [-1, 7])
async def test_a_wrong_redis_counter_is_ignored(
    servers: Servers, fresh_database: Callable[..., str], schema: str, by: int
) -> None:
    """The locked row decides, and a counter records it."""
    async with open_core(fresh_database(schema), servers.redis_url, LyingLine(by)) as core:
        name = await core.department()
        numbers = [(await core.issue(name))[0]["tokenNo"] for _ in range(3)]

        assert numbers == [1, 2, 3]
        assert core.counts.seen["number_fallbacks"] == 3


async def test_overload_is_refused(core: Core) -> None:
    """Beyond the limit, requests get 'overloaded' with a time to retry; accepted ones succeed."""
    name = await core.department()
    answers = await asyncio.gather(
        *(core.do(Issue(name, DESK)) for _ in range(MAX_QUEUED + MAX_BATCH)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, Refused)]

    assert refused
    assert {refusal.problem.code for refusal in refused} == {ProblemCode.OVERLOADED}
    assert all(refusal.problem.extra["retryAfter"] for refusal in refused)
    (count,) = await core.rows("SELECT count(*) FROM token WHERE department_id = %s", name)
    assert count["count"] == len(answers) - len(refused)
    await assert_all_is_well(core, name)


async def test_closing_finishes_what_was_accepted(
    servers: Servers, fresh_database: Callable[..., str], schema: str
) -> None:
    """SIGTERM leaves no outcome unknown."""
    dsn = fresh_database(schema)
    async with open_core(dsn, servers.redis_url) as core:
        name = await core.department()
        work = [asyncio.create_task(core.do(Issue(name, DESK))) for _ in range(50)]
        await asyncio.sleep(0)
    tokens = await asyncio.gather(*work)

    assert sorted(token["tokenNo"] for token in tokens) == list(range(1, 51))


async def test_two_processes_that_need_each_other_s_counters_do_not_hang(core: Core, servers: Servers) -> None:
    """Two departments, the same counters in opposite order: the database resolves it, and all get a response."""
    first, second = await core.department(), await core.department()
    await asyncio.gather(core.issue(first, 20), core.issue(second, 20))
    desks = [f"d{n}" for n in range(20)]
    async with open_core(core.dsn, servers.redis_url) as other:
        calls = [core.call(first, desk) for desk in desks] + [other.call(second, desk) for desk in reversed(desks)]
        answers = await asyncio.gather(*calls, return_exceptions=True)

    codes = {answer.problem.code for answer in answers if isinstance(answer, Refused)}
    called = [answer for answer in answers if isinstance(answer, dict)]
    assert codes <= {ProblemCode.COUNTER_BUSY}
    assert sorted(token["counterId"] for token in called) == sorted(desks)
    await assert_all_is_well(core, first)
    await assert_all_is_well(core, second)


async def test_a_department_locked_by_someone_else_is_busy_not_broken(core: Core) -> None:
    """Another session locks the row: the response says when to retry."""
    name = await core.department()
    hold = "SELECT 1 FROM dept_state WHERE department_id = %s FOR UPDATE"
    async with await psycopg.AsyncConnection.connect(core.dsn) as intruder:
        await intruder.execute(hold, [name])
        with pytest.raises(Refused) as refused:
            await core.issue(name)

    assert refused.value.problem.code is ProblemCode.UNAVAILABLE
    assert (await core.issue(name))[0]["tokenNo"] == 1


async def test_no_token_is_issued_in_a_department_that_is_being_deleted(core: Core) -> None:
    """Issuing waits for the lock and then sees what was committed."""
    name = await core.department()
    database = Database(core.dsn, size=1)
    async with await psycopg.AsyncConnection.connect(core.dsn) as admin:
        await admin.execute("SELECT 1 FROM dept_state WHERE department_id = %s FOR UPDATE", [name])
        waiting = asyncio.create_task(core.issue(name))
        await asyncio.sleep(0.2)
        await admin.execute("UPDATE department SET is_archived = true WHERE department_id = %s", [name])
        await admin.commit()
    with pytest.raises(Refused) as refused:
        await waiting

    assert refused.value.problem.code is ProblemCode.UNKNOWN_DEPARTMENT
    assert await PostgresSetup(database).department(name) is None
    await database.close()


async def test_a_locked_department_does_not_block_the_others(core: Core) -> None:
    """A forgotten transaction affects only one department."""
    locked, free = await core.department(), await core.department()
    async with await psycopg.AsyncConnection.connect(core.dsn) as intruder:
        await intruder.execute("SELECT 1 FROM dept_state WHERE department_id = %s FOR UPDATE", [locked])
        by_profile = CallByProfile((free, locked), ANN, "1")
        answers = await asyncio.gather(
            core.issue(locked), core.issue(free), core.do(by_profile), return_exceptions=True
        )

    assert isinstance(answers[0], Refused)
    assert isinstance(answers[1], list)
    assert isinstance(answers[2], Refused)


async def test_a_department_with_live_tokens_stays_in_its_branch(core: Core) -> None:
    """Counters belong to a branch: moving would detach a token from its counter."""
    name = await core.department()
    await core.setup.put_branch(Branch("north", "North"))
    await core.issue(name)
    called = await core.call(name, "1")
    with pytest.raises(Refused) as refused:
        await core.setup.change_department(name, {"branch_id": "north"})
    assert refused.value.problem.code is ProblemCode.IN_USE

    await core.move(called, Verb.SERVE)
    assert (await core.setup.change_department(name, {"branch_id": "north"}))["branchId"] == "north"


async def test_two_admins_who_change_different_things_do_not_undo_each_other(core: Core) -> None:
    """Closing while another admin renames: closed and renamed."""
    name = await core.department()
    for _ in range(5):
        changes: list[dict[str, object]] = [{"is_open": False}, {"name": "New name"}, {"ratio": "3:1"}]
        await asyncio.gather(*(core.setup.change_department(name, change) for change in changes))
    view = await core.setup.department(name)

    assert (view["open"], view["name"], view["ratio"]) == (False, "New name", "3:1")


async def test_the_same_key_in_two_departments_at_once_is_a_mismatch_not_a_failure(
    core: Core, servers: Servers
) -> None:
    """Two processes, one key, two requests: one succeeds, the other is told why not."""
    first, second = await core.department(), await core.department()
    async with open_core(core.dsn, servers.redis_url) as other:
        for number in range(5):
            key = f"key-{number}"
            answers = await asyncio.gather(
                core.do(Issue(first, DESK), key, b"one"),
                other.do(Issue(second, DESK), key, b"other"),
                return_exceptions=True,
            )
            codes = [answer.problem.code for answer in answers if isinstance(answer, Refused)]
            assert codes == [ProblemCode.IDEMPOTENCY_MISMATCH]


async def test_of_departments_created_at_once_no_two_have_prefixes_that_look_alike(core: Core) -> None:
    mark = f"{department_id()[:5]}X"
    tries = (
        core.setup.create_department(f"{mark}{letter}", {"name": "Window", "prefix": prefix})
        for letter, prefix in zip("ABCD", [mark, f"{mark}2", mark, f"{mark}22"], strict=True)
    )
    done = await asyncio.gather(*tries, return_exceptions=True)
    refused = [each for each in done if isinstance(each, Refused)]
    assert len(refused) == 3, done
    assert {each.problem.code for each in refused} == {ProblemCode.EXISTS}


async def test_a_refused_group_says_which_item_was_refused(core: Core) -> None:
    """Whether it may not be asked for, or does not fit any more."""
    name = await core.department(daily_cap=3)
    await core.issue(name)
    for users, index in (((None, 7, 7), 2), ((None, None, None), 2)):
        group = IssueGroup(name, DESK, tuple(Issue(name, DESK, user_id=user) for user in users))
        with pytest.raises(Refused) as refused:
            await core.do(group)
        assert refused.value.problem.extra["index"] == index
    assert await core.rows("SELECT 1 FROM token OFFSET 1") == []
