"""Fixtures that several integration tests share."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.integration.restored_place import Place
from tests.servers import Servers
from tests.without_http import Core
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue


@pytest.fixture
def place(servers: Servers, fresh_database: Callable[..., str], schema: str) -> Place:
    """A database that can be backed up and restored, with a topic and Redis."""
    return Place(servers, fresh_database(schema), fresh_database)


@pytest.fixture
async def queue(core: Core) -> AsyncIterator[PostgresNotificationQueue]:
    """The queues of notifications on this test's database."""
    database = Database(core.dsn, size=3)
    yield PostgresNotificationQueue(database)
    await database.close()
