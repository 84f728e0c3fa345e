"""The other numbers of an e-mail address: how many are looked up, and for whom."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.people import DESK
from tests.without_http import Core
from tokenq.contract.enums import Role
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.queries import PostgresQueries
from tokenq_server.domain.principal import Principal
from tokenq_server.services.same_customer import SameCustomer

ADA = "ada@example.com"


async def test_at_most_ten_numbers_are_read_the_oldest_of_the_readers_departments(core: Core) -> None:
    """A whole school may share an address."""
    here, there = await core.department(), await core.department()
    await core.issue(there, 12, email=ADA)
    await core.issue(here, 12, email=ADA.title())
    (last,) = await core.issue(here, email=ADA)
    desk = Principal("key", 2, "desk", Role.DESK, frozenset({here}))
    database = Database(core.dsn, size=1)
    try:
        found = await SameCustomer(PostgresQueries(database)).other_numbers([last], desk)  # type: ignore[list-item]
    finally:
        await database.close()

    assert found == {last["tokenId"]: [f"{here}-{number:03d}" for number in range(1, 11)]}


async def test_who_asks_at_the_same_moment_gets_an_answer_of_their_own(core: Core) -> None:
    """Two new numbers of one address see each other, those of one request do not."""
    here, there = await core.department(), await core.department()
    first, second, third = [(await core.issue(name, email=ADA))[0] for name in (here, here, there)]
    desk = Principal("key", 2, "desk", Role.DESK, frozenset({there}))
    database = Database(core.dsn, size=1)
    same = SameCustomer(PostgresQueries(database))
    asked: list[tuple[list[Any], Principal]] = [
        ([first], DESK),
        ([second], DESK),
        ([first, second], DESK),
        ([first], desk),
    ]
    try:
        found = await asyncio.gather(*(same.other_numbers(tokens, reader) for tokens, reader in asked))
    finally:
        await database.close()

    one, two, three = (token["displayNumber"] for token in (first, second, third))
    ids = first["tokenId"], second["tokenId"]
    assert found == [{ids[0]: [two, three]}, {ids[1]: [one, three]}, {key: [three] for key in ids}, {ids[0]: [three]}]


async def test_nothing_is_looked_up_for_customers() -> None:
    """Their answer is always empty."""
    customer = Principal("session", 1, "Ada", Role.CUSTOMER, user_id=1)

    async def ask(_: object) -> None:
        raise RuntimeError("asked")

    same = SameCustomer(SimpleNamespace(others_with_address=ask))  # type: ignore[arg-type]
    assert await same.other_numbers([{"tokenId": 1}], customer) == {}  # type: ignore[typeddict-item]
    with pytest.raises(RuntimeError, match="asked"):
        await same.other_numbers([{"tokenId": 1}], DESK)  # type: ignore[typeddict-item]
