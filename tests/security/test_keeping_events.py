"""TOKENQ_KEEP_EVENTS_DAYS: what of the log is deleted, what stays, and that it is whole or not at all."""

import asyncio
import signal
from pathlib import Path

import psycopg
import pytest

from tests.people import ANN
from tests.programs import beside, running_api, start
from tests.security.audited import audited_api
from tests.security.old_logs import all_is_published, days_pass, delete_older_than, seqs, verified
from tests.servers import Servers
from tests.waiting import until
from tests.without_http import Core
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres import old_entries
from tokenq_server.domain.commands import TransferToken
from tokenq_server.embedded.ports import free_port

KEPT = 30


async def three_visits(core: Core, **settings: object) -> tuple[str, list[int]]:
    """A department in which three were served one after the other, 40 days ago; and the tokens' ids."""
    name = await core.department(**settings)  # entry 1
    tokens = await core.issue(name, 3)  # 2 to 4
    for _ in range(3):
        await core.serve(name, "1")  # 5 to 10
    await days_pass(core, KEPT + 10, name)
    return name, [token["tokenId"] for token in tokens]


async def test_old_finished_numbers_lose_their_entries_and_nothing_else(core: Core, servers: Servers) -> None:
    """Row L13. The tokens stay, so does everything that is younger."""
    name, old = await three_visits(core)
    new = await core.issue(name, 2)  # 11 and 12
    await all_is_published(core)
    before = await core.rows("SELECT * FROM token ORDER BY token_id")

    assert await delete_older_than(core, KEPT) is False
    assert await seqs(core, name) == [11, 12]
    assert await core.rows("SELECT * FROM token ORDER BY token_id") == before
    assert {row["token_id"] for row in before} == {*old, *(token["tokenId"] for token in new)}
    (floor,) = await core.rows("SELECT log_floor, day - log_floor_day AS days FROM dept_state")
    assert floor == {"log_floor": 10, "days": KEPT + 10}
    assert (await verified(core, servers)).violations == {}
    assert (await core.call(name, "1"))["tokenNo"] == 1


async def test_a_live_number_keeps_everything_from_its_first_entry_on(core: Core, servers: Servers) -> None:
    """Also what others did meanwhile: a log without its middle could not be checked."""
    name = await core.department(dayEnd="keep")
    await core.issue(name)  # 2
    await core.serve(name, "1")  # 3 and 4
    (kept,) = await core.issue(name)  # 5
    await core.issue(name)  # 6
    await days_pass(core, KEPT + 10, name)
    await all_is_published(core)
    assert await delete_older_than(core, KEPT) is False
    assert (await seqs(core, name))[:2] == [5, 6]

    await core.serve(name, "1")
    assert (await core.rows("SELECT state FROM token WHERE token_id = %s", kept["tokenId"]))[0]["state"] == "SERVED"
    await all_is_published(core)
    await delete_older_than(core, KEPT)
    assert (await seqs(core, name))[0] == 5, "it ended today"
    assert (await verified(core, servers)).violations == {}


async def test_the_day_on_which_a_number_ended_counts(core: Core) -> None:
    name, _ = await three_visits(core)
    await core.issue(name)
    await all_is_published(core)
    await core.run("UPDATE token SET ended_on = current_date - 3 WHERE number = 2 AND ended_on IS NOT NULL")
    await delete_older_than(core, KEPT)
    assert (await seqs(core, name))[0] == 3


async def test_what_is_not_published_stays(core: Core) -> None:
    """Kafka may be away for as long as it likes."""
    name, _ = await three_visits(core)
    await core.issue(name)
    await core.run("UPDATE relay_cursor SET seq = 6")
    await delete_older_than(core, KEPT)
    assert await seqs(core, name) == [7, 8, 9, 10, 11]


async def test_the_last_entry_stays(core: Core, servers: Servers) -> None:
    """Boards read from it how the department is set up and which day it is."""
    name, _ = await three_visits(core)
    await all_is_published(core)
    await delete_older_than(core, KEPT)
    assert await seqs(core, name) == [10]
    assert (await verified(core, servers)).violations == {}


async def test_a_deleted_department_loses_its_old_entries_too(core: Core, servers: Servers) -> None:
    name, _ = await three_visits(core)
    await core.setup.delete_department(name)
    await days_pass(core, KEPT + 10, name)
    await all_is_published(core)
    await delete_older_than(core, KEPT)
    assert await seqs(core, name) == [11]
    assert (await verified(core, servers)).violations == {}


async def test_a_hole_in_the_kept_log_is_found_and_one_in_the_old_log_stops_the_deletion(
    core: Core, servers: Servers
) -> None:
    """Otherwise the evidence would be deleted."""
    name, _ = await three_visits(core)
    await core.issue(name, 3)
    await all_is_published(core)
    await core.run("DELETE FROM outbox WHERE seq IN (8, 12)")
    await delete_older_than(core, KEPT)
    assert await seqs(core, name) == [9, 10, 11, 13]
    sentences = [violation.sentence for violation in (await verified(core, servers)).violations["L1"]]
    assert sentences == ["Entry 7 is followed by 9.", "Entry 11 is followed by 13."]


async def test_an_entry_without_its_token_stays(core: Core, servers: Servers) -> None:
    name, old = await three_visits(core)
    await core.issue(name)
    await all_is_published(core)
    await core.run("DELETE FROM token WHERE token_id = %s", old[1])
    await delete_older_than(core, KEPT)
    assert (await seqs(core, name))[0] in (3, 4)
    assert "L2" in (await verified(core, servers)).violations


async def test_of_a_transferred_number_half_may_be_gone(core: Core, servers: Servers) -> None:
    """Each department's log is shortened by itself; what is left of a number is compared with nothing that is gone."""
    first, second = await core.department(dayEnd="keep"), await core.department()
    (token,) = await core.issue(first)
    there = await core.do(TransferToken(first, ANN, token["tokenId"], second, token["claimVersion"]))
    back = await core.do(TransferToken(second, ANN, token["tokenId"], first, there["claimVersion"]))
    await core.issue(first)  # it stays there, and keeps what follows
    await core.do(TransferToken(first, ANN, token["tokenId"], second, back["claimVersion"]))
    await core.serve(second, "1")
    await days_pass(core, KEPT + 10)
    await core.issue(first)
    await core.issue(second)
    await all_is_published(core)

    await delete_older_than(core, KEPT)
    assert await seqs(core, first) == [5, 6, 7]
    assert await seqs(core, second) == [7]
    assert (await verified(core, servers)).violations == {}


async def test_of_two_stays_in_a_department_the_first_may_be_gone(core: Core, servers: Servers) -> None:
    """The second one is there from its beginning, and its other department has everything."""
    first, second = await core.department(dayEnd="keep"), await core.department(dayEnd="keep")
    await core.issue(second)  # it stays there
    await core.issue(first)
    token = await core.call(first, "1")
    token = await core.do(TransferToken(first, ANN, token["tokenId"], second))
    await core.issue(first)  # 5 stays there
    token = await core.do(TransferToken(second, ANN, token["tokenId"], first))
    await core.move(await core.do(TransferToken(first, ANN, token["tokenId"], second)), Verb.CANCEL)
    await days_pass(core, KEPT + 10)
    await core.issue(first)
    await core.issue(second)
    await all_is_published(core)
    assert (await verified(core, servers)).violations == {}

    await delete_older_than(core, KEPT)
    assert await seqs(core, first) == [5, 6, 7, 8]
    assert await seqs(core, second) == [2, 3, 4, 5, 6, 7]
    assert (await verified(core, servers)).violations == {}


async def test_who_is_transferred_into_a_shortened_log_is_counted_there(core: Core, servers: Servers) -> None:
    name, _ = await three_visits(core)
    other = await core.department()
    await core.issue(name)
    await all_is_published(core)
    await delete_older_than(core, KEPT)
    (token,) = await core.issue(other)
    await core.do(TransferToken(other, ANN, token["tokenId"], name, token["claimVersion"]))
    tally = await verified(core, servers)
    assert tally.violations == {}
    assert tally.checked["S7"]
    await core.run("UPDATE dept_state SET waiting_normal = 7 WHERE department_id = %s", name)
    assert (await verified(core, servers)).found["S7"] == 1


async def test_it_goes_in_small_bites_and_one_event_counts_them(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_entries, "_AT_ONCE", 2)
    monkeypatch.setattr(old_entries, "_BATCHES_PER_RUN", 3)
    first, _ = await three_visits(core)
    second, _ = await three_visits(core)
    await all_is_published(core)
    assert await delete_older_than(core, KEPT) is True
    left = {len(await seqs(core, name)) for name in (first, second)}
    assert left == {4, 10}
    while await delete_older_than(core, KEPT):
        pass
    assert (await seqs(core, first), await seqs(core, second)) == ([10], [10])
    events = await core.rows("SELECT kind, actor, target, detail, count FROM audit ORDER BY audit_id")
    assert {(row["kind"], row["actor"], row["target"], row["detail"]) for row in events} == {
        ("log.delete", "tokenq", "log of events", "older than 30 days")
    }
    assert [row["count"] for row in events] == [6, 5, 6, 1], "at most three bites of two a round"
    assert await delete_older_than(core, KEPT) is False
    assert len(await core.rows("SELECT 1 FROM audit")) == 4, "nothing was deleted"


async def test_a_department_at_work_is_left_for_later(core: Core) -> None:
    """Deleting can wait; calling cannot."""
    name, _ = await three_visits(core)
    await all_is_published(core)
    async with await psycopg.AsyncConnection.connect(core.dsn) as connection:
        await connection.execute("SELECT 1 FROM dept_state FOR UPDATE")
        async with asyncio.timeout(5):
            assert await delete_older_than(core, KEPT) is True
        assert len(await seqs(core, name)) == 10
    assert await delete_older_than(core, KEPT) is False
    assert await seqs(core, name) == [10]


@pytest.mark.parametrize("days", [0, -4000, 1])
async def test_the_function_itself_deletes_nothing_of_the_last_days(core: Core, days: int) -> None:
    """Whoever is let into the API's account of the database can use it for nothing but the old log."""
    name = await core.department()
    (token,) = await core.issue(name)
    await core.move(token, Verb.CANCEL)
    await core.issue(name)
    await days_pass(core, 1, name)
    await all_is_published(core)
    await core.rows("SELECT delete_old_entries(%s, %s, 1000)", name, days)
    assert await seqs(core, name) == [1, 2, 3, 4]


async def test_a_rewind_stays_as_long_as_numbers_from_before_it_are_live(core: Core) -> None:
    """They may have no other trace in the log."""
    name, old = await three_visits(core)
    await core.issue(name)
    await core.run("UPDATE outbox SET event_type = 'LOG_REWOUND', token_id = 0 WHERE seq = 6")
    await core.run("UPDATE token SET state = 'WAITING' WHERE token_id = %s", old[2])
    await core.run("UPDATE outbox SET token_id = 0 WHERE token_id = %s", old[2])
    await all_is_published(core)
    await delete_older_than(core, KEPT)
    assert (await seqs(core, name))[0] == 6
    await core.run("UPDATE token SET state = 'SERVED' WHERE token_id = %s", old[2])
    await delete_older_than(core, KEPT)
    assert await seqs(core, name) == [11]


async def test_what_was_deleted_is_logged_though_a_later_part_of_the_run_fails(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    """The audit has counted it by then."""
    first, second = sorted([(await three_visits(core))[0] for _ in range(2)])
    for name in (first, second):
        await core.issue(name)
    await all_is_published(core)
    await core.run("CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'kept by a test'; END $$")
    await core.run(
        "CREATE TRIGGER kept BEFORE DELETE ON outbox FOR EACH ROW "
        f"WHEN (old.department_id = '{second}') EXECUTE FUNCTION keep()"
    )
    with caplog.at_level("INFO", "tokenq_server.audit"), pytest.raises(psycopg.Error, match="kept by a test"):
        await delete_older_than(core, KEPT)
    assert (await seqs(core, first), len(await seqs(core, second))) == ([11], 11)
    logged = [vars(line) for line in caplog.records if line.name == "tokenq_server.audit"]
    assert [(line["kind"], line["count"]) for line in logged] == [("log.delete", 10)]
    assert await core.rows("SELECT count FROM audit WHERE kind = 'log.delete'") == [{"count": 10}]


async def test_housekeeping_does_it_and_a_death_in_between_deletes_nothing(
    core: Core, servers: Servers, tmp_path: Path
) -> None:
    name, _ = await three_visits(core)
    await core.issue(name)
    await all_is_published(core)
    settings = beside(servers, core.dsn) | {"TOKENQ_KEEP_EVENTS_DAYS": str(KEPT)}
    armed = settings | {"TOKENQ_ENV": "development", "TOKENQ_FAILPOINTS": "delete_entries.before_commit=kill"}
    with running_api(settings | {"TOKENQ_KEEP_EVENTS_DAYS": "off"}, tmp_path):
        pass
    whole = await seqs(core, name)
    assert whole[:11] == list(range(1, 12)), "kept for ever by default"

    dying = start("api", armed | {"TOKENQ_PORT": str(free_port()), "TOKENQ_DATA_DIR": str(tmp_path)})
    assert await asyncio.to_thread(dying.wait, 60) == -signal.SIGKILL
    assert await seqs(core, name) == whole
    assert await core.rows("SELECT 1 FROM audit WHERE kind = 'log.delete'") == []
    assert await core.rows("SELECT 1 FROM dept_state WHERE log_floor > 0") == []

    def lives() -> None:
        with audited_api(servers, core.dsn, tmp_path / "kept", TOKENQ_KEEP_EVENTS_DAYS=str(KEPT)) as kept:
            until(lambda: kept.rows(kind="log.delete"))
            (row,) = kept.rows(kind="log.delete")
            assert row["count"] == 10

    await asyncio.to_thread(lives)
    assert await seqs(core, name) == whole[10:]
