"""Fixtures of the security tests; the command line as a process of its own, as in its own tests."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial

import pytest

from tests.cli.conftest import cli, home
from tests.security.audited import AuditedApi, audited_api
from tests.security.processes import Processes, running
from tests.servers import Running, Servers
from tests.valkeys import OwnValkey, OwnValkeys

__all__ = ["audited", "cli", "home", "own_valkey", "start"]

Start = Callable[..., AbstractAsyncContextManager[Processes]]


@pytest.fixture
async def own_valkey(valkeys: OwnValkeys) -> Running[OwnValkey]:
    """A Valkey of this test's own, which it may kill."""
    return await asyncio.to_thread(valkeys.start)


@pytest.fixture
def start(own_valkey: Running[OwnValkey], fresh_database: Callable[..., str], schema: str) -> Start:
    """A factory: ``start(logins=3)`` runs two API processes with that limit on this test's own stores."""
    return partial(running, fresh_database(schema), own_valkey.server.url)


@pytest.fixture(scope="module")
def audited(servers: Servers, schema: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditedApi]:
    """An API with the departments CW and HR, for the tests of one file."""
    dsn = servers.new_database(schema)
    with audited_api(servers, dsn, tmp_path_factory.mktemp("api")) as api:
        api.ask("PUT", "/departments/CW", json={"name": "Cash window"})
        api.ask("PUT", "/departments/HR", json={"name": "Human resources"})
        yield api
    servers.drop_database(dsn)
