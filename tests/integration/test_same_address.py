"""The other numbers of an e-mail address: how many are looked up, and for whom."""

from types import SimpleNamespace

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


async def test_nothing_is_looked_up_for_customers() -> None:
    """Their answer is always empty."""
    customer = Principal("session", 1, "Ada", Role.CUSTOMER, user_id=1)
    same = SameCustomer(SimpleNamespace())  # type: ignore[arg-type]
    assert await same.other_numbers([{"tokenId": 1}], customer) == {}  # type: ignore[typeddict-item]
    with pytest.raises(AttributeError):
        await same.other_numbers([{"tokenId": 1}], DESK)  # type: ignore[typeddict-item]
