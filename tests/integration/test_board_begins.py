"""The public state of a branch: a board that begins with it shows what one shows that has read every event."""

import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.people import ANN
from tests.without_http import Body, Core
from tokenq.board.picture import Picture
from tokenq.board.state import Fold
from tokenq.contract.enums import Priority, Role
from tokenq.contract.events import Event, decode
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.board import PostgresBoards
from tokenq_server.adapters.postgres.connection import Connection, Values
from tokenq_server.adapters.postgres.counters import PostgresCounters
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.domain.commands import TransferToken
from tokenq_server.domain.estimate import Forecast
from tokenq_server.domain.principal import Principal
from tokenq_server.services.audit import Origin
from tokenq_server.services.board import Boards
from tokenq_server.services.counter_service import CounterService
from tokenq_server.services.setup_views import Branch

MOVES = (Verb.SERVE, Verb.NO_SHOW, Verb.REQUEUE, Verb.PARK, Verb.RESUME, Verb.CANCEL, Verb.START, Verb.RECALL)
SEEDS = range(int(os.environ.get("TOKENQ_WALKS", "4")))
BOARD = Principal("key", 9, "lobby", Role.BOARD)


@pytest.fixture
async def database(core: Core) -> AsyncIterator[Database]:
    opened = Database(core.dsn, size=2)
    yield opened
    await opened.close()


@pytest.fixture
def boards(database: Database) -> Boards:
    return Boards(PostgresBoards(database))


async def log_of(core: Core, *departments: str) -> list[Event]:
    rows = await core.rows("SELECT payload FROM outbox WHERE department_id = ANY(%s) ORDER BY at, seq", [*departments])
    return [decode(row["payload"]) for row in rows]


def from_all(events: list[Event]) -> Fold:
    fold = Fold()
    for event in events:
        fold.apply(event)
    return fold


async def pause(database: Database, counter: str, department: str) -> None:
    async def nobody(_: str) -> None:
        return

    counters = CounterService(PostgresCounters(database), nobody)
    await counters.open("main", counter, ANN, [department], Origin(), take_over=False)
    await counters.pause("main", counter, ANN, "lunch")


def shown(fold: Fold) -> Picture:
    return fold.picture(datetime.now(UTC))


async def walk(core: Core, rng: random.Random, departments: list[str], tokens: list[Body], steps: int) -> None:
    """Random verbs; what is impossible is refused."""
    tokens += await core.issue(departments[0], 3)
    for _ in range(steps):
        name = rng.choice(departments)
        with suppress(Refused):
            match rng.randrange(6):
                case 0 | 1:
                    tokens += await core.issue(name, rng.randint(1, 3), email="ada@example.com", name="Ada")
                case 2:
                    tokens.append(await core.call(name, f"{name}-{rng.randint(1, 3)}"))
                case 3:
                    token = rng.choice(tokens)
                    other = rng.choice(departments)
                    await core.do(
                        TransferToken(token["departmentId"], ANN, token["tokenId"], other, token["claimVersion"])
                    )
                case 4:
                    await core.move(rng.choice(tokens), Verb.UNDO)
                case _:
                    tokens.append(await core.move(rng.choice(tokens), rng.choice(MOVES)))


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_board_that_begins_with_the_state_shows_the_same_as_one_that_read_everything(
    core: Core, boards: Boards, database: Database, seed: int
) -> None:
    """At the beginning, and after every later event."""
    rng = random.Random(seed)
    departments = [await core.department(), await core.department()]
    await pause(database, f"{departments[0]}-3", departments[0])
    tokens: list[Body] = []
    await walk(core, rng, departments, tokens, 60)

    view = await boards.board("main", BOARD)
    early = await log_of(core, *departments)
    begun, read = Fold.beginning_with(view, departments), from_all(early)
    assert shown(begun) == shown(read)
    assert sum(department.waiting for department in shown(begun).departments) > 0
    assert shown(begun).calls

    await walk(core, rng, departments, tokens, 60)
    for event in (await log_of(core, *departments))[len(early) :]:
        assert (begun.apply(event) is None) == (read.apply(event) is None)
    assert shown(begun) == shown(read)
    assert shown(Fold.beginning_with(await boards.board("main", BOARD), departments)) == shown(read)


async def test_who_expired_is_counted_and_may_come_back(core: Core, boards: Boards) -> None:
    name = await core.department()
    tokens = await core.issue(name, 3)
    await core.call(name, "1")
    await core.run("UPDATE dept_state SET day = day - 1 WHERE department_id = %s", name)
    await core.run("UPDATE token SET day = day - 1 WHERE department_id = %s", name)
    await core.issue(name)

    fold = Fold.beginning_with(await boards.board("main", BOARD), [name])
    (shown_now,) = shown(fold).departments
    assert (shown_now.expired, shown_now.waiting, len(shown_now.at_counters)) == (2, 1, 1)
    await core.move(tokens[2], Verb.REINSTATE)
    fold.apply((await log_of(core, name))[-1])
    (shown_now,) = shown(fold).departments
    assert (shown_now.expired, shown_now.waiting) == (1, 2)


async def test_it_names_nobody(core: Core, boards: Boards) -> None:
    """No user, no name, no address, no actor."""
    name = await core.department()
    await core.issue(name, 3, email="ada@example.com", name="Ada Byron")
    await core.call(name, "1")
    text = json.dumps(await boards.board("main", BOARD))
    assert not [word for word in ("ada", "Byron", "email", "user", "ann", "actor", "priority") if word in text]


async def test_a_key_gets_its_departments_and_where_their_events_go_on(core: Core, boards: Boards) -> None:
    one, other = await core.department(), await core.department()
    await core.issue(one, 2)
    view = await boards.board("main", replace(BOARD, departments=frozenset([one])))
    assert [department["departmentId"] for department in view["departments"]] == [one]
    assert view["position"] == f"{one}:3"
    everything = await boards.board("main", BOARD)
    assert {f"{one}:3", f"{other}:1"} <= set(everything["position"].split(","))


async def test_another_branch_is_not_shown_but_its_events_are_counted(core: Core, boards: Boards) -> None:
    """Whoever follows all events must not be told to begin anew because of them."""
    await core.setup.create_branch(Branch("east", "East"), "ann")
    here, there = await core.department(), await core.department(branch_id="east")
    view = await boards.board("east", BOARD)
    assert [department["departmentId"] for department in view["departments"]] == [there]
    assert f"{here}:1" in view["position"]
    with pytest.raises(Refused) as refused:
        await boards.board("west", BOARD)
    assert refused.value.problem.code is ProblemCode.UNKNOWN_BRANCH


async def test_it_costs_the_same_with_a_long_past(core: Core, boards: Boards, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that Postgres touches, not time: 50 000 past tokens of the department and their calls are left alone."""
    name = await core.department()
    await core.issue(name, 3)
    await core.call(name, "1")
    await core.run(
        "INSERT INTO token SELECT (jsonb_populate_record(t, jsonb_build_object('token_id', 1000000 + n, 'state',"
        " 'SERVED', 'day', '2020-01-01', 'number', n, 'display', 'X' || n, 'counter_id', NULL))).*"
        " FROM token t, generate_series(1, 50000) AS n WHERE t.token_id = (SELECT min(token_id) FROM token)"
    )
    await core.run("UPDATE outbox SET seq = seq + 100000 WHERE department_id = %s", name)
    await core.run("UPDATE dept_state SET last_seq = last_seq + 100000 WHERE department_id = %s", name)
    await core.run(
        "INSERT INTO outbox (department_id, seq, event_type, token_id, payload, priority, place, at) SELECT %s, n,"
        " 'TOKEN_CALLED', 1000000 + n, '{}', 'normal', n, now() FROM generate_series(1, 50000) AS n",
        name,
    )
    await core.run("VACUUM ANALYZE")
    touched: list[int] = []
    rows = Connection.rows

    async def explained(self: Connection, statement: str, values: Values = ()) -> list[Any]:
        (plan,) = await rows(self, f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
        touched.append(plan["QUERY PLAN"][0]["Plan"]["Shared Hit Blocks"])
        touched.append(plan["QUERY PLAN"][0]["Plan"]["Shared Read Blocks"])
        return await rows(self, statement, values)

    monkeypatch.setattr(Connection, "rows", explained)
    await boards.board("main", BOARD)
    assert sum(touched) < 300


async def test_a_new_customer_s_wait_is_that_behind_those_who_wait(core: Core, database: Database) -> None:
    """Null while nothing is known, and where the range would help nobody."""
    name, other = await core.department(), await core.department()
    await core.issue(name, 2)
    ranges = [(0.0, 60.0), (300.0, 590.0), (600.0, 890.0)]
    known = {name: Forecast(1, 300.0, {Priority.NORMAL: ranges}), other: Forecast(0, 300.0, {})}
    view = await Boards(PostgresBoards(database), known.get).board("main", BOARD)
    estimates = {each["departmentId"]: each["estimate"] for each in view["departments"]}
    assert (estimates[name], estimates[other]) == ({"lowMinutes": 10, "highMinutes": 15}, None)
