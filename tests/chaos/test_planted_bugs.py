"""Bugs planted into the real classes, on real stores: the checker must name each; without it, nothing is red.

The table in the README beside this file says what was needed to make each of them do harm.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis.asyncio import Redis

from tests.chaos.checker import Report, check
from tests.chaos.history import History
from tests.chaos.mail_server import mail_server
from tests.chaos.office import Office, open_office
from tests.servers import Running, Servers, running_broker, running_postgres, until
from tokenq.contract.events import TOPIC
from tokenq.contract.words import Priority
from tokenq_server import failpoints
from tokenq_server.adapters.kafka.inbox import KafkaInbox
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.ledger import PostgresTransaction
from tokenq_server.adapters.postgres.mail import PostgresMailQueue
from tokenq_server.adapters.postgres.migrate import migrate
from tokenq_server.adapters.redis.waiting_line import RedisLine, keys, place_of
from tokenq_server.adapters.smtp import SmtpMailer
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.lifecycle import Verb
from tokenq_server.embedded.broker import Broker
from tokenq_server.embedded.postgres import Postgres
from tokenq_server.notify.intake import Intake, sort_out
from tokenq_server.notify.letters import Sender
from tokenq_server.notify.sending import Sending
from tokenq_server.relay import Relay
from tokenq_server.services import batch as batch_module
from tokenq_server.services.acting import Reply, Request
from tokenq_server.services.batch import Batch
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.mailing import RawRecord
from tokenq_server.services.ports import Ask, LineAnswer, Remembered, Transaction
from tokenq_server.services.publishing import Tail

both_ways = pytest.mark.parametrize("is_planted", [False, True], ids=["sound", "planted"])


@dataclass
class Stores:
    """The stores of one test and the history kept there."""

    dsn: str
    redis_url: str
    history: History

    def office(self, **broken: Any) -> AbstractAsyncContextManager[Office]:
        """An office, with broken parts where they are given."""
        return open_office(self.dsn, self.redis_url, self.history, **broken)

    async def check(self, **more: Any) -> Report:
        """The checker's report."""
        return await asyncio.to_thread(check, self.history.path, self.dsn, self.redis_url, **more)

    async def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look at or change the database from the outside."""
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            cursor = await connection.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []


@pytest.fixture
def stores(servers: Servers, fresh_database: Callable[..., str], schema: str, tmp_path: Path) -> Iterator[Stores]:
    with History(tmp_path / "history.jsonl") as history:
        yield Stores(fresh_database(schema), servers.redis_url, history)
    failpoints.arm("")


@pytest.fixture
def broker() -> Iterator[Running[Broker]]:
    """A broker of this test's own, since notify's place in the topic is known by its group."""
    with running_broker() as found:
        yield found


def assert_seen(report: Report, code: str, is_planted: bool) -> None:
    """Red with the bug, and nothing red without it."""
    if is_planted:
        assert code in report.red, report
    else:
        assert report.red == {}, report
        assert report.counts[code][0] > 0


# --- the waiting line ---------------------------------------------------------------------------------------------


class PoppingLine(RedisLine):
    """Takes the head out of the line before anything is committed, and believes what it holds."""

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
async def test_pop_before_commit(stores: Stores, is_planted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is taken out of the line by a call that is never committed is passed over."""
    if is_planted:
        monkeypatch.setattr(batch_module, "_are_enough", lambda heads, ask, floor: bool(heads))
    async with stores.office(line=PoppingLine if is_planted else RedisLine) as office:
        name = await office.department()
        for _ in range(3):
            await office.issue(name)
        failpoints.arm("call.before_commit=raise")
        await office.call(name, "1")
        failpoints.arm("")
        await office.call(name, "1")
    report = await stores.check()

    assert_seen(report, "S4", is_planted)
    assert ("R1" in report.red) is is_planted


class DeafBatch(Batch):
    """Sees that the line is behind, and leaves it there."""

    async def _catch_up(self, transaction: Transaction, ask: Ask, at: int) -> None:
        return


@both_ways
async def test_no_catch_up_on_gap(stores: Stores, is_planted: bool) -> None:
    """A line that missed one step never comes back into step."""
    async with stores.office(batch=DeafBatch if is_planted else Batch) as office:
        name = await office.department()
        await office.issue(name)
        failpoints.arm("issue.after_ack=raise")
        await office.issue(name)
        failpoints.arm("")
        await office.call(name, "1")
        await office.issue(name)

    assert_seen(await stores.check(), "R3", is_planted)


class BackwardsLine(RedisLine):
    """The first implementation's queue: pushed and popped at the same end."""

    async def ask(self, asks: Sequence[Ask]) -> list[LineAnswer]:
        answers = await super().ask(asks)
        for index, ask in enumerate(asks):
            if ask.heads and answers[index].heads:
                (line,) = keys(ask.department_id, ask.day, "q")
                last = await self._redis.zrange(line, -ask.heads, -1)
                answers[index] = replace(answers[index], heads=[int(one) for one in last])
        return answers


@both_ways
async def test_lifo(stores: Stores, is_planted: bool) -> None:
    """Whoever came last is called first."""
    async with stores.office(line=BackwardsLine if is_planted else RedisLine) as office:
        name = await office.department()
        for _ in range(3):
            await office.issue(name)
        await office.call(name, "1")

    assert_seen(await stores.check(), "S4", is_planted)


class CountingLine(RedisLine):
    """Numbers come from ``INCR`` alone; nobody tells the counter where the ledger stands."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.given: dict[str, int] = {}

    async def ask(self, asks: Sequence[Ask]) -> list[LineAnswer]:
        counted = [replace(ask, last_no=await self._counter(ask)) for ask in asks]
        answers = await super().ask(counted)
        for ask, answer in zip(asks, answers, strict=True):
            if ask.numbers:
                self.given[ask.department_id] = answer.first_no
        return answers

    async def _counter(self, ask: Ask) -> int:
        (counter,) = keys(ask.department_id, ask.day, "ctr")
        return int(await self._redis.get(counter) or 0)


class CountingBatch(Batch):
    """Gives out the numbers that Redis says."""

    async def _line_up(
        self, transaction: Transaction, requests: Sequence[Request], floors: dict[str, Floor], before: Any
    ) -> None:
        await super()._line_up(transaction, requests, floors, before)
        assert isinstance(self._line, CountingLine)
        for name, first in self._line.given.items():
            floors[name].standing = replace(floors[name].standing, last_no=first - 1)
        self._line.given.clear()


@both_ways
async def test_numbers_by_incr_alone_over_a_wiped_redis(stores: Stores, is_planted: bool) -> None:
    """The unique index would refuse every issue after the wipe; without it numbers are given twice."""
    broken: dict[str, Any] = {"line": CountingLine, "batch": CountingBatch} if is_planted else {}
    await stores.rows("ALTER TABLE token DROP CONSTRAINT token_number")
    async with stores.office(**broken) as office:
        name = await office.department()
        for _ in range(3):
            await office.issue(name)
        await wipe(stores.redis_url, name)
        for _ in range(2):
            await office.issue(name)
    report = await stores.check()

    assert_seen(report, "N1", is_planted)
    assert ("N3" in report.red) is is_planted


async def wipe(redis_url: str, department: str) -> None:
    """Everything that Redis holds of a department is gone."""
    redis: Redis = Redis.from_url(redis_url)
    async for key in redis.scan_iter(f"tq:{{{department}}}:*"):
        await redis.delete(key)
    await redis.aclose()


# --- the ledger ---------------------------------------------------------------------------------------------------


class GlobalSeqTransaction(PostgresTransaction):
    """Numbers log entries from one sequence for all departments."""

    async def commit(self, floors: Sequence[Floor], remembered: Sequence[Remembered], opened: Any = ()) -> None:
        for floor in floors:
            for index, record in enumerate(floor.records):
                cursor = await self._connection.execute("SELECT nextval('global_seq') AS seq")
                row = await cursor.fetchone()
                assert row is not None
                floor.records[index] = replace(record, seq=row["seq"])
            if floor.records:
                floor.standing = replace(floor.standing, last_seq=floor.records[-1].seq)
        await super().commit(floors, remembered, opened)


@both_ways
async def test_seq_from_a_global_sequence(stores: Stores, is_planted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A department's followers could not tell a hole from somebody else's entry."""
    await stores.rows("CREATE SEQUENCE global_seq START 100")
    if is_planted:
        monkeypatch.setattr("tokenq_server.adapters.postgres.ledger.PostgresTransaction", GlobalSeqTransaction)
    async with stores.office() as office:
        one, other = await office.department(), await office.department()
        for _ in range(2):
            await office.issue(one)
            await office.issue(other)

    assert_seen(await stores.check(), "L1", is_planted)


class ForgetfulCommit(GroupCommit):
    """The API forgets to pass on which claim the operator saw."""

    async def submit(self, request: Request) -> Reply:
        if hasattr(request.command, "claim_version"):
            request = replace(request, command=replace(request.command, claim_version=None))
        return await super().submit(request)


@both_ways
async def test_serve_without_claim_version(stores: Stores, is_planted: bool) -> None:
    """An old screen serves somebody whom another counter has called meanwhile."""
    async with stores.office(commit=ForgetfulCommit if is_planted else GroupCommit) as office:
        name = await office.department()
        await office.issue(name)
        seen = await office.call(name, "1")
        await office.move(seen, Verb.REQUEUE)
        await office.call(name, "2")
        await office.move(seen, Verb.SERVE)

    assert_seen(await stores.check(), "S6", is_planted)


class HastyTransaction(PostgresTransaction):
    """Answers as soon as it knows what will be written."""

    hasty: "HastyCommit"

    async def commit(self, floors: Sequence[Floor], remembered: Sequence[Remembered], opened: Any = ()) -> None:
        self.hasty.answer_already(remembered)
        failpoints.reach("issue.before_commit")
        await super().commit(floors, remembered, opened)


class HastyCommit(GroupCommit):
    """Lets go of the callers before the commit."""

    def answer_already(self, remembered: Sequence[Remembered]) -> None:
        for kept in remembered:
            self._early[kept.key].set_result(Reply(kept.status, kept.body))

    def start(self) -> None:
        self._early: dict[str, asyncio.Future[Reply]] = {}
        HastyTransaction.hasty = self
        super().start()

    async def submit(self, request: Request) -> Reply:
        early = self._early[request.key or ""] = asyncio.get_running_loop().create_future()
        late = asyncio.ensure_future(super().submit(request))
        await asyncio.wait({early, late}, return_when=asyncio.FIRST_COMPLETED)
        late.add_done_callback(lambda task: task.exception())
        return early.result() if early.done() else await late


@both_ways
async def test_ack_before_commit(stores: Stores, is_planted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number is printed, and then the commit fails."""
    if is_planted:
        monkeypatch.setattr("tokenq_server.adapters.postgres.ledger.PostgresTransaction", HastyTransaction)
        monkeypatch.setattr(batch_module, "reach", lambda step, requests: None)
    async with stores.office(commit=HastyCommit if is_planted else GroupCommit) as office:
        name = await office.department()
        await office.issue(name)
        failpoints.arm("issue.before_commit=raise")
        await office.issue(name)
        failpoints.arm("")
        await office.call(name, "1")  # lets Redis forget the number that was never given

    assert_seen(await stores.check(), "N5", is_planted)


class HomeClockFloor(Floor):
    """Takes the business day from the clock of its own machine, which is a day ahead."""

    def _today(self) -> date:
        here = datetime.now(UTC) + timedelta(days=1)
        return business_day(here, self.department.timezone, self.department.rollover_hour, self.standing.day)


@both_ways
async def test_day_from_the_clock_of_the_api(stores: Stores, is_planted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tomorrow's numbers are given today."""
    if is_planted:
        monkeypatch.setattr(batch_module, "Floor", HomeClockFloor)
    async with stores.office() as office:
        await office.issue(await office.department())

    assert_seen(await stores.check(), "N9", is_planted)


# --- the relay ----------------------------------------------------------------------------------------------------


class HopefulRelay(Relay):
    """Moves the cursor first, and publishes then."""

    async def _publish_some(self) -> bool:
        entries = await self._log.unpublished(500)
        if entries:
            cursors = await self._log.cursors()
            latest = {entry.department_id: replace(cursors[entry.department_id], seq=entry.seq) for entry in entries}
            await self._log.set_cursors(latest)
            failpoints.reach("relay.published")
            await self._topic.publish(entries)
        return bool(entries)


class ForgetfulTopic(KafkaTopic):
    """Does not look at what it holds already."""

    async def read_back(self, last_offsets: dict[int, int]) -> Tail:
        return Tail({}, set())


async def relay_until_caught_up(
    stores: Stores, broker: Running[Broker], relay: type[Relay] = Relay, topic: type[KafkaTopic] = KafkaTopic
) -> None:
    """Run a relay until it has caught up, or dies."""
    log = PostgresEventLog(stores.dsn, "tokenq-relay")
    running = relay(log, topic(broker.server.bootstrap, 3, embedded=True))
    task = asyncio.create_task(running.run())
    behind = "SELECT 1 FROM relay_cursor JOIN dept_state s USING (department_id) WHERE seq < last_seq"
    async with asyncio.timeout(30):
        while not task.done() and await stores.rows(behind):
            await asyncio.sleep(0.02)
    running.stop()
    with suppress(failpoints.InjectedFault):
        await task


@both_ways
@pytest.mark.parametrize("bug", ["cursor before flush", "no read-back"])
async def test_relay(stores: Stores, broker: Running[Broker], bug: str, is_planted: bool) -> None:
    """A relay dies between publishing and moving its cursor, in whichever order it does that."""
    is_hopeful = is_planted and bug == "cursor before flush"
    kinds: dict[str, Any] = {
        "relay": HopefulRelay if is_hopeful else Relay,
        "topic": ForgetfulTopic if is_planted and not is_hopeful else KafkaTopic,
    }
    async with stores.office() as office:
        name = await office.department()
        for _ in range(5):
            await office.issue(name)
        failpoints.arm("relay.published=raise")
        await relay_until_caught_up(stores, broker, **kinds)
        failpoints.arm("")
        await office.issue(name)
    await relay_until_caught_up(stores, broker, **kinds)
    report = await stores.check(kafka_bootstrap=broker.server.bootstrap, allowed_duplicates=0)

    assert_seen(report, "K1" if bug == "cursor before flush" else "K4", is_planted)


# --- notify -------------------------------------------------------------------------------------------------------


@dataclass
class Post:
    """Topic, queue and mail server of one test."""

    stores: Stores
    broker: Running[Broker]
    log: Path
    mail_url: str

    async def fill(self, office: Office, poison: bytes | None = None) -> None:
        """Two people with an address come, and the topic knows it; perhaps something unreadable lies there too."""
        name = await office.department()
        for _ in range(2):
            await office.issue(name, email="ada@example.com")
        await relay_until_caught_up(self.stores, self.broker)
        if poison is not None:
            topic = KafkaTopic(self.broker.server.bootstrap, 3, embedded=True)
            await topic.open()
            producer = topic._producer
            assert producer is not None
            producer.produce(TOPIC, poison, name.encode())
            producer.flush(10)
            await topic.close()

    async def notify(self, **broken: Any) -> None:
        """One notify process: it ends when it dies, or when it has read the whole topic and settled its letters."""
        database, stop = Database(self.stores.dsn, size=3), asyncio.Event()
        queue = broken.get("queue", PostgresMailQueue)(database)
        inbox = broken.get("inbox", KafkaInbox)(self.broker.server.bootstrap, 20)
        intake = broken.get("intake", Intake)(inbox, queue, stop)
        taking = asyncio.create_task(intake.run())
        sending = asyncio.create_task(
            Sending(queue, SmtpMailer(self.mail_url), Sender("queue@office.example"), stop).run()
        )
        async with asyncio.timeout(40):
            while not taking.done() and not await self._is_settled():
                await asyncio.sleep(0.05)
        stop.set()
        with suppress(failpoints.InjectedFault):
            await taking
        await sending
        await inbox.close()
        await database.close()

    async def _is_settled(self) -> bool:
        reader = KafkaReader(self.broker.server.bootstrap)
        # Its place in the topic first: what it has passed by then has its rows by now.
        if await reader.taken() != await reader.ends():
            return False
        return not await self.stores.rows("SELECT 1 FROM mail_job WHERE state IN ('due', 'sending')")

    async def check(self) -> Report:
        """The checker's report."""
        return await self.stores.check(kafka_bootstrap=self.broker.server.bootstrap, smtp_log=self.log)


@pytest.fixture
async def post(stores: Stores, broker: Running[Broker], tmp_path: Path) -> AsyncIterator[Post]:
    log = tmp_path / "smtp.jsonl"
    with mail_server(log) as url:
        yield Post(stores, broker, log, url)


class AutoCommittingInbox(KafkaInbox):
    """Commits what it takes when it takes it, as consumers do by themselves."""

    async def take(self, limit: int, seconds: float) -> list[RawRecord]:
        records = await super().take(limit, seconds)
        if records:
            await self.commit(records)
        return records


@both_ways
async def test_consumer_auto_commit(post: Post, is_planted: bool) -> None:
    """Notify dies with records in hand; nobody ever gets them again."""
    async with post.stores.office() as office:
        await post.fill(office)
    broken: dict[str, Any] = {"inbox": AutoCommittingInbox} if is_planted else {}
    failpoints.arm("notify.taken=raise")
    await post.notify(**broken)
    failpoints.arm("")
    await post.notify(**broken)

    assert_seen(await post.check(), "M1", is_planted)


class LateBuryingIntake(Intake):
    """Buries what it cannot read after it has committed the offsets."""

    async def _keep(self, records: list[RawRecord]) -> None:
        jobs, bad = sort_out(records)
        await self._queue.take_in(jobs, [])
        await self._inbox.commit(records)
        failpoints.reach("notify.rows_kept")
        await self._queue.take_in([], bad)


@both_ways
async def test_dead_letter_after_offset_commit(post: Post, is_planted: bool) -> None:
    """Notify dies between the two; what could not be read is nowhere."""
    async with post.stores.office() as office:
        await post.fill(office, b"\xff{not json")
    broken: dict[str, Any] = {"intake": LateBuryingIntake} if is_planted else {}
    failpoints.arm("notify.rows_kept=raise")
    await post.notify(**broken)
    failpoints.arm("")
    await post.notify(**broken)

    assert_seen(await post.check(), "M4", is_planted)


class ForgetfulQueue(PostgresMailQueue):
    """Knows what it has taken in only as long as it lives."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._seen: set[tuple[str, int, str]] = set()

    async def take_in(self, jobs: Any, bad: Any) -> int:
        fresh = [job for job in jobs if (job.department_id, job.seq, job.kind) not in self._seen]
        self._seen |= {(job.department_id, job.seq, job.kind) for job in fresh}
        return await super().take_in(fresh, bad) + len(jobs) - len(fresh)


@both_ways
async def test_deduplication_in_memory_only(post: Post, is_planted: bool) -> None:
    """Notify dies after the rows and before the offsets; the next one makes the letters again."""
    async with post.stores.office() as office:
        await post.fill(office)
    if is_planted:
        # The primary key is what keeps letters single; the bug does harm only where nobody thought of one.
        await post.stores.rows("ALTER TABLE mail_job DROP CONSTRAINT mail_job_pkey CASCADE")
    broken: dict[str, Any] = {"queue": ForgetfulQueue} if is_planted else {}
    failpoints.arm("notify.rows_kept=raise")
    await post.notify(**broken)
    failpoints.arm("")
    await post.notify(**broken)

    assert_seen(await post.check(), "M2", is_planted)


# --- power loss ---------------------------------------------------------------------------------------------------


@both_ways
async def test_synchronous_commit_off(tmp_path: Path, servers: Servers, is_planted: bool) -> None:
    """What was acknowledged sits in memory when every process of PostgreSQL is killed."""
    with running_postgres(f"synchronous_commit={'off' if is_planted else 'on'}", "wal_writer_delay=10s") as postgres:
        migrate(postgres.server.url)
        with History(tmp_path / "history.jsonl") as history:
            stores = Stores(postgres.server.url, servers.redis_url, history)
            async with stores.office() as office:
                name = await office.department()
                await stores.rows("SET synchronous_commit = on; CREATE TABLE flushed ()")
                for _ in range(5):
                    await office.issue(name)
                kill_all(postgres)
                postgres.start()
                await office.issue(name)
                await office.issue(name)
            report = await stores.check()

    assert_seen(report, "N5", is_planted)


def kill_all(postgres: Running[Postgres]) -> None:
    """kill -9 for the postmaster and, in the same moment, for everything it has started: nothing gets to flush."""
    assert postgres.process is not None
    family = [postgres.process.pid, *children_of(postgres.process.pid)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    postgres.process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), lambda: f"{family} live on")


def children_of(parent: int) -> list[int]:
    """The processes that a process has started."""
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
