"""Postgres restored from an older back-up, while the topic and Redis know more: refused, and mended by a rewind."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from redis.asyncio import Redis

from tests.servers import Servers, until
from tests.stack import start, up_folder
from tests.without_http import Core, assert_all_is_well, open_core
from tokenq.contract.events import TOPIC, Event, decode
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server import behind, doctor, rewind
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.adapters.postgres.books import PostgresBooks
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.mail import PostgresMailQueue
from tokenq_server.adapters.redis.line_copies import RedisLineCopies
from tokenq_server.api.app import create_app
from tokenq_server.domain.commands import Issue, Tidy, TransferToken
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.embedded import down
from tokenq_server.notify.intake import sort_out
from tokenq_server.rebuild import rebuild
from tokenq_server.relay import Relay
from tokenq_server.services.mailing import RawRecord
from tokenq_server.services.requests import Request
from tokenq_server.services.setup_views import Branch
from tokenq_server.services.verifying import Verifying
from tokenq_server.settings import ServerSettings
from tokenq_tui.board.state import Fold


@dataclass
class Place:
    """A database that is backed up, goes on, and is put back."""

    servers: Servers
    dsn: str
    fresh: Callable[..., str]
    backup: str = ""

    @property
    def settings(self) -> ServerSettings:
        """Of all programs here."""
        return ServerSettings(
            database_url=self.dsn, redis_url=self.servers.redis_url, kafka_bootstrap=self.servers.kafka_bootstrap
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same for a program."""
        return {
            "TOKENQ_DATABASE_URL": self.dsn,
            "TOKENQ_REDIS_URL": self.servers.redis_url,
            "TOKENQ_KAFKA_BOOTSTRAP": self.servers.kafka_bootstrap,
        }

    def back_up(self) -> None:
        """As pg_dump would; nobody may be connected."""
        self._leave()
        self.backup = self.fresh(self.dsn)

    def restore(self) -> None:
        """As pg_restore would."""
        self._leave()
        name, old = (urlsplit(url).path.lstrip("/") for url in (self.dsn, self.backup))
        self.servers.drop_database(self.dsn)
        self.servers.psql(f"CREATE DATABASE {name} OWNER tokenq TEMPLATE {old} STRATEGY FILE_COPY")

    def _leave(self) -> None:
        name = urlsplit(self.dsn).path.lstrip("/")
        self.servers.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    @asynccontextmanager
    async def core(self) -> AsyncIterator[Core]:
        """Somebody at work on it."""
        async with open_core(self.dsn, self.servers.redis_url) as opened:
            yield opened

    def relay(self) -> Relay:
        """A relay that does not run yet."""
        topic = KafkaTopic(self.servers.kafka_bootstrap, 3, embedded=self.servers.has_embedded_broker)
        return Relay(PostgresEventLog(self.dsn, "tokenq-relay"), topic)

    async def publish(self) -> None:
        """Let a relay run until everything is on the topic."""
        relay, log = self.relay(), PostgresEventLog(self.dsn, "tokenq-test")
        running = asyncio.create_task(relay.run())
        async with asyncio.timeout(30):
            while not running.done() and await log.unpublished(1):
                await asyncio.sleep(0.02)
        relay.stop()
        await asyncio.gather(running, log.close())

    def topic(self, department: str) -> list[tuple[Event, bytes]]:
        """What every reader sees of a department: each seq once, in order."""
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


@pytest.fixture
def place(servers: Servers, fresh_database: Callable[..., str], schema: str) -> Place:
    return Place(servers, fresh_database(schema), fresh_database)


async def a_lost_hour(place: Place) -> str:
    """Five in line; after the back-up two are served, one is called, one cancels and four more come. All published."""
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


async def refused(work: Any) -> Refused:
    """The refusal that a program ends with."""
    with pytest.raises(Refused) as caught:
        async with asyncio.timeout(30):
            await work
    assert caught.value.problem.code is ProblemCode.LOG_BEHIND
    assert "tokenq server rewind" in caught.value.problem.hint
    return caught.value


async def test_nothing_starts_on_a_database_that_has_forgotten(place: Place) -> None:
    """API, relay, notify and rebuild say which department, how far, and what to do; exit code 1 and no traceback."""
    name = await a_lost_hour(place)
    place.restore()
    assert [one for one in await doctor._log(place.settings) if not one.ok]

    refusal = await refused(rewind.guard(place.settings))
    assert f"{name} its log ends at 6, the topic knows 16" in refusal.problem.detail
    await refused(place.relay().run())
    environment = os.environ | place.environment | {"TOKENQ_ENV": "development"}
    started = [
        subprocess.Popen([sys.executable, "-m", "tokenq_server", program], env=environment, stderr=subprocess.PIPE)
        for program in ("api", "relay", "notify", "rebuild")
    ]
    for process in started:
        said = process.communicate(timeout=60)[1].decode()
        assert process.returncode == 1, said
        assert "tokenq server rewind" in said
        assert "Traceback" not in said


async def test_the_command_shows_what_is_missing_and_mends_it(place: Place) -> None:
    """A table for people, one document for scripts; and nothing to do the second time."""
    name = await a_lost_hour(place)
    place.restore()
    environment = os.environ | place.environment
    command = [sys.executable, "-m", "tokenq", "server", "rewind", "--yes"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    again = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, timeout=60)

    assert done.returncode == again.returncode == 0, done.stderr + again.stderr
    assert [name, "6", "16", "16", "10", "events"] in [line.split() for line in done.stdout.splitlines()]
    assert f"Waiting again: {name}-007, {name}-008, {name}-009" in done.stdout
    assert json.loads(again.stdout) == {"departments": [], "linesRebuilt": True}


async def test_the_command_does_nothing_that_nobody_agreed_to(place: Place) -> None:
    """Without a terminal there is nobody to ask: a script says --yes, and an answer on stdin is none."""
    await a_lost_hour(place)
    place.restore()
    command = [sys.executable, "-m", "tokenq", "server", "rewind"]
    environment = os.environ | place.environment
    done = subprocess.run(command, env=environment, input="n\n", capture_output=True, text=True, timeout=60)

    assert done.returncode == 2, done.stderr
    assert "--yes" in done.stderr
    await refused(rewind.guard(place.settings))


async def test_the_command_disturbs_nobody_when_nothing_is_missing(place: Place) -> None:
    """It looks first: a relay at work is in nobody's way then."""
    async with place.core() as core:
        await core.issue(await core.department(), 2)
    relay = place.relay()
    running = asyncio.create_task(relay.run())
    log = PostgresEventLog(place.dsn, "tokenq-test")
    async with asyncio.timeout(30):
        while not running.done() and await log.unpublished(1):
            await asyncio.sleep(0.02)
    command = [sys.executable, "-m", "tokenq", "server", "rewind"]
    environment = os.environ | place.environment
    done = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60)
    assert not running.done()
    relay.stop()
    await asyncio.gather(running, log.close())

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing is missing")


async def test_verify_gives_no_false_alarm_after_a_rewind_and_is_strict_again_the_day_after(place: Place) -> None:
    """What was told again is no move of the table; a new day begins with an empty line, and is replayed in full."""
    async with place.core() as core:
        await core.setup.put_branch(Branch("main", "Main", "Pacific/Pago_Pago", 0), "ann")
    name = await a_lost_hour(place)
    place.restore()
    await rewind.rewind(place.settings)
    async with place.core() as core:
        for number in range(4):
            await core.call(name, f"c{number}")
        await core.issue(name)
        await place.publish()
        tally = await verified(place)
        assert tally.violations == {}
        assert "rewound" in tally.unchecked["S4"]
        # More than a day further east: another business day, whatever time it is.
        await core.setup.put_branch(Branch("main", "Main", "Pacific/Kiritimati", 0), "ann", may_end_day=True)
        await core.issue(name, 3)
        await core.serve(name, "1")
        tally = await verified(place)
        assert tally.violations == {}
        assert (tally.checked["S4"], tally.checked["L2"]) == (1, 3)
        await core.run("UPDATE token SET claim_version = 7 WHERE number = 1 AND state = 'SERVED' AND calls = 1")
        assert set((await verified(place)).found) == {"L2"}


async def verified(place: Place) -> Tally:
    lines, topic = RedisLineCopies(place.servers.redis_url), KafkaReader(place.servers.kafka_bootstrap)
    tally = await Verifying(PostgresBooks(place.dsn), lines, topic).run()
    await lines.close()
    return tally


async def test_a_rewind_puts_everybody_back_and_readers_go_on(place: Place) -> None:
    """Who waited waits, who was served is not called again, no number or id is given twice, no event is skipped."""
    name = await a_lost_hour(place)
    before = place.topic(name)
    place.restore()
    done = await rewind.rewind(place.settings)

    assert [one["departmentId"] for one in done["departments"]] == [name]
    assert done["waitingAgain"] == [f"{name}-{number:03d}" for number in (7, 8, 9)]
    assert done["ended"] == [f"{name}-{number:03d}" for number in (1, 2, 6)]
    assert done["toldAgain"] == [f"{name}-003"]
    assert done["notRestored"] == []
    assert done["linesRebuilt"]
    await rewind.guard(place.settings)
    await place.publish()
    board = Fold()
    for event, _ in place.topic(name):
        board.apply(event)
    (shown,) = board.picture(place.topic(name)[-1][0].timestamp.astimezone()).departments
    assert (board.gaps, shown.waiting, shown.at_counters) == (0, 6, ())
    async with place.core() as core:
        await the_log_explains_itself(core, name)
        (token,) = await core.issue(name)
        assert token["tokenNo"] == 10
        assert token["tokenId"] > max(event.token_id for event, _ in before)
        assert [(await core.call(name, f"c{number}"))["tokenNo"] for number in (3, 4, 5, 7, 8, 9, 10)] == [
            3, 4, 5, 7, 8, 9, 10,
        ]  # fmt: skip
        assert core.counts.seen["line_fallbacks"] == core.counts.seen["line_rebuilds"] == 0
        await assert_all_is_well(core, name)
    await place.publish()
    after = place.topic(name)
    assert after[: len(before)] == before
    assert [event.event_type for event, _ in after[len(before) :]].count("LOG_REWOUND") == 1
    assert sum(event.event_type == "TOKEN_CALLED" for event, _ in after[len(before) :]) == 7


async def the_log_explains_itself(core: Core, name: str) -> None:
    """Gapless, and each entry that stands for a missing one names what stood there."""
    rows = await core.rows(
        "SELECT seq, payload FROM outbox WHERE event_type = 'LOG_REWOUND' AND department_id = %s ORDER BY seq", name
    )
    data = [json.loads(row["payload"])["data"] for row in rows]

    assert [row["seq"] for row in rows] == list(range(7, 18))
    assert [one["eventType"] for one in data[:5]] == [
        "TOKEN_CALLED", "TOKEN_SERVED", "TOKEN_CALLED", "TOKEN_SERVED", "TOKEN_CALLED",
    ]  # fmt: skip
    assert data[0]["displayNumber"] == f"{name}-001"
    assert data[-1] == {"from": 6, "to": 16}


async def test_no_letter_goes_out_twice(place: Place) -> None:
    """Notify reads the whole topic again; and what was due when the back-up was made waits for a person."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 3, email="early@example.org")
    await place.publish()
    await take_letters_in(place, name)
    place.back_up()
    async with place.core() as core:
        await core.issue(name, 2, email="late@example.org")
        await core.call(name, "1")
    await place.publish()
    place.restore()
    done = await rewind.rewind(place.settings)
    await place.publish()
    await take_letters_in(place, name)

    assert done["lettersHeld"] == 3
    async with place.core() as core:
        due = await core.rows("SELECT seq, kind FROM mail_job WHERE department_id = %s AND state = 'due'", name)
        held = await core.rows("SELECT reason FROM mail_dlq WHERE department_id = %s AND state = 'open'", name)
    assert due == []
    assert [row["reason"] for row in held] == ["restored"] * 3


async def take_letters_in(place: Place, name: str) -> None:
    """What notify's intake does with everything on the topic."""
    database = Database(place.dsn, size=1)
    records = [RawRecord(TOPIC, 0, offset, raw) for offset, (_, raw) in enumerate(place.topic(name))]
    jobs, bad = sort_out(records)
    await PostgresMailQueue(database).take_in(jobs, bad)
    await database.close()


async def test_redis_alone_knows_more(place: Place) -> None:
    """What no relay had published: the numbers are not given again; who they were, nobody knows."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 2)
    await place.publish()
    place.back_up()
    async with place.core() as core:
        lost = await core.issue(name, 3)
    place.restore()

    assert "Redis knows 6" in (await refused(rewind.guard(place.settings))).problem.detail
    # Under 'tokenq up' nobody needs to be asked: there the topic begins anew each time.
    await rewind.guard(place.settings.model_copy(update={"kafka_embedded": True}))
    async with place.core() as core:
        (token,) = await core.issue(name)
        assert token["tokenNo"] == 6
        assert token["tokenId"] > max(one["tokenId"] for one in lost)
        assert [(await core.call(name, counter))["tokenNo"] for counter in "123"] == [1, 2, 6]
    await place.publish()
    assert place.topic(name)[-1][0].event_type == "TOKEN_CALLED"


async def test_one_line_that_cannot_be_read_hides_no_other(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its shard is dead, or somebody has put something strange there; the others answer."""
    monkeypatch.setattr(behind, "_PATIENCE", 0.0)
    async with place.core() as core:
        name, other = await core.department(), await core.department()
        await core.issue(name, 1)
        await core.issue(other, 2)
        (row,) = await core.rows("SELECT day FROM dept_state WHERE department_id = %s", name)
    await stranger_in_line(place, name)
    told = await behind.lines(place.settings, {name: row["day"], other: row["day"]})

    assert {one: (state.at, state.last_no) for one, state in told.items()} == {other: (3, 2)}


async def test_a_rewind_needs_redis_for_what_redis_alone_has_seen(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It said that it knows more, and cannot say what: no number is given out on a guess."""
    monkeypatch.setattr(behind, "_PATIENCE", 0.0)
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 2)
    await place.publish()
    place.back_up()
    async with place.core() as core:
        await core.issue(name, 3)
    place.restore()
    await stranger_in_line(place, name)
    refusal = await refused_with(rewind.rewind(place.settings), ProblemCode.UNAVAILABLE)

    assert f"Redis cannot tell any more what it holds of {name}" in refusal.problem.detail
    await stranger_in_line(place, name, leaves=True)
    await rewind.rewind(place.settings)
    async with place.core() as core:
        assert (await core.issue(name))[0]["tokenNo"] == 6


async def stranger_in_line(place: Place, name: str, *, leaves: bool = False) -> None:
    """Somebody who is no token."""
    client: Redis = Redis.from_url(place.servers.redis_url, decode_responses=True)
    (key,) = [key async for key in client.scan_iter(f"tq:{{{name}}}:*:q")]
    done = await client.zrem(key, "stranger") if leaves else await client.zadd(key, {"stranger": 1})
    await client.aclose()
    assert done == 1


async def test_a_department_at_work_is_left_out_of_a_rebuild_and_named(place: Place) -> None:
    """Its row is held for longer than anybody waits: the others are filled, and nothing ends in a traceback."""
    async with place.core() as core:
        names = sorted([await core.department() for _ in range(3)])
        for name in names:
            await core.issue(name)
            await forgotten_by_redis(place, name)
    async with held(place, names[1]):
        refusal = await refused_with(rebuild(place.settings), ProblemCode.UNAVAILABLE)

        assert refusal.problem.detail.startswith(f"{names[1]} is at work")
    async with place.core() as core:
        (row,) = await core.rows("SELECT day FROM dept_state WHERE department_id = %s", names[0])
        assert [(await core.line.state(name, row["day"])).at for name in names] == [2, -1, 2]
    assert set(names) <= set(await rebuild(place.settings))


async def test_a_rewind_tells_what_it_did_though_a_line_cannot_be_filled(place: Place) -> None:
    """All is committed by then: who was put back must not get lost with a row that somebody holds."""
    async with place.core() as core:
        other = await core.department()
    name = await a_lost_hour(place)
    place.restore()
    async with held(place, other):
        done = await rewind.rewind(place.settings)

    assert done["waitingAgain"] == [f"{name}-{number:03d}" for number in (7, 8, 9)]
    assert not done["linesRebuilt"]


async def test_a_rewind_says_who_is_in_its_way(place: Place) -> None:
    """Somebody at work, which can be stopped, is something else than a database that takes no such row."""
    name = await a_lost_hour(place)
    place.restore()
    async with held(place, name):
        busy = await refused_with(rewind.rewind(place.settings), ProblemCode.UNAVAILABLE)
    async with place.core() as core:
        await core.run("ALTER TABLE token ADD CONSTRAINT no_more CHECK (number < 7)")
    refusal = await refused_with(rewind.rewind(place.settings), ProblemCode.INTERNAL)

    assert "is at work" in busy.problem.detail
    assert "no_more" in refusal.problem.detail
    assert "at work" not in refusal.problem.detail


@asynccontextmanager
async def held(place: Place, name: str) -> AsyncIterator[None]:
    """Somebody holds a department's row."""
    async with await psycopg.AsyncConnection.connect(place.dsn) as connection:
        await connection.execute("SELECT 1 FROM dept_state WHERE department_id = %s FOR UPDATE", [name])
        yield


async def test_a_log_that_went_on_after_the_restore_is_noticed_and_mended(place: Place) -> None:
    """Kafka was away and Redis empty when the API started: the log is longer by now, but tells something else."""
    name = await a_lost_hour(place)
    place.restore()
    await forgotten_by_redis(place, name)
    async with place.core() as core:
        await core.issue(name, 20)
        await core.call(name, "9")
    await refused(place.relay().run())
    before = place.topic(name)
    done = await rewind.rewind(place.settings)

    assert done["departments"][0]["isForked"]
    assert f"{name}-007" in done["notRestored"]  # somebody else holds that number by now
    await place.publish()
    after = place.topic(name)
    assert after[: len(before)] == before
    board = Fold()
    for event, _ in after:
        board.apply(event)
    async with place.core() as core:
        rows = await core.rows("SELECT token_id FROM token WHERE department_id = %s AND state = 'WAITING'", name)
        assert board._departments[name].waiting == {row["token_id"] for row in rows}
        assert set(board._departments[name].at_counters) == {before[1][0].token_id}


async def test_an_id_that_another_department_gave_again_is_told_of(place: Place) -> None:
    """Kafka was away and Redis empty: the next one came elsewhere, where nothing is missing, and took the id."""
    async with place.core() as core:
        name, other = await core.department(), await core.department()
    place.back_up()
    async with place.core() as core:
        (lost,) = await core.issue(name)
    await place.publish()
    place.restore()
    await forgotten_by_redis(place, name)
    async with place.core() as core:
        (given,) = await core.issue(other)
    assert given["tokenId"] == lost["tokenId"]
    done = await rewind.rewind(place.settings)
    await place.publish()
    board = Fold()
    for department in (name, other):
        for event, _ in place.topic(department):
            board.apply(event)

    assert [one["departmentId"] for one in done["departments"]] == [name]
    assert done["notRestored"] == [f"{name}-001"]
    assert board._departments[name].waiting == set()
    assert board._departments[other].waiting == {given["tokenId"]}


async def test_a_console_of_the_lost_hour_serves_nobody_who_was_called_since(place: Place) -> None:
    """It still shows whom it had called, and the same one is called to another counter."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name)
    await place.publish()
    place.back_up()
    async with place.core() as core:
        shown = await core.call(name, "1")
    await place.publish()
    place.restore()
    await rewind.rewind(place.settings)
    async with place.core() as core:
        called = await core.call(name, "2")
        assert called["tokenId"] == shown["tokenId"]
        await refused_with(core.move(shown, Verb.SERVE), ProblemCode.STALE_CLAIM)
        assert (await core.move(called, Verb.SERVE))["state"] == "SERVED"


async def forgotten_by_redis(place: Place, name: str) -> None:
    """Redis came back empty."""
    client: Redis = Redis.from_url(place.servers.redis_url)
    assert await client.delete(*[key async for key in client.scan_iter(f"tq:{{{name}}}:*")])
    await client.aclose()


async def test_a_database_restored_under_a_running_api_gives_no_number_again(place: Place) -> None:
    """Redis knows more than the log that is locked: that department is refused, the others go on."""
    async with place.core() as core:
        name, other = await core.department(), await core.department()
        await core.issue(name, 2)
        await core.issue(other, 1)
    await place.publish()
    place.back_up()
    async with place.core() as core:
        await core.issue(name, 3)
    place.restore()
    async with place.core() as core:
        works = [Issue(name, "desk"), Issue(other, "desk"), TransferToken(other, "ann", 1, name), Tidy(name)]
        answers = await asyncio.gather(*(core.do(work) for work in works), return_exceptions=True)
        codes = [one.problem.code if isinstance(one, Refused) else one for one in answers]

        assert [codes[0], codes[2], codes[3]] == [ProblemCode.LOG_BEHIND] * 3
        assert isinstance(answers[1], dict)
        assert answers[1]["tokenNo"] == 2
        assert "Redis knows 6" in str(answers[0].problem.detail if isinstance(answers[0], Refused) else "")
    await rewind.rewind(place.settings)
    async with place.core() as core:
        assert (await core.issue(name))[0]["tokenNo"] == 6


async def test_a_database_that_recovers_late_is_looked_at_before_anything_is_committed(place: Place) -> None:
    """It was away when the API started, and Redis is empty: only the topic can tell, and it is asked first."""
    name = await a_lost_hour(place)
    place.restore()
    await forgotten_by_redis(place, name)
    with gone(place):
        guard = await rewind.guard(place.settings)
        assert guard is not None
    app = create_app(place.settings, guard)
    async with app.router.lifespan_context(app):
        submit = app.state.services.commit.submit
        with gone(place):
            await refused_with(submit(Request(Issue(name, "desk"))), ProblemCode.UNAVAILABLE)
        refusal = await refused_with(submit(Request(Issue(name, "desk"))), ProblemCode.LOG_BEHIND)
        assert "the topic knows 16" in refusal.problem.detail
        await rewind.rewind(place.settings)
        assert (await submit(Request(Issue(name, "desk")))).token["tokenNo"] == 10
    assert await rewind.guard(place.settings) is None


async def test_a_database_that_recovers_late_is_looked_at_before_a_letter_goes_out(
    place: Place, tmp_path: Path
) -> None:
    """Notify waits until the database can tell, and then ends as it does when it could tell at once."""
    await a_lost_hour(place)
    place.restore()
    environment = os.environ | place.environment | {"TOKENQ_ENV": "development", "TOKENQ_MAIL_OUTBOX": str(tmp_path)}
    with (tmp_path / "log").open("w") as log:
        with gone(place):
            command = [sys.executable, "-m", "tokenq_server", "notify"]
            process = subprocess.Popen(command, env=environment, stderr=log)
            await asyncio.to_thread(until, lambda: "letters wait" in (tmp_path / "log").read_text())
        await asyncio.to_thread(process.wait, 60)

    assert process.returncode == 1
    assert "tokenq server rewind" in (tmp_path / "log").read_text()
    assert list(tmp_path.glob("*.eml")) == []


@contextmanager
def gone(place: Place) -> Iterator[None]:
    """The database cannot be reached."""
    name = urlsplit(place.dsn).path.lstrip("/")
    place._leave()
    place.servers.psql(f"ALTER DATABASE {name} RENAME TO {name}_gone")
    yield
    place.servers.psql(f"ALTER DATABASE {name}_gone RENAME TO {name}")


async def test_yesterday_s_back_up_does_not_give_today_s_numbers_again(place: Place) -> None:
    """The day has turned since: who was left over expires, and today goes on behind today's last number."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 3)
    await place.publish()
    async with place.core() as core:
        await core.run("UPDATE dept_state SET day = day - 1 WHERE department_id = %s", name)
        await core.run("UPDATE token SET day = day - 1 WHERE department_id = %s", name)
    place.back_up()
    async with place.core() as core:
        assert [one["tokenNo"] for one in await core.issue(name, 4)] == [1, 2, 3, 4]
    await place.publish()
    place.restore()
    done = await rewind.rewind(place.settings)

    assert done["waitingAgain"] == [f"{name}-{number:03d}" for number in (1, 2, 3, 4)]
    async with place.core() as core:
        assert (await core.issue(name))[0]["tokenNo"] == 5
        rows = await core.rows("SELECT state, count(*) FROM token WHERE department_id = %s GROUP BY 1", name)
    assert {row["state"]: row["count"] for row in rows} == {"EXPIRED": 3, "WAITING": 5}


async def test_a_redis_from_another_time_with_as_many_people_is_filled_anew(place: Place) -> None:
    """The same seq, the same counts, other members: nothing else could tell."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 3)
        (row,) = await core.rows("SELECT day FROM dept_state WHERE department_id = %s", name)
        state = await core.line.state(name, row["day"])
        assert await swapped(place, name) != state.token_ids
        await rewind.rewind(place.settings)
        await core.do(Tidy(name))
        assert [(await core.call(name, counter))["tokenNo"] for counter in "123"] == [1, 2, 3]
        assert core.counts.seen["line_fallbacks"] == 0


async def swapped(place: Place, name: str) -> list[int]:
    """Put a stranger in the place of the first one in line."""
    client: Redis = Redis.from_url(place.servers.redis_url, decode_responses=True)
    (key,) = [key async for key in client.scan_iter(f"tq:{{{name}}}:*:q")]
    ((_, score),) = await client.zrange(key, 0, 0, withscores=True)
    await client.zremrangebyrank(key, 0, 0)
    await client.zadd(key, {f"{999_999_999:019d}": score})
    members = [int(member) for member in await client.zrange(key, 0, -1)]
    await client.aclose()
    return members


async def test_a_transfer_that_was_forgotten_is_taken_back_for_readers(place: Place) -> None:
    """In both departments' logs: here again, and no longer there."""
    async with place.core() as core:
        here, there = await core.department(), await core.department()
        (token,) = await core.issue(here)
    await place.publish()
    place.back_up()
    async with place.core() as core:
        await core.do(TransferToken(here, "ann", token["tokenId"], there))
    await place.publish()
    place.restore()
    await rewind.rewind(place.settings)
    await place.publish()
    board = Fold()
    for name in (here, there):
        for event, _ in place.topic(name):
            board.apply(event)

    assert board._departments[here].waiting == {token["tokenId"]}
    assert board._departments[there].waiting == set()


async def test_stray_records_neither_stop_the_system_nor_lead_a_rewind_astray(place: Place) -> None:
    """Anybody who may write to the topic could forge a number: only what follows the log without a gap counts."""
    name = await a_lost_hour(place)
    forge(place, name, seq=2**62, tokenId=2**63 - 1)
    forge(place, name, seq=1_000_000, tokenId=2**62)
    await rewind.guard(place.settings)
    place.restore()

    assert "the topic knows 16 (partition" in (await refused(rewind.guard(place.settings))).problem.detail
    done = await rewind.rewind(place.settings)
    assert [(one["topicAt"], one["departmentId"]) for one in done["departments"]] == [(16, name)]
    await rewind.guard(place.settings)
    await place.publish()
    async with place.core() as core:
        assert (await core.issue(name))[0]["tokenId"] < 2**31
        (row,) = await core.rows("SELECT count(*) FROM outbox WHERE event_type = 'LOG_REWOUND'")
    assert row["count"] == 11


def forge(place: Place, name: str, **what: int) -> None:
    """Write a record as a stranger."""
    producer = Producer({"bootstrap.servers": place.servers.kafka_bootstrap, "partitioner": "murmur2_random"})
    producer.produce(TOPIC, json.dumps({"eventType": "X", "departmentId": name, **what}), key=name)
    assert producer.flush(20) == 0


async def test_a_gap_out_of_all_proportion_is_refused(place: Place) -> None:
    """Each missing seq becomes an entry; millions of them would mend nothing."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 2)
    await place.publish()
    client: Redis = Redis.from_url(place.servers.redis_url, decode_responses=True)
    keys = [key async for key in client.scan_iter(f"tq:{{{name}}}:*") if await client.type(key) == "hash"]
    assert [await client.hset(key, "seq", "4611686018427387904") for key in keys] == [0]
    await client.aclose()

    refusal = await refused_with(rewind.rewind(place.settings), ProblemCode.LOG_BEHIND)
    assert f"{name} lacks 4611686018427387901 events" in refusal.problem.detail


async def refused_with(work: Any, code: ProblemCode) -> Refused:
    """The refusal, which has this code."""
    with pytest.raises(Refused) as caught:
        await work
    assert caught.value.problem.code is code
    return caught.value


async def test_an_archived_department_is_mended_too(place: Place) -> None:
    """It was archived when the back-up was made, and brought back since: nobody else may be held up by it."""
    name = await a_lost_hour(place)
    place.restore()
    async with place.core() as core:
        await core.run("UPDATE department SET is_archived = true WHERE department_id = %s", name)
        other = await core.department()
    done = await rewind.rewind(place.settings)

    assert [one["departmentId"] for one in done["departments"]] == [name]
    await rewind.guard(place.settings)
    async with place.core() as core:
        (row,) = await core.rows(
            "SELECT s.last_seq, c.seq FROM dept_state s JOIN relay_cursor c USING (department_id) "
            "WHERE department_id = %s",
            name,
        )
        await core.issue(other)
    assert row["seq"] == 16 < row["last_seq"]
    await place.publish()
    assert place.topic(other)[-1][0].event_type == "TOKEN_GENERATED"


def test_under_up_an_older_postgres_gives_no_number_twice() -> None:
    """Only its folder was put back: Valkey beside it remembers the numbers, and nobody has to be asked."""
    with up_folder() as folder:
        stack = start(folder)
        stack.ask("PUT", "/api/v1/departments/CW", {"name": "Cash window"})
        numbers = [stack.ask("POST", "/api/v1/departments/CW/tokens", {})[1]["tokenNo"] for _ in range(2)]
        down(folder)
        shutil.copytree(folder / "postgres", folder / "old", symlinks=True)
        stack = start(folder)
        numbers += [stack.ask("POST", "/api/v1/departments/CW/tokens", {})[1]["tokenNo"] for _ in range(3)]
        down(folder)
        owner = (folder / "postgres").stat()
        shutil.rmtree(folder / "postgres")
        (folder / "old").rename(folder / "postgres")
        for place in [folder / "postgres", *(folder / "postgres").rglob("*")]:
            os.chown(place, owner.st_uid, owner.st_gid, follow_symlinks=False)
        stack = start(folder)
        numbers.append(stack.ask("POST", "/api/v1/departments/CW/tokens", {})[1]["tokenNo"])

        assert numbers == [1, 2, 3, 4, 5, 6]
        assert stack.ask("POST", "/api/v1/departments/CW/call", {"counterId": "1"})[1]["tokenNo"] == 1
