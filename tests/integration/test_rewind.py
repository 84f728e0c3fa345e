"""A rewind after a restore: no token is lost, no number reissued, and readers get the true state."""

import json
import os
import shutil

from tests.fakes import BY_EMAIL
from tests.integration.restored_place import (
    Place,
    a_lost_hour,
    refused_with,
)
from tests.people import ANN
from tests.stack import start, up_folder
from tests.without_http import Core, assert_all_is_well
from tokenq.board.state import Fold
from tokenq.contract.events import TOPIC
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.problems import ProblemCode
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.adapters.redis.line_copies import RedisLineCopies
from tokenq_server.domain.commands import TransferToken
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.embedded import down
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.services.notifications import RawRecord
from tokenq_server.services.setup_views import Branch
from tokenq_server.services.verification.verifier import Verifier


async def test_a_rewind_restores_the_queue_and_readers_continue(place: Place) -> None:
    """Waiting tokens wait, served ones are not called again, no number or id is reissued, no event is skipped."""
    name = await a_lost_hour(place)
    before = place.topic(name)
    place.restore()
    done = await place.rewind()

    assert [department["departmentId"] for department in done["departments"]] == [name]
    assert done["waitingAgain"] == [f"{name}-{number:03d}" for number in (7, 8, 9)]
    assert done["ended"] == [f"{name}-{number:03d}" for number in (1, 2, 6)]
    assert done["toldAgain"] == [f"{name}-003"]
    assert done["notRestored"] == []
    assert done["linesRebuilt"]
    await place.guard()
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
    """Gapless, and each substitute entry names the missing one."""
    rows = await core.rows(
        "SELECT seq, payload FROM outbox WHERE event_type = 'LOG_REWOUND' AND department_id = %s ORDER BY seq", name
    )
    data = [json.loads(row["payload"])["data"] for row in rows]

    assert [row["seq"] for row in rows] == list(range(7, 18))
    assert [event["eventType"] for event in data[:5]] == [
        "TOKEN_CALLED", "TOKEN_SERVED", "TOKEN_CALLED", "TOKEN_SERVED", "TOKEN_CALLED",
    ]  # fmt: skip
    assert data[0]["displayNumber"] == f"{name}-001"
    assert data[-1] == {"from": 6, "to": 16}


async def test_no_e_mail_is_sent_twice(place: Place) -> None:
    """Notify reads the whole topic again; what was due at the time of the backup becomes dead letters."""
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
    done = await place.rewind()
    await place.publish()
    await take_letters_in(place, name)

    assert done["lettersHeld"] == 3
    async with place.core() as core:
        due = await core.rows("SELECT seq, kind FROM mail_job WHERE department_id = %s AND state = 'due'", name)
        held = await core.rows("SELECT reason FROM mail_dlq WHERE department_id = %s AND state = 'open'", name)
    assert due == []
    assert [row["reason"] for row in held] == ["restored"] * 3


async def take_letters_in(place: Place, name: str) -> None:
    """Enqueue everything on the topic."""
    database = Database(place.dsn, size=1)
    records = [RawRecord(TOPIC, 0, offset, raw) for offset, (_, raw) in enumerate(place.topic(name))]
    jobs, bad = sort_out(records)
    await PostgresNotificationQueue(database, most_records=1000).enqueue(jobs, bad, BY_EMAIL)
    await database.close()


async def test_an_outdated_console_cannot_serve_a_token_called_since(place: Place) -> None:
    """It still shows the token it had called, which is then called to another counter."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name)
    await place.publish()
    place.back_up()
    async with place.core() as core:
        shown = await core.call(name, "1")
    await place.publish()
    place.restore()
    await place.rewind()
    async with place.core() as core:
        called = await core.call(name, "2")
        assert called["tokenId"] == shown["tokenId"]
        await refused_with(core.move(shown, Verb.SERVE), ProblemCode.STALE_CLAIM)
        assert (await core.move(called, Verb.SERVE))["state"] == "SERVED"


async def test_a_lost_transfer_is_reverted_for_readers(place: Place) -> None:
    """In both departments' logs: back in one, and gone from the other."""
    async with place.core() as core:
        here, there = await core.department(), await core.department()
        (token,) = await core.issue(here)
    await place.publish()
    place.back_up()
    async with place.core() as core:
        await core.do(TransferToken(here, ANN, token["tokenId"], there))
    await place.publish()
    place.restore()
    await place.rewind()
    await place.publish()
    board = Fold()
    for name in (here, there):
        for event, _ in place.topic(name):
            board.apply(event)

    assert board._logs[here].department.waiting == {token["tokenId"]}
    assert board._logs[there].department.waiting == set()


async def test_yesterday_s_backup_does_not_reissue_today_s_numbers(place: Place) -> None:
    """The day has ended since: remaining tokens expire, and today continues after today's last number."""
    async with place.core() as core:
        name = await core.department()
        await core.issue(name, 3)
    await place.publish()
    async with place.core() as core:
        await core.run("UPDATE dept_state SET day = day - 1 WHERE department_id = %s", name)
        await core.run("UPDATE token SET day = day - 1 WHERE department_id = %s", name)
    place.back_up()
    async with place.core() as core:
        assert [token["tokenNo"] for token in await core.issue(name, 4)] == [1, 2, 3, 4]
    await place.publish()
    place.restore()
    done = await place.rewind()

    assert done["waitingAgain"] == [f"{name}-{number:03d}" for number in (1, 2, 3, 4)]
    async with place.core() as core:
        assert (await core.issue(name))[0]["tokenNo"] == 5
        rows = await core.rows("SELECT state, count(*) FROM token WHERE department_id = %s GROUP BY 1", name)
    assert {row["state"]: row["count"] for row in rows} == {"EXPIRED": 3, "WAITING": 5}


async def test_an_archived_department_is_reconciled_too(place: Place) -> None:
    """It was archived at the time of the backup, and recreated since: it must not block others."""
    name = await a_lost_hour(place)
    place.restore()
    async with place.core() as core:
        await core.run("UPDATE department SET is_archived = true WHERE department_id = %s", name)
        other = await core.department()
    done = await place.rewind()

    assert [department["departmentId"] for department in done["departments"]] == [name]
    await place.guard()
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


async def test_verify_gives_no_false_alarm_after_a_rewind_and_is_strict_again_the_day_after(place: Place) -> None:
    """Corrections are no moves of the table; a new day begins with an empty queue, and is replayed in full."""
    async with place.core() as core:
        await core.setup.put_branch(Branch("main", "Main", "Pacific/Pago_Pago", 0), "ann")
    name = await a_lost_hour(place)
    place.restore()
    await place.rewind()
    async with place.core() as core:
        for number in range(4):
            await core.call(name, f"c{number}")
        await core.issue(name)
        await place.publish()
        tally = await verified(place)
        assert tally.violations == {}
        assert "rewound" in tally.unchecked["S4"]
        # More than a day further east: another business day at any time of day.
        await core.setup.put_branch(Branch("main", "Main", "Pacific/Kiritimati", 0), "ann", may_end_day=True)
        await core.issue(name, 3)
        await core.serve(name, "1")
        tally = await verified(place)
        assert tally.violations == {}
        assert (tally.checked["S4"], tally.checked["L2"]) == (1, 3)
        await core.run("UPDATE token SET claim_version = 7 WHERE number = 1 AND state = 'SERVED' AND calls = 1")
        assert set((await verified(place)).found) == {"L2"}


async def verified(place: Place) -> Tally:
    lines, topic = RedisLineCopies(place.servers.redis_url), KafkaReader(KafkaAccess(place.servers.kafka_bootstrap))
    tally = await Verifier(PostgresSnapshots(place.dsn), lines, topic).run()
    await lines.close()
    return tally


def test_under_up_an_older_postgres_reissues_no_number() -> None:
    """Only its folder was restored: Valkey remembers the numbers, and no question is asked."""
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
