"""Bugs injected into the waiting line and the ledger, on real stores: the checker must name each.

The same scenario without the bug passes. The table in the README beside this file says what it takes for
each to do harm.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.chaos.mutants import Stores, assert_seen, both_ways
from tokenq.contract.enums import Priority
from tokenq.contract.verbs import Verb
from tokenq_server import failpoints
from tokenq_server.adapters.postgres.ledger import PostgresTransaction
from tokenq_server.adapters.redis.values import place_of
from tokenq_server.adapters.redis.waiting_line import RedisLine, keys
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.commands import Housekeep
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.services import batch as batch_module
from tokenq_server.services.batch import Batch
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.ports import Ask, IdempotencyRecord, LineAnswer, Transaction
from tokenq_server.services.requests import Answer, Request


class PoppingLine(RedisLine):
    """Removes the head before the commit, and trusts its own contents."""

    async def ask(self, asks: Sequence[Ask]) -> list[LineAnswer]:
        asks = [replace(ask, waiting=await self._held(ask)) for ask in asks]
        answers = await super().ask(asks)
        for ask, answer in zip(asks, answers, strict=True):
            if ask.heads and answer.heads:
                (line,) = keys(ask.department_id, ask.day, "q")
                await self._redis.zrem(line, f"{answer.heads[0]:019d}")
        return answers

    async def _held(self, ask: Ask) -> dict[Priority, int]:
        (line,) = keys(ask.department_id, ask.day, "q")
        classes = [place_of(int(score))[0] for _, score in await self._redis.zrange(line, 0, -1, withscores=True)]
        return {name: classes.count(name) for name in Priority}


@both_ways
async def test_pop_before_commit(stores: Stores, is_mutant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer removed by a call that is never committed is skipped."""
    if is_mutant:
        monkeypatch.setattr(batch_module, "_are_enough", lambda heads, ask, session: bool(heads))
    async with stores.office(line=PoppingLine if is_mutant else RedisLine) as office:
        name = await office.department()
        for _ in range(3):
            await office.issue(name)
        failpoints.arm("call.before_commit=raise")
        await office.call(name, "1")
        failpoints.arm("")
        await office.call(name, "1")
    report = await stores.check()

    assert_seen(report, "S4", is_mutant)
    assert ("R1" in report.red) is is_mutant


class DeafBatch(Batch):
    """Detects that Redis is behind, and does nothing."""

    async def _catch_up(self, transaction: Transaction, ask: Ask, at: int) -> None:
        return


@both_ways
async def test_no_catch_up_on_gap(stores: Stores, is_mutant: bool) -> None:
    """A queue that missed one step never catches up."""
    async with stores.office(batch=DeafBatch if is_mutant else Batch) as office:
        name = await office.department()
        await office.issue(name)
        failpoints.arm("issue.after_ack=raise")
        await office.issue(name)
        failpoints.arm("")
        await office.call(name, "1")
        await office.issue(name)

    assert_seen(await stores.check(), "R3", is_mutant)


class BackwardsLine(RedisLine):
    """The first implementation's queue: pushed and popped at the same end."""

    async def ask(self, asks: Sequence[Ask]) -> list[LineAnswer]:
        answers = await super().ask(asks)
        for index, ask in enumerate(asks):
            if ask.heads and answers[index].heads:
                (line,) = keys(ask.department_id, ask.day, "q")
                last = await self._redis.zrange(line, -ask.heads, -1)
                answers[index] = replace(answers[index], heads=[int(head) for head in last])
        return answers


@both_ways
async def test_lifo(stores: Stores, is_mutant: bool) -> None:
    """The last to come is called first."""
    async with stores.office(line=BackwardsLine if is_mutant else RedisLine) as office:
        name = await office.department()
        for _ in range(3):
            await office.issue(name)
        await office.call(name, "1")

    assert_seen(await stores.check(), "S4", is_mutant)


class CountingLine(RedisLine):
    """Numbers come from ``INCR`` alone; the counter never learns the ledger's value."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.given: dict[str, int] = {}

    async def ask(self, asks: Sequence[Ask]) -> list[LineAnswer]:
        counted = [replace(ask, last_no=await self._counter(ask)) for ask in asks]
        answers = await super().ask(counted)
        for ask, answer in zip(asks, answers, strict=True):
            if ask.numbers:
                self.given.setdefault(ask.department_id, answer.first_no)
        return answers

    async def _counter(self, ask: Ask) -> int:
        (counter,) = keys(ask.department_id, ask.day, "ctr")
        return int(await self._redis.get(counter) or 0)


class CountingBatch(Batch):
    """Issues whatever numbers Redis returns."""

    async def _load_heads(
        self, transaction: Transaction, requests: Sequence[Request], sessions: dict[str, DepartmentSession], before: Any
    ) -> Any:
        forgetful = await super()._load_heads(transaction, requests, sessions, before)
        assert isinstance(self._line, CountingLine)
        for name, first in self._line.given.items():
            sessions[name].head = replace(sessions[name].head, last_no=first - 1)
            sessions[name].accept_number(first)
        self._line.given.clear()
        return forgetful


@both_ways
async def test_numbers_by_incr_alone_over_a_wiped_redis(stores: Stores, is_mutant: bool) -> None:
    """The unique indexes would refuse every issue after the wipe; without them numbers are issued twice."""
    broken: dict[str, Any] = {"line": CountingLine, "batch": CountingBatch} if is_mutant else {}
    await stores.rows("ALTER TABLE token DROP CONSTRAINT token_number")
    await stores.rows("DROP INDEX token_live_number")
    async with stores.office(**broken) as office:
        name = await office.department()
        for _ in range(3):
            await office.issue(name)
        await wipe(stores.redis_url, name)
        for _ in range(2):
            await office.issue(name)
    report = await stores.check()

    assert_seen(report, "N1", is_mutant)
    assert ("N3" in report.red) is is_mutant


async def wipe(redis_url: str, department: str) -> None:
    """Delete everything in Redis about a department."""
    redis: Redis = Redis.from_url(redis_url)
    async for key in redis.scan_iter(f"tq:{{{department}}}:*"):
        await redis.delete(key)
    await redis.aclose()


class GlobalSeqTransaction(PostgresTransaction):
    """Numbers log entries from one sequence for all departments."""

    async def commit(
        self, sessions: Sequence[DepartmentSession], kept: Sequence[IdempotencyRecord], opened: Any = ()
    ) -> None:
        for session in sessions:
            for index, record in enumerate(session.records):
                cursor = await self._connection.execute("SELECT nextval('global_seq') AS seq")
                row = await cursor.fetchone()
                assert row is not None
                session.records[index] = replace(record, seq=row["seq"])
            if session.records:
                session.head = replace(session.head, last_seq=session.records[-1].seq)
        await super().commit(sessions, kept, opened)


@both_ways
async def test_seq_from_a_global_sequence(stores: Stores, is_mutant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A department's followers could not distinguish a gap from another department's entry."""
    await stores.rows("CREATE SEQUENCE global_seq START 100")
    if is_mutant:
        monkeypatch.setattr("tokenq_server.adapters.postgres.ledger.PostgresTransaction", GlobalSeqTransaction)
    async with stores.office() as office:
        name, other = await office.department(), await office.department()
        for _ in range(2):
            await office.issue(name)
            await office.issue(other)

    assert_seen(await stores.check(), "L1", is_mutant)


class ForgetfulCommit(GroupCommit):
    """The API forgets to pass on which claim the operator saw."""

    async def submit(self, request: Request) -> Answer:
        if hasattr(request.command, "claim_version"):
            request = replace(request, command=replace(request.command, claim_version=None))
        return await super().submit(request)


@both_ways
async def test_serve_without_claim_version(stores: Stores, is_mutant: bool) -> None:
    """An outdated screen serves a token that another counter has called meanwhile."""
    async with stores.office(commit=ForgetfulCommit if is_mutant else GroupCommit) as office:
        name = await office.department()
        await office.issue(name)
        seen = await office.call(name, "1")
        await office.move(seen, Verb.REQUEUE)
        await office.call(name, "2")
        await office.move(seen, Verb.SERVE)

    assert_seen(await stores.check(), "S6", is_mutant)


class HastyTransaction(PostgresTransaction):
    """Responds as soon as it knows what will be written."""

    hasty: "HastyCommit"

    async def commit(
        self, sessions: Sequence[DepartmentSession], kept: Sequence[IdempotencyRecord], opened: Any = ()
    ) -> None:
        self.hasty.answer_already(kept)
        failpoints.reach("issue.before_commit")
        await super().commit(sessions, kept, opened)


class HastyCommit(GroupCommit):
    """Responds to callers before the commit."""

    def answer_already(self, kept: Sequence[IdempotencyRecord]) -> None:
        for each in kept:
            self._early[each.key].set_result(each.answer)

    def start(self) -> None:
        self._early: dict[str, asyncio.Future[Answer]] = {}
        HastyTransaction.hasty = self
        super().start()

    async def submit(self, request: Request) -> Answer:
        early = self._early[request.key or ""] = asyncio.get_running_loop().create_future()
        late = asyncio.ensure_future(super().submit(request))
        await asyncio.wait({early, late}, return_when=asyncio.FIRST_COMPLETED)
        late.add_done_callback(lambda task: task.exception())
        return early.result() if early.done() else await late


@both_ways
async def test_ack_before_commit(stores: Stores, is_mutant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number is printed, and then the commit fails."""
    if is_mutant:
        monkeypatch.setattr("tokenq_server.adapters.postgres.ledger.PostgresTransaction", HastyTransaction)
        monkeypatch.setattr(batch_module, "reach", lambda step, requests: None)
    async with stores.office(commit=HastyCommit if is_mutant else GroupCommit) as office:
        name = await office.department()
        await office.issue(name)
        failpoints.arm("issue.before_commit=raise")
        await office.issue(name)
        failpoints.arm("")
        await office.commit.submit(Request(Housekeep(name)))  # as housekeeping does every few seconds

    assert_seen(await stores.check(), "N5", is_mutant)


class HomeClockFloor(DepartmentSession):
    """Uses the business day of its own machine's clock, which is a day ahead."""

    def _today(self) -> date:
        here = datetime.now(UTC) + timedelta(days=1)
        return business_day(here, self.department.timezone, self.department.rollover_hour, self.head.day)


@both_ways
async def test_day_from_the_clock_of_the_api(stores: Stores, is_mutant: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tomorrow's numbers are issued today."""
    if is_mutant:
        monkeypatch.setattr(batch_module, "DepartmentSession", HomeClockFloor)
    async with stores.office() as office:
        await office.issue(await office.department())

    assert_seen(await stores.check(), "N9", is_mutant)
