"""Postgres restored from an older back-up, while the topic and Redis know more: detected, and nothing is committed."""

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


async def test_nothing_starts_on_a_database_that_has_forgotten(place: Place) -> None:
    """API, relay, notify and rebuild say which department, how far, and what to do; exit code 1 and no traceback."""
    name = await a_lost_hour(place)
    place.restore()
    assert [one for one in await doctor._log(place.settings) if not one.ok]

    said = (await refused(place.guard())).problem.detail
    assert f"{name} its log ends at 6, the topic at 16" in said
    await refused(place.relay().run())
    for program in ("api", "relay", "notify", "rebuild"):
        assert "recover it" in refusal(program, place.environment | {"TOKENQ_ENV": "development"})


async def test_redis_alone_knows_more(place: Place) -> None:
    """What no relay had published: the numbers are not given again; who they were, nobody knows."""
    name, lost = await lost_but_to_redis(place)

    assert "Redis is at 6" in (await refused(place.guard())).problem.detail
    # Under 'tokenq up' nobody needs to be asked: there the topic begins anew each time.
    await place.guard(kafka_embedded=True)
    async with place.core() as core:
        (token,) = await core.issue(name)
        assert token["tokenNo"] == 6
        assert token["tokenId"] > max(one["tokenId"] for one in lost)
        assert [(await core.call(name, counter))["tokenNo"] for counter in "123"] == [1, 2, 6]
    await place.publish()
    assert place.topic(name)[-1][0].event_type == "TOKEN_CALLED"


async def test_one_line_that_cannot_be_read_hides_no_other(place: Place) -> None:
    """Its shard is dead, or somebody has put something strange there; the others answer."""
    async with place.core() as core:
        name, other = await core.department(), await core.department()
        await core.issue(name, 1)
        await core.issue(other, 2)
        (row,) = await core.rows("SELECT day FROM dept_state WHERE department_id = %s", name)
    await place.put_stranger(name)
    async with open_recovery(place.settings) as stores:
        states = await line_states(stores.line, {name: row["day"], other: row["day"]}, 0.0)

    assert {department: (state.at, state.last_no) for department, state in states.items()} == {other: (3, 2)}


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
        works = [Issue(name, DESK), Issue(other, DESK), TransferToken(other, ANN, 1, name), Housekeep(name)]
        answers = await asyncio.gather(*(core.do(work) for work in works), return_exceptions=True)
        codes = [one.problem.code if isinstance(one, Refused) else one for one in answers]

        assert [codes[0], codes[2], codes[3]] == [ProblemCode.LOG_BEHIND] * 3
        assert isinstance(answers[1], dict)
        assert answers[1]["tokenNo"] == 2
        assert "Redis is at 6" in str(answers[0].problem.detail if isinstance(answers[0], Refused) else "")
    await place.rewind()
    async with place.core() as core:
        assert (await core.issue(name))[0]["tokenNo"] == 6


async def test_a_database_that_recovers_late_is_looked_at_before_anything_is_committed(place: Place) -> None:
    """It was away when the API started, and Redis is empty: only the topic can tell, and it is asked first."""
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


async def test_a_database_that_recovers_late_is_looked_at_before_a_letter_goes_out(
    place: Place, tmp_path: Path
) -> None:
    """Notify waits until the database can tell, and then ends as it does when it could tell at once."""
    await a_lost_hour(place)
    place.restore()
    settings = place.environment | {"TOKENQ_ENV": "development", "TOKENQ_MAIL_OUTBOX": str(tmp_path)}
    with (tmp_path / "log").open("w") as log:
        with gone(place):
            process = start("notify", settings, stderr=log)
            await asyncio.to_thread(until, lambda: "letters wait" in (tmp_path / "log").read_text())
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


async def test_stray_records_neither_stop_the_system_nor_lead_a_rewind_astray(place: Place) -> None:
    """Anybody who may write to the topic could forge a number: only what follows the log without a gap counts."""
    name = await a_lost_hour(place)
    forge(place, name, seq=2**62, tokenId=2**63 - 1)
    forge(place, name, seq=1_000_000, tokenId=2**62)
    await place.guard()
    place.restore()

    assert "the topic at 16 (partition" in (await refused(place.guard())).problem.detail
    done = await place.rewind()
    assert [(one["topicAt"], one["departmentId"]) for one in done["departments"]] == [(16, name)]
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
