"""Whoever reads a log whose beginning is deleted copes with it, and says so instead of showing too little."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest

from tests.cli.conftest import Cli
from tests.fakes import BY_EMAIL
from tests.integration.notifying import enqueue_all
from tests.integration.restored_place import Place
from tests.integration.restored_place import place as place
from tests.integration.test_rewind import verified as verified_with_topic
from tests.people import ANN, BEN
from tests.security.audited import AuditedApi
from tests.security.old_logs import all_is_published, days_pass, delete_older_than, seqs, verified
from tests.security.test_keeping_events import KEPT, three_visits
from tests.servers import Servers
from tests.without_http import Core, department_id
from tokenq.contract.enums import RequeuePosition
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.day_log import PostgresDayLog
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.adapters.postgres.personal_data import PostgresPersonalData
from tokenq_server.adapters.postgres.queries import PostgresQueries
from tokenq_server.bootstrap import open_recovery
from tokenq_server.domain.commands import TransferToken
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.recovery.detection import detect
from tokenq_server.services.audit import BY_SYSTEM
from tokenq_server.services.feed import Feed, Resync
from tokenq_server.services.notifications import Attempt, RawRecord, Settlement, Verdict
from tokenq_server.services.personal_data import Person
from tokenq_server.services.ports import Ask
from tokenq_server.services.reporting import Reporting, RequestedDays


@pytest.fixture
async def database(core: Core) -> AsyncIterator[Database]:
    opened = Database(core.dsn, size=2)
    yield opened
    await opened.close()


async def shortened(core: Core) -> str:
    """A department with one who waits today, whose entry is the only one that is left."""
    name, _ = await three_visits(core)
    await core.issue(name)
    await all_is_published(core)
    await delete_older_than(core, KEPT)
    assert await seqs(core, name) == [11]
    return name


def long_ago() -> date:
    """The business day so long before today's, which begins at four."""
    return (datetime.now(UTC) - timedelta(hours=4)).date() - timedelta(days=KEPT + 10)


async def refusal(work: object) -> Refused:
    with pytest.raises(Refused) as refused:
        await work  # type: ignore[misc]
    return refused.value


async def test_a_report_of_deleted_days_is_refused_and_says_from_when_on(core: Core, database: Database) -> None:
    """Zeros would be a lie."""
    name = await shortened(core)
    reporting, first = Reporting(PostgresDayLog(database)), (long_ago() + timedelta(days=1)).isoformat()
    deleted = long_ago().isoformat()
    over = RequestedDays(deleted, "today")
    for asked in (
        reporting.report(name, BEN, deleted),
        reporting.report(name, BEN, "2020-02-02"),
        reporting.department_table(name, BEN, over),
        reporting.branch_table("main", BEN, over),
        reporting.simulate(name, BEN, deleted, "2", []),
        reporting.events(name, BEN, deleted, 0, 500),
    ):
        problem = (await refusal(asked)).problem
        assert (problem.code, problem.reason) == (ProblemCode.INVALID, "report.deleted")
        assert first in problem.detail
        assert first in problem.hint

    assert (await reporting.report(name, BEN, first))["issued"] == 0
    assert (await reporting.report(name, BEN, "today"))["issued"] == 1
    assert (await reporting.department_table(name, BEN, RequestedDays(first, "today")))["total"]["issued"] == 1
    assert [event["seq"] for event in await reporting.events(name, BEN, "today", 0, 500)] == [11]


def test_commands_say_what_is_deleted(audited: AuditedApi, cli: Cli) -> None:
    at = {"TOKENQ_URL": audited.api.url, "TOKENQ_TOKEN": audited.api.token}
    name, deleted = department_id(), long_ago().isoformat()
    audited.ask("PUT", f"/departments/{name}", json={"name": "Cash window"})
    token = audited.ask("POST", f"/departments/{name}/tokens", json={}).json()
    body = {"claimVersion": token["claimVersion"]}
    assert audited.ask("POST", f"/tokens/{token['tokenId']}/cancel", json=body).status_code == 200
    number = f"id:{token['tokenId']}"
    assert "may have been deleted" not in cli("log", number, **at).out
    assert json.loads(cli("log", number, "--json", **at).out)["keptFrom"] is None

    async def shorten() -> None:
        core = cast(Core, SimpleNamespace(dsn=audited.dsn))
        await days_pass(core, KEPT + 10, name)
        async with await psycopg.AsyncConnection.connect(audited.dsn) as connection:
            await connection.execute("UPDATE relay_cursor SET seq = 3 WHERE department_id = %s", [name])
        while await delete_older_than(core, KEPT):
            pass

    asyncio.run(shorten())
    shown = cli("log", number, **at)
    assert f"Some of what happened before {long_ago() + timedelta(days=1)} may have been deleted." in shown.out
    assert (shown.code, shown.out.count("TOKEN_")) == (0, 1)
    for command in (
        ("report", name, "--day", deleted),
        ("report", name, "--from", deleted, "--to", "today"),
        ("simulate", name, "--counters", "2", "--day", deleted),
        ("replay", name, "--day", deleted),
    ):
        refused = cli(*command, **at)
        assert (refused.code, refused.out) == (1, ""), command
        assert f"The log of {deleted} has been deleted" in refused.err
    assert cli("report", name, "--day", "today", **at).code == 0


async def test_another_department_s_report_is_not_affected(core: Core, database: Database) -> None:
    await shortened(core)
    other, _ = await three_visits(core)
    reporting = Reporting(PostgresDayLog(database))
    assert (await reporting.report(other, BEN, long_ago().isoformat()))["served"] == 3


async def test_a_number_s_history_says_what_it_may_lack(core: Core, database: Database) -> None:
    """Of a transferred number, one department may have everything and the other nothing."""
    first, second = await core.department(dayEnd="keep"), await core.department()
    await core.issue(first)  # keeps the log of the first department
    (token,) = await core.issue(first)
    await core.do(TransferToken(first, ANN, token["tokenId"], second, token["claimVersion"]))
    await core.serve(second, "1")
    await days_pass(core, KEPT + 10)
    (young,) = await core.issue(second)
    await all_is_published(core)
    queries = PostgresQueries(database)
    assert (await queries.history(token["tokenId"])).kept_from is None

    await delete_older_than(core, KEPT)
    history = await queries.history(token["tokenId"])
    assert [event["departmentId"] for event, _ in history.events] == [first, first]
    assert history.kept_from == long_ago() + timedelta(days=1)
    assert (await queries.history(young["tokenId"])).kept_from is None


async def test_a_stream_that_resumes_in_what_is_deleted_is_told_to_fetch_again(core: Core) -> None:
    """As if too much had been missed; otherwise the reader would not notice the gap."""
    name = await shortened(core)
    feed = Feed(PostgresEventLog(core.dsn, "tokenq-test"))
    feed.start()

    async def resumed(last: int) -> list[object]:
        watching, items = feed.watch((name,), {name: last}), []
        assert await anext(watching) is None
        async with asyncio.timeout(10):
            while (arrival := await anext(watching)) is not None:
                items.append(arrival.item)
                assert arrival.positions == {name: 11}
        await watching.aclose()
        return items

    try:
        assert [type(item) for item in await resumed(4)] == [Resync]
        assert [type(item) for item in await resumed(9)] == [Resync]
        (entry,) = await resumed(10)
        assert getattr(entry, "seq", None) == 11
        assert await resumed(11) == []
    finally:
        await feed.close()


async def test_a_queue_in_redis_that_is_older_than_the_log_is_built_anew(core: Core, servers: Servers) -> None:
    name, _ = await three_visits(core)
    await core.issue(name)
    await all_is_published(core)
    (head,) = await core.rows("SELECT day, last_no FROM dept_state")
    await core.line.install(Ask(name, head["day"], head["last_no"], 5), [])
    await delete_older_than(core, KEPT)
    tally = await verified(core, servers)
    assert tally.violations == {}
    assert "the next command there builds its queue" in tally.unchecked["R1"]
    before = core.counts.seen["line_rebuilds"]
    assert (await core.call(name, "1"))["tokenNo"] == 1
    assert core.counts.seen["line_rebuilds"] == before + 1
    assert (await verified(core, servers)).violations == {}


async def test_a_place_by_arrival_is_found_in_what_is_left(core: Core) -> None:
    """Who came before everything that is left goes first, and nobody who came later is passed."""
    first, second = await core.department(dayEnd="keep"), await core.department(dayEnd="keep")
    (early,) = await core.issue(first)
    for _ in range(4):
        await core.issue(second)
        await core.serve(second, "1")
    await days_pass(core, KEPT + 10)
    (waiting,) = await core.issue(second)
    (late,) = await core.issue(first)
    (last,) = await core.issue(second)
    await all_is_published(core)
    await delete_older_than(core, KEPT)
    assert await seqs(core, second) == [14, 15]
    for token in (late, early):
        to = TransferToken(first, ANN, token["tokenId"], second, None, position=RequeuePosition.ORIGINAL)
        await core.do(to)
    called = [(await core.serve(second, "1"))["tokenId"] for _ in range(4)]
    assert called == [token["tokenId"] for token in (early, waiting, late, last)]


async def test_records_of_deleted_entries_are_no_dead_letters(core: Core, database: Database) -> None:
    """Whoever reads the topic from its beginning finds what the log no longer knows."""
    name, _ = await three_visits(core)
    await core.issue(name)
    await all_is_published(core)
    (row,) = await core.rows("SELECT payload FROM outbox WHERE seq = 2")
    await delete_older_than(core, KEPT)
    queue = PostgresNotificationQueue(database, most_records=100)

    async def dead(payload: str) -> list[str]:
        record = RawRecord("token-events", 0, 0, payload.encode())
        assert await queue.enqueue(*sort_out([record]), BY_EMAIL) == 0
        return [letter.reason for letter in await queue.dead_letters()]

    assert await dead(row["payload"]) == []
    assert await dead(row["payload"].replace('"seq":2,', '"seq":99,')) == ["unknown event"]
    assert await core.rows("SELECT 1 FROM mail_job") == []


async def test_letters_of_deleted_entries_raise_no_alarm(core: Core, database: Database, servers: Servers) -> None:
    name = await core.department()
    (token,) = await core.issue(name, email="ada@example.com")
    await core.move(token, Verb.EDIT, email="bob@example.com")
    queue = PostgresNotificationQueue(database, most_records=100)
    await enqueue_all(core, queue)
    for job in (await queue.claim("here", 10, BY_EMAIL)).to_send:
        await queue.settle([Settlement(job, Attempt(Verdict.SENT))], "here")
    await core.run("UPDATE mail_job SET recipient = 'ada@example.com'")
    await core.move(token, Verb.CANCEL)
    await days_pass(core, KEPT + 10)
    await core.issue(name)
    await all_is_published(core)
    assert (await verified(core, servers)).violations == {}
    await delete_older_than(core, KEPT)
    assert await core.rows("SELECT 1 FROM mail_job")
    assert (await verified(core, servers)).violations == {}


async def test_a_person_is_erased_from_what_is_left(core: Core, database: Database) -> None:
    name = await core.department()
    (token,) = await core.issue(name, name="Canary Name")
    await core.move(token, Verb.CANCEL)
    await days_pass(core, KEPT + 10)
    await core.issue(name)
    await all_is_published(core)
    await delete_older_than(core, KEPT)
    store = PostgresPersonalData(database)
    known = await store.known(Person(token_id=token["tokenId"]), BY_SYSTEM)
    assert (len(known["tokens"]), known["events"]) == (1, [])
    async with await psycopg.AsyncConnection.connect(core.dsn) as connection:
        await connection.execute("SELECT 1 FROM dept_state FOR UPDATE")
        erasing = asyncio.create_task(store.erase(Person(token_id=token["tokenId"]), BY_SYSTEM, is_dry_run=False))
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while not await core.rows(waiting):
            assert not erasing.done(), "it did not lock the department in which the number is"
            await asyncio.sleep(0.05)
    assert (await erasing).tokens == 1
    assert await core.rows("SELECT 1 FROM token WHERE name IS NOT NULL") == []


async def test_what_the_topic_knows_of_deleted_entries_is_not_lost(place: Place) -> None:
    """Neither at a start nor in a rewind, and a backup from before the deletion is still recognised."""
    async with place.core() as core:
        name, _ = await three_visits(core)
        await core.issue(name)
    await place.publish()
    place.back_up()
    async with place.core() as core:
        await delete_older_than(core, KEPT)
        assert await seqs(core, name) == [11]
        await core.issue(name)
    await place.publish()
    assert len(place.topic(name)) == 12
    await place.guard()
    async with open_recovery(place.settings) as stores:
        assert await detect(stores) == []
    assert (await place.rewind())["departments"] == []
    assert (await verified_with_topic(place)).violations == {}
    async with place.core() as core:
        assert await seqs(core, name) == [11, 12]

    place.restore()
    with pytest.raises(Refused, check=lambda refused: refused.problem.code is ProblemCode.LOG_BEHIND):
        await place.guard()
    done = await place.rewind()
    assert done["waitingAgain"] == [f"{name}-002"]
    async with place.core() as core:
        assert (await seqs(core, name))[:11] == list(range(1, 12))
        await place.publish()
        await delete_older_than(core, KEPT)
        left = await seqs(core, name)
        assert left == list(range(11, left[-1] + 1))
        assert (await core.call(name, "1"))["tokenNo"] == 1
    await place.publish()
    assert (await verified_with_topic(place)).violations == {}


async def test_a_department_that_was_rewound_can_be_rewound_again_after_a_deletion(place: Place) -> None:
    async with place.core() as core:
        name, _ = await three_visits(core)
        await core.issue(name)
        await place.publish()
        await delete_older_than(core, KEPT)
    place.back_up()
    async with place.core() as core:
        await core.issue(name, 2)
        await core.call(name, "1")
    await place.publish()
    place.restore()
    done = await place.rewind()
    assert [department["departmentId"] for department in done["departments"]] == [name]
    assert done["waitingAgain"] == [f"{name}-002", f"{name}-003"]
    async with place.core() as core:
        kept = await seqs(core, name)
        assert kept == list(range(11, kept[-1] + 1))
    await place.publish()
    assert (await verified_with_topic(place)).violations == {}
