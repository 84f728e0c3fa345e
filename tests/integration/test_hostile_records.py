"""Hostile records on real stores: each is one dead letter, and the e-mails around them are sent."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Producer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from tests.fakes import BY_EMAIL
from tests.hostile_records import ODD, RECORDS, UNREADABLE
from tests.servers import Running, Servers, running_broker
from tests.waiting import until
from tests.without_http import Core
from tokenq.contract.events import MAX_EVENT_BYTES, TOPIC, BadEvent, decode, key
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.stream import Arrived, CaughtUp, Item, Skipped
from tokenq.stream.event_stream import EventStream
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.embedded.broker import Broker
from tokenq_server.notify import program
from tokenq_server.notify.enqueuer import Enqueuer
from tokenq_server.services.notifications import BadRecord, NewJob, RawRecord
from tokenq_server.services.publishing import Cursor

RUNS = max(int(os.environ.get("TOKENQ_RECORDS", "0")) // 100, 10)
"""Each run is a batch of twenty records, written to PostgreSQL."""
HOSTILE: list[bytes | None] = [*UNREADABLE.values(), *ODD.values()]


@pytest.fixture
def broker() -> Iterator[Running[Broker]]:
    """A broker with nothing in it."""
    with running_broker() as running:
        yield running


async def real_records(core: Core, count: int) -> list[bytes]:
    """The log of a department with that many customers who get an e-mail."""
    name = await core.department()
    await core.issue(name, count, email="ada@example.com")
    rows = await core.rows("SELECT payload FROM outbox WHERE token_id > 0 ORDER BY seq")
    return [row["payload"].encode() for row in rows]


class Once:
    """A consumer that returns these records in one batch."""

    def __init__(self, values: Sequence[bytes], stop: asyncio.Event, at: int) -> None:
        self._records = [RawRecord(TOPIC, 0, at + offset, value) for offset, value in enumerate(values)]
        self._stop = stop

    async def take(self, limit: int, seconds: float) -> list[RawRecord]:
        taken, self._records = self._records, []
        if not taken:
            self._stop.set()
        return taken

    async def commit(self, records: Sequence[RawRecord]) -> None:
        return

    async def copy(self, copies: Sequence[object]) -> None:
        return

    async def close(self) -> None:
        return


async def taken_in(core: Core, values: Sequence[bytes], at: int = 0) -> None:
    """Enqueue these records with notify, on the real queue."""
    database, stop = Database(core.dsn, size=2), asyncio.Event()
    await Enqueuer(Once(values, stop, at), PostgresNotificationQueue(database, most_records=1000), BY_EMAIL, stop).run()
    await database.close()


async def test_every_record_of_the_corpus_is_one_dead_letter_or_none(core: Core) -> None:
    """On PostgreSQL, which has its own rules for JSON; enqueued twice, as after a crash."""
    first, last = await real_records(core, 2)
    values = [first, *(record or b"" for record in HOSTILE), last]
    for _ in range(2):
        await taken_in(core, values)
    dead = await core.rows('SELECT "offset", raw, reason FROM mail_dlq ORDER BY "offset"')
    unreadable = [bytes(row["raw"]) for row in dead if row["reason"] == "unreadable"]

    assert unreadable == [(record or b"")[:MAX_EVENT_BYTES] for record in UNREADABLE.values()]
    assert all(bytes(row["raw"]) == values[row["offset"]][:MAX_EVENT_BYTES] for row in dead)
    assert [row["kind"] for row in await core.rows("SELECT kind FROM mail_job")] == ["issued"] * 2


@pytest.mark.timeout(3600)
async def test_random_records_between_real_ones_lose_no_e_mail(core: Core) -> None:
    """``TOKENQ_RECORDS=100000`` tries a thousand batches."""
    first, last = await real_records(core, 2)
    loop, place = asyncio.get_running_loop(), iter(range(0, 10**9, 100))

    @settings(max_examples=RUNS, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(RECORDS, min_size=20, max_size=20))
    def try_one(records: list[bytes]) -> None:
        work = taken_in(core, [first, *records, last], next(place))
        asyncio.run_coroutine_threadsafe(work, loop).result(60)

    await asyncio.to_thread(try_one)
    assert len(await core.rows("SELECT 1 FROM mail_job")) == 2


async def test_what_only_the_database_refuses_is_and_stays_a_dead_letter(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python reads it, Postgres does not: it delays no other record, and a retry of all skips it."""
    monkeypatch.setenv("TOKENQ_DATABASE_URL", core.dsn)
    first, last = await real_records(core, 2)
    strange = b'{"eventType":"TOKEN_SERVED","departmentId":"CW","tokenId":1,"unknown":"\\u0000"}'
    await taken_in(core, [first, strange, last])
    (dead,) = await core.rows("SELECT dlq_id, raw, error FROM mail_dlq")
    assert (bytes(dead["raw"]), len(await core.rows("SELECT 1 FROM mail_job"))) == (strange, 2)

    database = Database(core.dsn, size=1)
    await PostgresNotificationQueue(database, most_records=1000).enqueue(
        [], [BadRecord(RawRecord(TOPIC, 1, 5, first), "an older release")], BY_EMAIL
    )
    await database.close()
    ids = [row["dlq_id"] for row in await core.rows("SELECT dlq_id FROM mail_dlq ORDER BY dlq_id")]
    assert await program.retry(ids) == 1
    assert [row["dlq_id"] for row in await core.rows("SELECT dlq_id FROM mail_dlq WHERE state = 'open'")] == ids[:1]


async def test_records_that_are_only_counted_are_logged_at_each_further_digit(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    """Else who reads the log would take a flood of forged records for one."""
    database = Database(core.dsn, size=1)
    queue, offset = PostgresNotificationQueue(database, most_records=1000), 0
    with caplog.at_level("INFO", "tokenq_server.audit"):
        for count in (1, 4, 3, 4, 50, 60):
            forged = [
                NewJob("NONE", at, "issued", 1, RawRecord(TOPIC, 0, at, b"x")) for at in range(offset, offset + count)
            ]
            assert await queue.enqueue(forged, [], BY_EMAIL) == 0
            offset += count
    await database.close()
    logged = [vars(line) for line in caplog.records if line.name == "tokenq_server.audit"]
    assert [line["count"] for line in logged] == [1, 12, 122]


async def test_a_read_only_database_is_waited_for(core: Core, servers: Servers) -> None:
    """As during a replica's takeover: the records are not at fault."""
    (record,) = await real_records(core, 1)
    name = sql.Identifier(core.dsn.rpartition("/")[2])
    servers.psql(f"ALTER DATABASE {name.as_string()} SET default_transaction_read_only = on")
    database = Database(core.dsn, size=1)
    with pytest.raises(Refused) as refused:
        await PostgresNotificationQueue(database, most_records=1000).enqueue(
            [], [BadRecord(RawRecord(TOPIC, 0, 0, record), "no JSON")], BY_EMAIL
        )
    await database.close()

    assert refused.value.problem.code is ProblemCode.UNAVAILABLE
    assert "read-only" in refused.value.problem.hint


async def lay_out(broker: Running[Broker], values: Sequence[bytes | None]) -> None:
    """Publish these records on a new topic with one partition; a tombstone and an empty record have no key."""
    topic = KafkaTopic(KafkaAccess(broker.server.bootstrap), 1, embedded=True)
    await topic.open()
    await topic.close()
    producer = Producer(
        {"bootstrap.servers": broker.server.bootstrap, "batch.num.messages": 1, "message.max.bytes": 2_000_000}
    )
    for value in values:
        producer.produce(TOPIC, value, _key_of(value))
    assert producer.flush(30) == 0


def _key_of(value: bytes | None) -> bytes | None:
    try:
        return key(decode(value))
    except BadEvent:
        return b"CW" if value else None


async def test_notify_continues_between_hostile_records(
    core: Core, servers: Servers, broker: Running[Broker], tmp_path: Path
) -> None:
    """The real program, a real topic: it keeps running, later e-mails are written, each bad record is kept once."""
    first, *middle, last = await real_records(core, 4)
    values = [first, *HOSTILE[:30], *middle, *HOSTILE[30:], last]
    await lay_out(broker, values)
    environment = os.environ | {
        "TOKENQ_ENV": "development",
        "TOKENQ_DATABASE_URL": core.dsn,
        "TOKENQ_REDIS_URL": servers.redis_url,
        "TOKENQ_KAFKA_BOOTSTRAP": broker.server.bootstrap,
        "TOKENQ_KAFKA_EMBEDDED": "1",
        "TOKENQ_MAIL_OUTBOX": str(tmp_path / "mail"),
    }

    def dead() -> list[bytes]:
        with psycopg.connect(core.dsn, autocommit=True) as connection:
            rows = connection.execute("SELECT raw FROM mail_dlq WHERE reason = 'unreadable' AND copied ORDER BY 1")
            return [bytes(row[0]) for row in rows]

    expected = sorted((record or b"")[:MAX_EVENT_BYTES] for record in UNREADABLE.values())
    with (tmp_path / "notify.log").open("wb") as log:
        notify = subprocess.Popen([sys.executable, "-m", "tokenq_server", "notify"], env=environment, stderr=log)
    try:
        until(lambda: notify.poll() is not None or len(list((tmp_path / "mail").glob("*.eml"))) == 4, seconds=60)
        until(lambda: notify.poll() is not None or dead() == expected, seconds=60)
        assert notify.poll() is None, (tmp_path / "notify.log").read_text()[-3000:]
        notify.send_signal(signal.SIGTERM)
        assert notify.wait(20) == 0
    finally:
        notify.kill()
        notify.wait()
    assert len(await core.rows("SELECT 1 FROM mail_job WHERE state = 'sent'")) == 4


async def test_every_reader_of_the_topic_reaches_its_end(core: Core, broker: Running[Broker]) -> None:
    """Verify, the relay's read-back, a rewind and a board, on a topic with the corpus."""
    first, last = await real_records(core, 2)
    await lay_out(broker, [first, *HOSTILE, last])

    verify = KafkaReader(KafkaAccess(broker.server.bootstrap))
    await verify.find_ends()
    read = [record async for piece in verify.records() for record in piece]
    assert len(read) == len(HOSTILE) + 2
    assert len([record for record in read if record.department_id is None]) == len(UNREADABLE)

    topic = KafkaTopic(KafkaAccess(broker.server.bootstrap), 1, embedded=True)
    assert (await topic.read_back({"CW": Cursor(16)})).found["CW"] == 17
    assert [event.seq for event in await topic.events_after({"CW": Cursor(16)}, ["CW"])] == [17]
    await topic.close()

    stream = EventStream(KafkaAccess(broker.server.bootstrap))
    items: list[Item | None] = []

    def is_read() -> bool:
        items.append(stream.read(0.05))
        return isinstance(items[-1], CaughtUp)

    until(is_read, seconds=30)
    stream.close()
    assert [type(item) for item in items].count(Skipped) == len(UNREADABLE)
    assert [type(item) for item in items].count(Arrived) == len(ODD) + 2
