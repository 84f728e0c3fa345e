"""Fixtures of the security tests; the command line as a process of its own, as in its own tests."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

import pytest

from tests.cli.conftest import cli, home
from tests.security.processes import Processes, running
from tests.servers import Running
from tests.valkeys import OwnValkey, OwnValkeys

__all__ = ["cli", "home", "own_valkey", "start"]

Start = Callable[..., AbstractAsyncContextManager[Processes]]


@pytest.fixture
async def own_valkey(valkeys: OwnValkeys) -> Running[OwnValkey]:
    """A Valkey of this test's own, which it may kill."""
    return await asyncio.to_thread(valkeys.start)


@pytest.fixture
def start(own_valkey: Running[OwnValkey], fresh_database: Callable[..., str], schema: str) -> Start:
    """A factory: ``start(logins=3)`` runs two API processes with that limit on this test's own stores."""
    return partial(running, fresh_database(schema), own_valkey.server.url)
