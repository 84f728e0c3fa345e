"""What the relay's log must do, on the fake and on Postgres alike."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.fakes import MemoryLog
from tests.without_http import Core
from tokenq_server.adapters.postgres import event_log
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.services.ports import LedgerDown
from tokenq_server.services.publishing import Cursor, Entry, EventLog, Fenced


@dataclass
class Case:
    """A log with five entries of one department."""

    log: EventLog
    department: str


@pytest.fixture(params=["memory", "postgres"])
async def case(request: pytest.FixtureRequest, core: Core) -> AsyncIterator[Case]:
    if request.param == "memory":
        yield Case(MemoryLog([Entry("CW", seq, "{}") for seq in range(1, 6)]), "CW")
        return
    name = await core.department()
    await core.issue(name, 4)  # after the entry about the department itself
    log = PostgresEventLog(core.dsn, "tokenq-test")
    yield Case(log, name)
    await log.close()


async def test_nothing_is_published_at_first(case: Case) -> None:
    """A new department is followed from its first entry."""
    await case.log.take_over()

    assert await case.log.cursors() == {case.department: Cursor(0)}
    assert [entry.seq for entry in await case.log.unpublished(100)] == [1, 2, 3, 4, 5]


async def test_the_next_entries_come_in_order_and_limited(case: Case) -> None:
    """One batch at a time, and never a later entry before an earlier one."""
    await case.log.take_over()
    await case.log.set_cursors({case.department: Cursor(2, 1, 17)})

    assert [entry.seq for entry in await case.log.unpublished(2)] == [3, 4]
    assert await case.log.cursors() == {case.department: Cursor(2, 1, 17)}


async def test_it_tells_how_far_it_goes_and_which_event_is_where(case: Case) -> None:
    """So that a topic which knows more, or something else, is noticed."""
    ids = [await case.log.event_ids({case.department: seq}) for seq in (1, 5, 6)]

    assert await case.log.heads() == {case.department: 5}
    assert [len(one) for one in ids] == [1, 1, 0]


async def test_all_published_is_an_empty_answer(case: Case) -> None:
    """An idle relay reads nothing."""
    await case.log.take_over()
    await case.log.set_cursors({case.department: Cursor(5)})

    assert await case.log.unpublished(100) == []


async def test_a_relay_that_was_overtaken_cannot_move_the_cursor(core: Core) -> None:
    """A paused relay that wakes up late must not undo what its successor did."""
    name = await core.department()
    await core.issue(name, 5)
    first, second = PostgresEventLog(core.dsn, "tokenq-one"), PostgresEventLog(core.dsn, "tokenq-two")
    await first.take_over()
    await core.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tokenq-one'")
    await second.take_over()
    await second.set_cursors({name: Cursor(5)})

    with pytest.raises((Fenced, LedgerDown)):
        await first.set_cursors({name: Cursor(1)})
    assert (await second.cursors())[name] == Cursor(5)
    await first.close()
    await second.close()


async def test_a_connection_that_died_while_idle_is_no_outage(core: Core) -> None:
    """Somebody who begins to watch after a quiet night must not be told that the database is away."""
    name = await core.department()
    log = PostgresEventLog(core.dsn, "tokenq-idle")
    before = await log.heads()
    await core.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tokenq-idle'")

    assert await log.heads() == before == {name: 1}
    await log.close()


async def test_a_stale_epoch_is_fenced_off(core: Core) -> None:
    """Even with its connection alive, an older epoch may not write."""
    name = await core.department()
    log = PostgresEventLog(core.dsn, "tokenq-test")
    await log.take_over()
    await core.run("UPDATE relay_epoch SET epoch = epoch + 1")

    with pytest.raises(Fenced):
        await log.set_cursors({name: Cursor(1)})
    await log.close()


async def test_a_refill_begins_where_the_log_still_is(core: Core) -> None:
    """Entries older than a week are not told again."""
    name = await core.department()
    await core.issue(name, 5)
    await core.run("UPDATE outbox SET at = at - interval '8 days' WHERE seq <= 2")
    log = PostgresEventLog(core.dsn, "tokenq-test")

    assert await log.refill_starts() == {name: 2}
    await log.close()


async def test_many_departments_share_one_batch(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """A producer's queue has its end: after an outage each department gets its part of what fits."""
    monkeypatch.setattr(event_log, "_MOST_AT_ONCE", 6)
    names = [await core.department() for _ in range(3)]
    for name in names:
        await core.issue(name, 4)
    log = PostgresEventLog(core.dsn, "tokenq-test")
    found = [(one.department_id, one.seq) for one in await log.unpublished(100)]
    await log.close()

    assert found == [(name, seq) for name in sorted(names) for seq in (1, 2)]
