"""Which token a number means, in the database: other conditions apply after the candidates."""

import asyncio
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest

from tests.integration.test_day_end import night_passes
from tests.people import ANN, DESK
from tests.without_http import Core
from tokenq.contract.enums import Role, TokenState
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.queries import PostgresQueries
from tokenq_server.domain.commands import Housekeep, Issue, TransferToken, UndoMove
from tokenq_server.domain.principal import Principal
from tokenq_server.services.queries import Queries, TokenFilter

ADMIN = Principal("key", 1, "ann", Role.ADMIN)


@pytest.fixture
async def find(core: Core) -> AsyncIterator[Callable[..., object]]:
    database = Database(core.dsn, size=2)
    reading = Queries(PostgresQueries(database), lambda _: None)

    async def ask(number: str, **more: object) -> list[int]:
        found = await reading.tokens(TokenFilter(number=number, **more), ADMIN)  # type: ignore[arg-type]
        return [view["tokenId"] for view in found]

    yield ask
    await database.close()


async def test_a_page_is_cut_from_the_candidates(core: Core, find: Callable[..., object]) -> None:
    """A final token that is hidden by a live one is on no page and matches no other condition."""
    name = await core.department(prefix="P", number_format="{prefix}-{number:03d}")
    old = (await core.issue(name))[0]
    await core.move(old, Verb.CANCEL)
    await night_passes(core, name)
    (fresh,) = await core.issue(name)
    await core.run("UPDATE token SET display = 'P-007' WHERE department_id = %s", name)
    await core.run("UPDATE token SET number = 7 WHERE department_id = %s", name)

    assert await find("p7", limit=1) == [fresh["tokenId"]]
    assert await find("p7", before=fresh["tokenId"]) == []
    assert await find("p7", states=(TokenState.CANCELLED,)) == []
    assert await find("p7", department_id="OTHER") == []


async def test_a_deleted_department_keeps_no_numbers(core: Core, find: Callable[..., object]) -> None:
    gone = await core.department(prefix="PH")
    (token,) = await core.issue(gone)
    await core.move(token, Verb.CANCEL)
    assert await find("ph1") == [token["tokenId"]]
    await core.setup.delete_department(gone)
    assert await find("ph1") == []
    (fresh,) = await core.issue(await core.department(prefix="PH"))
    assert await find("ph1") == [fresh["tokenId"]]


async def test_yesterday_s_last_move_is_found_while_it_can_be_undone(core: Core, find: Callable[..., object]) -> None:
    name = await core.department(prefix="N")
    await core.issue(name)
    served = await core.serve(name, "1")
    await night_passes(core, name)
    await core.do(Housekeep(name))
    assert await find("n1") == [served["tokenId"]]
    await core.run("UPDATE token SET undo = NULL")
    assert await find("n1") == []


async def test_reinstating_a_reused_number_is_refused_without_failing_the_batch(core: Core) -> None:
    """The domain knows before the database would refuse all: one commit for the others."""
    name = await core.department()
    await core.issue(name)
    served = await core.serve(name, "1")
    await night_passes(core, name)
    await core.issue(name)
    printed = (name, served["displayNumber"])
    undo = UndoMove(name, ANN, served["tokenId"], counter_id="1", printed=printed)
    before = await core.rows("SELECT xmin::text AS x FROM token WHERE department_id = %s", name)
    answers = await asyncio.gather(
        *(core.do(Issue(name, DESK)) for _ in range(20)), core.do(undo), return_exceptions=True
    )

    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [(refusal.problem.code, "now holds" in refusal.problem.detail) for refusal in refused] == [
        (ProblemCode.EXISTS, True)
    ]
    after = await core.rows("SELECT xmin::text AS x FROM token WHERE department_id = %s", name)
    assert len({row["x"] for row in after} - {row["x"] for row in before}) <= 2


async def test_an_issue_that_meets_a_just_restored_number_is_retried(core: Core) -> None:
    """A token served elsewhere with our number is restored at the same moment: the new customer gets the next one."""
    here, there = await core.department(), await core.department()
    (token,) = await core.issue(here)
    await core.do(TransferToken(here, ANN, token["tokenId"], there, token["claimVersion"]))
    await core.serve(there, "1")
    await night_passes(core, here, there)
    async with await psycopg.AsyncConnection.connect(core.dsn) as other:
        await other.execute("UPDATE token SET state = 'CALLED' WHERE token_id = %s", [token["tokenId"]])
        issuing = asyncio.create_task(core.issue(here))
        async with asyncio.timeout(10):
            while not await core.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
                await asyncio.sleep(0.02)
        await other.commit()
    (fresh,) = await issuing

    assert fresh["displayNumber"] == f"{here}-002"
