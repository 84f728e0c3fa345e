"""Where a transferred token stands in the other queue, on real stores: in Postgres and in Redis."""

import re

import psycopg
import pytest

from tests.people import ANN
from tests.without_http import Body, Core
from tokenq.contract.enums import Priority, RequeuePosition
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.statements import PLACES_BY_ARRIVAL
from tokenq_server.domain.commands import TransferToken


async def transfer(core: Core, token: Body, to: str, position: RequeuePosition) -> Body:
    command = TransferToken(token["departmentId"], ANN, token["tokenId"], to, token["claimVersion"], position=position)
    return await core.do(command)


async def served(core: Core, department: str, count: int) -> list[int]:
    """The ids of the next ones, in the order of their calls."""
    return [(await core.serve(department, "1"))["tokenId"] for _ in range(count)]


@pytest.mark.parametrize(
    ("position", "order"),
    [(RequeuePosition.FIRST, [1, 0, 2]), (RequeuePosition.ORIGINAL, [0, 1, 2]), (RequeuePosition.LAST, [0, 2, 1])],
)
async def test_a_transferred_token_stands_where_it_was_sent(
    core: Core, position: RequeuePosition, order: list[int]
) -> None:
    here, there = await core.department(), await core.department()
    tokens = [(await core.issue(department))[0] for department in (there, here, there)]
    await transfer(core, tokens[1], there, position)

    assert await served(core, there, 3) == [tokens[index]["tokenId"] for index in order]
    assert core.counts.seen["line_fallbacks"] == 0


async def test_whoever_arrived_before_and_has_left_does_not_matter(core: Core) -> None:
    """The place comes from the log, not from those who still wait."""
    here, there = await core.department(), await core.department()
    gone, wrong, other = [(await core.issue(department))[0] for department in (there, here, there)]
    await core.move(gone, Verb.CANCEL)
    await transfer(core, wrong, there, RequeuePosition.ORIGINAL)

    assert await served(core, there, 2) == [wrong["tokenId"], other["tokenId"]]


async def test_a_department_that_is_younger_than_the_token_has_it_before_all(core: Core) -> None:
    here = await core.department()
    (wrong,) = await core.issue(here)
    there = await core.department()
    (other,) = await core.issue(there)
    await transfer(core, wrong, there, RequeuePosition.ORIGINAL)

    assert await served(core, there, 2) == [wrong["tokenId"], other["tokenId"]]


async def test_only_its_own_class_is_passed(core: Core) -> None:
    here, there = await core.department(), await core.department()
    (urgent,) = await core.issue(there, priority=Priority.URGENT)
    (other,) = await core.issue(there)
    (wrong,) = await core.issue(here)
    await transfer(core, wrong, there, RequeuePosition.FIRST)

    assert await served(core, there, 3) == [urgent["tokenId"], wrong["tokenId"], other["tokenId"]]


async def test_the_place_of_an_early_arrival_is_found_without_walking_back_through_the_log(core: Core) -> None:
    """The rows of both departments are locked meanwhile, and a kept token may have come days ago."""
    here, there = await core.department(), await core.department()
    (token,) = await core.issue(here)
    await core.issue(there)
    await core.run(
        "INSERT INTO outbox SELECT (jsonb_populate_record(o, jsonb_build_object('seq', o.seq + number,"
        " 'at', o.at + number * interval '1 second'))).* FROM outbox o, generate_series(1, 5000) AS number"
        " WHERE department_id = %s AND seq = 2",
        there,
    )
    await core.run("UPDATE dept_state SET last_seq = 5002 WHERE department_id = %s", there)
    await core.run("ANALYZE outbox")
    async with await psycopg.AsyncConnection.connect(core.dsn) as connection:
        for moved, place in ((0, 1), (2500.5, 2502), (9000, 5002)):
            values: list[object] = [[there], [token["tokenId"]]]
            await connection.execute(
                "UPDATE token SET issued_at = (SELECT at FROM outbox WHERE department_id = %s AND seq = 2)"
                " + make_interval(secs => %s) - interval '1 microsecond' WHERE token_id = %s",
                [there, moved, token["tokenId"]],
            )
            found = await (await connection.execute(PLACES_BY_ARRIVAL, values)).fetchall()  # type: ignore[arg-type]
            assert found == [(there, token["tokenId"], place)]
            explained = await connection.execute("EXPLAIN (ANALYZE, TIMING OFF) " + PLACES_BY_ARRIVAL, values)  # type: ignore[arg-type]
            plan = "\n".join(row[0] for row in await explained.fetchall())
            assert max(map(int, re.findall(r"Rows Removed by \w+(?: \w+)*: (\d+)", plan)), default=0) < 100, plan
            assert "Seq Scan on outbox" not in plan, plan
