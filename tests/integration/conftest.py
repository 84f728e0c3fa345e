"""Fixtures that several integration tests share."""

from collections.abc import Callable

import pytest

from tests.integration.restored_place import Place
from tests.servers import Servers


@pytest.fixture
def place(servers: Servers, fresh_database: Callable[..., str], schema: str) -> Place:
    """A database that can be backed up and restored, with the topic and Redis beside it."""
    return Place(servers, fresh_database(schema), fresh_database)
