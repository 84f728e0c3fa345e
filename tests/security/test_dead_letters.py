"""Dead letters are bounded in size and number: whoever can write to the topic can make any number of them."""

import re

import httpx
from confluent_kafka import Producer

from tests.fakes import BY_EMAIL
from tests.hostile_records import written
from tests.stack import Stack
from tests.waiting import until
from tests.without_http import Core
from tokenq.contract.events import MAX_EVENT_BYTES, TOPIC
from tokenq_server.adapters.postgres import probe
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.adapters.postgres.watching import PostgresWatching
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.services.notifications import RawRecord

MOST = 21


async def counted(core: Core) -> tuple[int, int]:
    """How many dead letters are open, and how many were not kept."""
    database = Database(core.dsn, size=1)
    figures = await PostgresWatching(database).figures()
    await database.close()
    return figures.dead_letters, figures.dead_letters_not_kept


async def taken_in(core: Core, records: list[RawRecord]) -> list[tuple[int, int]]:
    """Partition and offset of what is kept, oldest first, after notify has read these in batches of seven."""
    database = Database(core.dsn, size=1)
    queue = PostgresNotificationQueue(database, MOST)
    for at in range(0, len(records), 7):
        await queue.enqueue(*sort_out(records[at : at + 7]), BY_EMAIL)
    kept = [(letter.partition or 0, letter.offset or 0) for letter in await queue.dead_letters()]
    await database.close()
    return kept


async def test_the_newest_are_kept_and_the_others_counted(core: Core) -> None:
    """Unreadable ones as well as forged events of which the log knows nothing (row 61)."""
    lies = [b"\xff", written(seq=2**63 - 1), b"{", written(seq=0)]
    records = [RawRecord(TOPIC, number % 3, number // 3, lies[number % 4]) for number in range(98)]
    kept = await taken_in(core, records)
    assert sorted(kept) == sorted((record.partition, record.offset) for record in records[-MOST:])
    assert await counted(core) == (MOST, 77)
    findings = {finding.name: finding for finding in await probe.probe(core.dsn)}
    assert findings["dead letters"].detail == "21 open; 77 older ones were not kept"
    assert await core.rows("SELECT 1 FROM mail_job") == []


async def test_a_few_are_no_finding(core: Core) -> None:
    await taken_in(core, [RawRecord(TOPIC, 0, number, b"\xff") for number in range(MOST)])
    assert await counted(core) == (MOST, 0)
    assert "dead letters" not in {finding.name for finding in await probe.probe(core.dsn)}


async def test_read_again_they_are_not_counted_twice_while_they_are_kept(core: Core) -> None:
    records = [RawRecord(TOPIC, 0, number, b"\xff") for number in range(MOST)]
    await taken_in(core, records * 3)
    assert await counted(core) == (MOST, 0)


async def test_a_large_record_is_kept_in_part(core: Core) -> None:
    await taken_in(core, [RawRecord(TOPIC, 0, 0, b"x" * 5_000_000)])
    (row,) = await core.rows("SELECT length(raw) AS length FROM mail_dlq")
    assert row["length"] == MAX_EVENT_BYTES


async def test_verify_knows_that_they_were_counted(core: Core) -> None:
    """Each is accounted for once, kept or not; one that was never taken in is not."""
    await taken_in(core, [RawRecord(TOPIC, 0, number, b"\xff") for number in range(2 * MOST)])
    async with PostgresSnapshots(core.dsn).snapshot() as snapshot:
        buried = await snapshot.buried([(0, number) for number in range(2 * MOST + 1)])
    assert buried == {(0, number): 1 for number in range(2 * MOST)}


def test_they_are_counted_with_the_rights_that_the_programs_have(running: Stack) -> None:
    """Notify may remove them, and the API may count them and read nothing else of them."""

    def is_counted() -> bool:
        text = httpx.get(f"{running.endpoints.api}/metrics", timeout=10).text
        found = re.search(r"^tokenq_dead_letters (\S+)$", text, re.MULTILINE)
        return found is not None and float(found[1]) >= 1 and "tokenq_dead_letters_not_kept" in text

    producer = Producer({"bootstrap.servers": running.endpoints.kafka})
    producer.produce(TOPIC, b"\xff", b"CW")
    assert producer.flush(10) == 0
    until(is_counted)
