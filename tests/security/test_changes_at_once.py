"""Changes of accounts at the same moment: none waits for another for ever, and no session outlives a change.

Rows 9 and 23.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.floor_plan import PostgresFloorPlans
from tokenq_server.adapters.postgres.people import PostgresPeople
from tokenq_server.services.audit import BY_SYSTEM, AuditEvent
from tokenq_server.services.floor_plan import FloorPlan
from tokenq_server.services.people import People
from tokenq_server.services.people_views import User

_WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def dsn(fresh_database: Callable[..., str], schema: str) -> str:
    return fresh_database(schema)


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    opened = Database(dsn)
    yield opened
    await opened.close()


@pytest.fixture
async def store(database: Database) -> PostgresPeople:
    return PostgresPeople(database)


async def create(store: PostgresPeople, name: str, role: str) -> User:
    values = {"name": name, "username": name, "role": role, "password_hash": "the first one", "departments": []}
    return await store.create_user(values, BY_SYSTEM)


async def disable_in_a_document(database: Database, name: str) -> None:
    def disabled(before: FloorPlan) -> FloorPlan:
        return replace(before, users={**before.users, name: replace(before.users[name], is_disabled=True)})

    await PostgresFloorPlans(database).transform(disabled, BY_SYSTEM, may_end_day=False)


@asynccontextmanager
async def no_session_ends(dsn: str, *, until_waiting: int) -> AsyncIterator[None]:
    """Changes stop where they would end sessions; they go on when so many wait, for this or for each other."""
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        await connection.execute("LOCK TABLE credential IN SHARE MODE")
        yield
        async with asyncio.timeout(5), await psycopg.AsyncConnection.connect(dsn, autocommit=True) as looking:
            while (await (await looking.execute(_WAITING)).fetchone()) != (until_waiting,):
                await asyncio.sleep(0.01)


Change = Callable[[Database, PostgresPeople, User], Awaitable[Any]]
CHANGES: dict[str, Change] = {
    "disabled": lambda _, store, user: store.change_user(user.user_id, {"is_disabled": True}, BY_SYSTEM),
    "demoted": lambda _, store, user: store.change_user(user.user_id, {"role": "staff"}, BY_SYSTEM),
    "deleted": lambda _, store, user: store.delete_user(user.user_id, BY_SYSTEM),
    "in a document": lambda database, _, user: disable_in_a_document(database, str(user.username)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_of_two_last_admins_one_stays(
    dsn: str, database: Database, store: PostgresPeople, change: Change
) -> None:
    """Both go at the same moment: the second one hears that it is the last, not that the database is away."""
    ann, ben = await create(store, "ann", "admin"), await create(store, "ben", "admin")
    async with no_session_ends(dsn, until_waiting=2):
        changes = [
            asyncio.create_task(work)
            for work in (change(database, store, ann), CHANGES["disabled"](database, store, ben))
        ]
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert isinstance(refusal, Refused)
    assert refusal.problem.code is ProblemCode.IN_USE, refusal.problem
    assert await store.has_admin()


class ChangedMeanwhile:
    """Passwords that are all right; while one is checked, somebody changes its user."""

    def __init__(self, change: Callable[[], Awaitable[object]]) -> None:
        self._change = change

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def matches(self, password_hash: str | None, password: str) -> bool:
        await self._change()
        return True


LOCKING_OUT: dict[str, dict[str, Any] | None] = {
    "a new password": {"password_hash": "the second one"},
    "disabled": {"is_disabled": True},
    "deleted": None,
}


@pytest.mark.parametrize("values", LOCKING_OUT.values(), ids=LOCKING_OUT.keys())
async def test_a_password_that_was_right_when_it_was_checked_starts_no_session_after_a_change(
    database: Database, store: PostgresPeople, values: dict[str, Any] | None
) -> None:
    """Else the session would live on, although a change of password ends all of them."""
    await create(store, "root", "admin")
    ada = await create(store, "ada", "staff")
    noted: list[AuditEvent] = []

    async def change() -> None:
        if values is None:
            await store.delete_user(ada.user_id, BY_SYSTEM)
        else:
            await store.change_user(ada.user_id, values, BY_SYSTEM)

    with pytest.raises(Refused) as refused:
        await People(store, ChangedMeanwhile(change), noted.append).login("ada", "any", BY_SYSTEM)
    assert refused.value.problem.code is ProblemCode.UNAUTHENTICATED
    assert [event.code for event in noted] == [ProblemCode.UNAUTHENTICATED]
    async with database.begin() as connection:
        assert await connection.rows("SELECT 1 FROM credential") == []


async def test_a_change_that_is_none_of_these_lets_a_login_go_on(store: PostgresPeople) -> None:
    ada = await create(store, "ada", "staff")

    async def rename() -> None:
        await store.change_user(ada.user_id, {"name": "Ada"}, BY_SYSTEM)

    login = await People(store, ChangedMeanwhile(rename), lambda _: None).login("ada", "any", BY_SYSTEM)
    assert login["token"].startswith("tq_")
