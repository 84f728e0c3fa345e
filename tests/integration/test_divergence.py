"""Postgres restored from an older backup, while the topic and Redis know more: detected, and nothing is committed."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from confluent_kafka import Producer

from tests.integration.restored_place import Place, a_lost_hour, lost_but_to_redis, refused, refused_with
from tests.people import ANN, DESK
from tests.programs import refusal, start
from tests.waiting import until
from tokenq.contract.events import TOPIC
from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server import doctor
from tokenq_server.api.app import create_app
from tokenq_server.bootstrap import open_recovery
from tokenq_server.domain.commands import Housekeep, Issue, TransferToken
from tokenq_server.recovery.detection import line_states
from tokenq_server.services.requests import Request


async def test_nothing_starts_on_a_database_that_is_behind(place: Place) -> None:
    """API, relay, notify and rebuild name the department, the gap and what to do; exit code 1 and no traceback."""
    name = await a_lost_hour(place)
    place.restore()
    assert [finding for finding in await doctor._log(place.settings) if not finding.ok]

    said = (await refused(place.guard())).problem.detail
    assert f"{name} its log ends at 6, the topic at 16" in said
    await refused(place.relay().run())
    for program in ("api", "relay", "notify", "rebuild"):
        assert "recover it" in refusal(program, place.environment | {"TOKENQ_ENV": "development"})


async def test_redis_alone_knows_more(place: Place) -> None:
    """Numbers that no relay had published are not reissued, although their tokens are unknown."""
    name, lost = await lost_but_to_redis(place)

    assert "Redis is at 6" in (await refused(place.guard())).problem.detail
    # Under 'tokenq up' no one is asked: there the topic starts empty each time.
    await place.guard(kafka_embedded=True)
    async with place.core() as core:
        (token,) = await core.issue(name)
        assert token["tokenNo"] == 6
        assert token["tokenId"] > max(token["tokenId"] for token in lost)
        assert [(await core.call(name, counter))["tokenNo"] for counter in "123"] == [1, 2, 6]
    await place.publish()
    assert place.topic(name)[-1][0].event_type == "TOKEN_CALLED"


async def test_an_unreadable_queue_hides_no_other(place: Place) -> None:
    """Its shard is dead, or holds something foreign; the others respond."""
    async with place.core() as core:
        name, other = await core.department(), await core.department()
        await core.issue(name, 1)
        await core.issue(other, 2)
        (row,) = await core.rows("SELECT day FROM dept_state WHERE department_id = %s", name)
    await place.put_stranger(name)
    async with open_recovery(place.settings) as stores:
        states = await line_states(stores.line, {name: row["day"], other: row["day"]}, 0.0)

    assert {department: (state.at, state.last_no) for department, state in states.items()} == {other: (3, 2)}


async def test_a_database_restored_under_a_running_api_reissues_no_number(place: Place) -> None:
    """Redis knows more than the locked log: that department is refused, the others continue."""
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
        works = [Issue(name, DESK), Issue(other, DESK), TransferToken(other, ANN, 1, name), Housekeep(name)]
        answers = await asyncio.gather(*(core.do(work) for work in works), return_exceptions=True)
        codes = [answer.problem.code if isinstance(answer, Refused) else answer for answer in answers]

        assert [codes[0], codes[2], codes[3]] == [ProblemCode.LOG_BEHIND] * 3
        assert isinstance(answers[1], dict)
        assert answers[1]["tokenNo"] == 2
        assert "Redis is at 6" in str(answers[0].problem.detail if isinstance(answers[0], Refused) else "")
    await place.rewind()
    async with place.core() as core:
        assert (await core.issue(name))[0]["tokenNo"] == 6


async def test_a_database_that_recovers_late_is_checked_before_a_commit(place: Place) -> None:
    """It was unavailable when the API started, and Redis is empty: only the topic knows, and it is read first."""
    name = await a_lost_hour(place)
    place.restore()
    await place.empty_redis(name)
    with gone(place):
        guard = await place.guard()
        assert guard is not None
    app = create_app(place.settings, guard)
    async with app.router.lifespan_context(app):
        submit = app.state.services.commit.submit
        with gone(place):
            await refused_with(submit(Request(Issue(name, DESK))), ProblemCode.UNAVAILABLE)
        refusal = await refused_with(submit(Request(Issue(name, DESK))), ProblemCode.LOG_BEHIND)
        assert "the topic at 16" in refusal.problem.detail
        await place.rewind()
        assert (await submit(Request(Issue(name, DESK)))).token["tokenNo"] == 10
    assert await place.guard() is None


async def test_a_database_that_recovers_late_is_checked_before_an_e_mail(place: Place, tmp_path: Path) -> None:
    """Notify waits for the database, and then ends as if it had been available at once."""
    await a_lost_hour(place)
    place.restore()
    settings = place.environment | {"TOKENQ_ENV": "development", "TOKENQ_MAIL_OUTBOX": str(tmp_path)}
    with (tmp_path / "log").open("w") as log:
        with gone(place):
            process = start("notify", settings, stderr=log)
            await asyncio.to_thread(until, lambda: "notifications wait" in (tmp_path / "log").read_text())
        await asyncio.to_thread(process.wait, 60)

    assert process.returncode == 1
    assert "recover it" in (tmp_path / "log").read_text()
    assert list(tmp_path.glob("*.eml")) == []


@contextmanager
def gone(place: Place) -> Iterator[None]:
    """The database cannot be reached."""
    name = urlsplit(place.dsn).path.lstrip("/")
    place._leave()
    place.servers.psql(f"ALTER DATABASE {name} RENAME TO {name}_gone")
    yield
    place.servers.psql(f"ALTER DATABASE {name}_gone RENAME TO {name}")


async def test_stray_records_neither_stop_the_system_nor_mislead_a_rewind(place: Place) -> None:
    """Anyone who can write to the topic could forge a number: only records that follow the log without gaps count."""
    name = await a_lost_hour(place)
    forge(place, name, seq=2**62, tokenId=2**63 - 1)
    forge(place, name, seq=1_000_000, tokenId=2**62)
    await place.guard()
    place.restore()

    assert "the topic at 16 (partition" in (await refused(place.guard())).problem.detail
    done = await place.rewind()
    assert [(department["topicAt"], department["departmentId"]) for department in done["departments"]] == [(16, name)]
    await place.guard()
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
