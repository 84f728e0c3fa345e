"""Whether a move is permitted is decided on the token as it is under the lock, not as the caller saw it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from tests.people import ANN
from tests.servers import Servers
from tests.unit.sessions import refused
from tests.without_http import Core, open_core
from tokenq.contract.enums import Priority, Role
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.queries import PostgresQueries
from tokenq_server.domain.commands import MoveToken, TransferToken, UndoMove
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Whereabouts
from tokenq_server.services.queries import Queries


@pytest.fixture
async def core(servers: Servers, fresh_database: Callable[..., str], schema: str) -> AsyncIterator[Core]:
    async with open_core(fresh_database(schema), servers.redis_url) as opened:
        yield opened


@pytest.fixture
async def reading(core: Core) -> AsyncIterator[Queries]:
    database = Database(core.dsn, size=2)
    yield Queries(PostgresQueries(database), lambda _: None)
    await database.close()


def staff(*departments: str) -> Principal:
    return replace(ANN, departments=frozenset(departments))


def customer(user_id: int) -> Principal:
    return Principal("session", 9, "ada", Role.CUSTOMER, user_id=user_id)


def cancel(at: Whereabouts, caller: Principal, token_id: int) -> MoveToken:
    return MoveToken(at.department_id, caller, token_id, Verb.CANCEL, user_id=at.user_id, printed=at.printed)


async def test_a_token_transferred_meanwhile_is_refused(core: Core, reading: Queries) -> None:
    """Permission in CW does not allow cancelling in LAB; whoever may see the token learns that it has changed."""
    here, there = await core.department(), await core.department()
    await core.run("INSERT INTO app_user (user_id, name, role) VALUES (701, 'Ada', 'customer')")
    (token,) = await core.issue(here, user_id=701)
    token_id = token["tokenId"]

    seen = await reading.whereabouts(token_id, ANN)
    await core.do(TransferToken(here, staff(here), token_id, there))

    with refused(ProblemCode.UNKNOWN_TOKEN):
        await core.do(cancel(seen, customer(702), token_id))
    for caller in (staff(here), staff(here, there), customer(701)):
        with refused(ProblemCode.STALE_CLAIM, "in the meantime"):
            await core.do(cancel(seen, caller, token_id))
    with refused(ProblemCode.UNKNOWN_TOKEN):
        await reading.whereabouts(token_id, customer(702))
    now = await reading.whereabouts(token_id, ANN)
    assert (await core.do(cancel(now, customer(701), token_id)))["state"] == "CANCELLED"


async def test_of_two_moves_in_one_batch_the_second_is_judged_by_what_the_first_did(
    core: Core, reading: Queries
) -> None:
    here, there = await core.department(), await core.department()
    (token,) = await core.issue(here)
    seen = await reading.whereabouts(token["tokenId"], ANN)

    sent_on, refusal = await asyncio.gather(
        core.do(TransferToken(here, staff(here), token["tokenId"], there)),
        core.do(cancel(seen, staff(here), token["tokenId"])),
        return_exceptions=True,
    )
    assert sent_on["departmentId"] == there  # type: ignore[index]
    assert isinstance(refusal, Refused)
    assert refusal.problem.code is ProblemCode.STALE_CLAIM


async def test_an_undo_is_for_staff_of_its_target_department(core: Core, reading: Queries) -> None:
    """Who transferred a token can undo it, though no longer its staff; not once the others have moved it."""
    here, there = await core.department(), await core.department()
    (token,) = await core.issue(here)
    token_id = token["tokenId"]
    await core.do(TransferToken(here, staff(here), token_id, there))
    seen = await reading.whereabouts(token_id, ANN)
    undo = UndoMove(seen.department_id, staff(here), token_id, back_to=seen.back_to)

    await core.do(MoveToken(there, staff(there), token_id, Verb.PRIORITY, priority=Priority.URGENT))
    with refused(ProblemCode.FORBIDDEN, there):
        await core.do(undo)
    await core.do(UndoMove(there, staff(there), token_id))
    with refused(ProblemCode.FORBIDDEN, there):
        await core.do(undo)


async def test_a_token_of_an_archived_department_is_hidden_as_before(core: Core, reading: Queries) -> None:
    """Archived departments cannot be locked; permitted callers learn that, others get the usual refusal."""
    name = await core.department()
    (token,) = await core.issue(name)
    token_id = token["tokenId"]
    await core.move(token, Verb.CANCEL)
    await core.setup.delete_department(name)
    seen = await reading.whereabouts(token_id, ANN)

    for caller, code in (
        (customer(702), ProblemCode.UNKNOWN_TOKEN),
        (staff("ELSE"), ProblemCode.FORBIDDEN),
        (ANN, ProblemCode.UNKNOWN_DEPARTMENT),
    ):
        with refused(code):
            await core.do(cancel(seen, caller, token_id))


async def test_a_repeat_is_answered_even_if_the_token_is_out_of_reach(core: Core, reading: Queries) -> None:
    """A retry with the same key after a lost response must not be refused."""
    here, there = await core.department(), await core.department()
    (token,) = await core.issue(here)
    transfer = TransferToken(here, staff(here), token["tokenId"], there)
    first = await core.do(transfer, "key-1", b"same")
    seen = await reading.whereabouts(token["tokenId"], ANN)

    again = replace(transfer, department_id=seen.department_id)
    assert await core.do(again, "key-1", b"same") == first
    with refused(ProblemCode.FORBIDDEN, there):
        await core.do(again, "key-2", b"same")
