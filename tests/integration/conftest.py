"""Fixtures that several integration tests share."""

import secrets
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.restored_place import place as place
from tests.stack import Enter, Stack
from tests.without_http import Core
from tokenq.client import Client
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue


@pytest.fixture
def admin(running: Stack) -> Iterator[Client]:
    with Client(running.endpoints.api, running.token) as client:
        yield client


@pytest.fixture
def enter(running: Stack, admin: Client) -> Iterator[Enter]:
    """A client with its own key: ``enter("staff", "CW")``."""
    opened: list[Client] = []

    def make(role: str, *departments: str) -> Client:
        key = admin.create_key({"label": secrets.token_hex(3), "role": role, "departments": list(departments)})
        opened.append(Client(running.endpoints.api, key["key"]))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


@pytest.fixture
async def queue(core: Core) -> AsyncIterator[PostgresNotificationQueue]:
    """The queues of notifications on this test's database."""
    database = Database(core.dsn, size=3)
    yield PostgresNotificationQueue(database, most_records=1000)
    await database.close()
