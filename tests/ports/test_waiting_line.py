"""What a waiting line must do, on the fake, on Valkey and on a cluster of Valkeys alike."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import pytest

from tests.fakes import MemoryLine
from tests.servers import Servers
from tests.without_http import department_id
from tokenq.contract.enums import Priority
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.services.ports import Advance, Ask, LineChange, LineDown, LineEntry, LineState, WaitingLine

DAY = date(2026, 11, 22)


@pytest.fixture(params=["memory", "redis", "cluster"])
async def line(request: pytest.FixtureRequest, servers: Servers) -> AsyncIterator[WaitingLine]:
    if request.param == "memory":
        yield MemoryLine()
        return
    is_cluster = request.param == "cluster"
    url = request.getfixturevalue("valkey_cluster").url if is_cluster else servers.redis_url
    redis = open_line(url, timeout=2.0)
    yield redis
    await redis.close()


def joins(token_id: int, place: int, priority: Priority = Priority.NORMAL) -> LineChange:
    return LineChange(True, LineEntry(token_id, priority, place))


def leaves(token_id: int) -> LineChange:
    return LineChange(False, LineEntry(token_id, Priority.NORMAL, 0))


async def filled(line: WaitingLine, *changes: LineChange) -> Ask:
    """A department with these changes applied; answers the ask that is in step with it."""
    name = department_id()
    ask = Ask(name, DAY, 0, 0, heads=10)
    await line.install(ask, [])
    await line.advance([Advance(name, DAY, 0, len(changes), changes)])
    left = {change.entry.token_id for change in changes if not change.joins}
    waiting = Counter(change.entry.priority for change in changes if change.entry.token_id not in left)
    return replace(ask, last_seq=len(changes), waiting=waiting)


async def test_an_unknown_department_stands_nowhere(line: WaitingLine) -> None:
    """-1 and no heads: the caller must rebuild it."""
    (answer,) = await line.ask([Ask(department_id(), DAY, 0, 0, heads=1)])

    assert (answer.at, answer.heads) == (-1, None)


async def test_a_line_that_knows_more_than_the_log_keeps_what_it_knows(line: WaitingLine) -> None:
    """A restored database asks: the answer says how far others were, and nothing is overwritten by asking."""
    ask = await filled(line, joins(1, 1), joins(2, 2))
    before = await line.state(ask.department_id, DAY)
    (answer,) = await line.ask([replace(ask, last_seq=1, last_no=1, numbers=3)])

    assert (answer.at, answer.heads) == (2, None)
    assert await line.state(ask.department_id, DAY) == before


async def test_heads_come_by_class_and_place(line: WaitingLine) -> None:
    """Urgent, priority, normal; inside a class the least place, then the least id."""
    ask = await filled(
        line,
        joins(1, 5),
        joins(2, 3),
        joins(30, 3),
        joins(4, 9, Priority.URGENT),
        joins(5, 1, Priority.PRIORITY),
        joins(6, -7),
    )
    (answer,) = await line.ask([ask])

    assert answer.heads == [4, 5, 6, 2, 30, 1]


async def test_heads_are_limited_per_class(line: WaitingLine) -> None:
    """A long line must not be sent whole."""
    ask = await filled(line, *(joins(n, n) for n in range(1, 6)), joins(9, 9, Priority.URGENT))
    (answer,) = await line.ask([replace(ask, heads=2)])

    assert answer.heads == [9, 1, 2]


async def test_who_leaves_is_gone(line: WaitingLine) -> None:
    """Called tokens are no longer proposed."""
    ask = await filled(line, joins(1, 1), joins(2, 2), leaves(1))
    (answer,) = await line.ask([ask])

    assert answer.heads == [2]


async def test_a_step_out_of_turn_is_not_taken(line: WaitingLine) -> None:
    """A gap or a repeat changes nothing, and the answer says where the line stands."""
    ask = await filled(line, joins(1, 1))
    gap = Advance(ask.department_id, DAY, 5, 6, [joins(2, 2)])
    repeat = Advance(ask.department_id, DAY, 0, 1, [joins(3, 3)])

    assert await line.advance([gap, repeat]) == [1, 1]
    (answer,) = await line.ask([ask])
    assert answer.heads == [1]


async def test_a_line_out_of_step_proposes_nobody(line: WaitingLine) -> None:
    """What Redis says counts only if it stands exactly where Postgres does."""
    ask = await filled(line, joins(1, 1))
    (answer,) = await line.ask([replace(ask, last_seq=2)])

    assert (answer.at, answer.heads) == (1, None)


async def test_a_line_with_the_wrong_people_in_it_proposes_nobody(line: WaitingLine) -> None:
    """The right seq over a lost or foreign member would answer 'nobody waits' for ever."""
    ask = await filled(line, joins(1, 1))
    (answer,) = await line.ask([replace(ask, waiting={Priority.URGENT: 1})])

    assert (answer.at, answer.heads) == (-2, None)


async def test_numbers_follow_what_postgres_says(line: WaitingLine) -> None:
    """A counter that is ahead or behind is corrected under the lock."""
    ask = await filled(line)

    for last_no in (0, 3, 1):
        (answer,) = await line.ask([replace(ask, last_no=last_no, numbers=2)])
        assert answer.first_no == last_no + 1


async def test_any_ask_takes_back_numbers_that_were_never_given(line: WaitingLine) -> None:
    """An issue that failed after it had asked must not leave the counter wrong until the next one comes."""
    ask = await filled(line, joins(1, 1))
    await line.ask([replace(ask, last_no=1, numbers=2)])
    assert (await line.state(ask.department_id, DAY)).last_no == 3
    await line.ask([replace(ask, last_no=1, heads=0)])

    assert (await line.state(ask.department_id, DAY)).last_no == 1


async def test_what_it_holds_can_be_looked_at(line: WaitingLine) -> None:
    """For those who doubt the ledger: where it stands and who is in it; of what it never heard, nothing."""
    ask = await filled(line, joins(1, 1), joins(2, 2), joins(3, 3), leaves(2))
    state = await line.state(ask.department_id, DAY)

    assert (state.at, sorted(state.token_ids)) == (4, [1, 3])
    assert await line.state(department_id(), DAY) == LineState(-1, 0, [])


async def test_install_replaces_a_line(line: WaitingLine) -> None:
    """A rebuild forgets what was there; large lines come whole."""
    ask = await filled(line, joins(1, 1))
    entries = [LineEntry(n, Priority.NORMAL, -n) for n in range(2, 5_002)]
    await line.install(replace(ask, last_seq=77), entries)
    (answer,) = await line.ask([replace(ask, last_seq=77, waiting={Priority.NORMAL: 5_000}, heads=10_000)])

    assert answer.heads == list(range(5_001, 1, -1))


async def test_several_departments_in_one_round_trip(line: WaitingLine) -> None:
    """Answers come in the order of the asks."""
    asks = [await filled(line, joins(n, n)) for n in (7, 8)]

    assert [answer.heads for answer in await line.ask(asks)] == [[7], [8]]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis+cluster://127.0.0.1:1,127.0.0.1:2"])
async def test_a_dead_redis_is_said_so_and_not_waited_for(url: str) -> None:
    """A row lock must not wait on a dead Redis: after one failure it is left alone for a while."""
    line = open_line(url)
    ask = Ask("CW", DAY, 0, 0)

    for _ in range(2):
        with pytest.raises(LineDown):
            await line.ask([ask])
    await line.close()
