"""``tokenq notify dlq``: what it says of letters that are there, and of those that are not."""

import json
from collections.abc import Callable

import pytest

from tests.cli.conftest import Cli, Done
from tests.fakes import BY_EMAIL
from tests.without_http import Core
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.services.notifications import BadRecord, RawRecord


@pytest.fixture
def dlq(cli: Cli, core: Core) -> Callable[..., Done]:
    """The command on this test's database."""
    return lambda *arguments: cli("notify", "dlq", *arguments, TOKENQ_DATABASE_URL=core.dsn)


async def an_unreadable_record(core: Core) -> str:
    """One dead letter; its number."""
    database = Database(core.dsn, size=1)
    queue = PostgresNotificationQueue(database, most_records=1000)
    await queue.enqueue([], [BadRecord(RawRecord("t", 0, 6, b"{"), "no JSON")], BY_EMAIL)
    (entry,) = await queue.dead_letters()
    await database.close()
    return str(entry.dlq_id)


async def test_no_dead_letter_is_a_sentence(dlq: Callable[..., Done]) -> None:
    """Also where all of none are chosen."""
    for typed in (["list"], ["retry", "--all"], ["drop", "--all"]):
        done = dlq(*typed)
        assert (done.code, done.out, done.err) == (0, "There are no dead letters.\n", "")
    assert json.loads(dlq("list", "--json").out) == {"items": []}
    assert json.loads(dlq("retry", "--all", "--json").out) == {"retried": 0}


@pytest.mark.parametrize("verb", ["retry", "drop"])
async def test_a_number_that_is_none_changes_nothing(core: Core, dlq: Callable[..., Done], verb: str) -> None:
    """Not even the one beside it that is there."""
    number = await an_unreadable_record(core)
    done = dlq(verb, number, "999999")

    assert (done.code, done.out) == (3, "")
    assert "There is no dead letter 999999." in done.err
    assert [str(one["dlqId"]) for one in json.loads(dlq("list", "--json").out)["items"]] == [number]
    mistyped = dlq(verb, "abc")
    assert mistyped.code == 2
    assert "'abc' is not the number of a dead letter" in mistyped.err


async def test_what_stays_is_told(core: Core, dlq: Callable[..., Done]) -> None:
    """A record that is still unreadable; and one that was dealt with already."""
    number = await an_unreadable_record(core)
    again = dlq("retry", number)
    assert (again.code, again.out) == (0, "0 put back in the queue.\n")
    assert "1 left unchanged" in again.err
    assert dlq("drop", number).out == "1 deleted.\n"
    assert "1 left unchanged" in dlq("drop", number).err
