"""Whoever follows the log is told when it has grown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.without_http import Core
from tokenq_server.adapters.postgres.event_log import PostgresEventLog


@pytest.fixture
async def logs(core: Core) -> AsyncIterator[tuple[PostgresEventLog, PostgresEventLog]]:
    """The relay's, which has the lock, and an API's."""
    relay, api = PostgresEventLog(core.dsn, "tokenq-relay"), PostgresEventLog(core.dsn, "tokenq-feed")
    async with AsyncExitStack() as closing:
        closing.push_async_callback(relay.close)
        closing.push_async_callback(api.close)
        await relay.take_over(20)
        yield relay, api


async def test_a_ring_ends_the_wait(logs: tuple[PostgresEventLog, PostgresEventLog]) -> None:
    relay, api = logs
    waiting = asyncio.create_task(relay.growth(60))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await api.ring()
    await asyncio.wait_for(waiting, 20)


async def test_a_ring_while_the_relay_was_busy_is_heard_afterwards(
    logs: tuple[PostgresEventLog, PostgresEventLog],
) -> None:
    relay, api = logs
    await api.ring()
    await relay.unpublished(10)
    await asyncio.wait_for(relay.growth(60), 20)


async def test_without_a_ring_the_wait_ends_by_itself(logs: tuple[PostgresEventLog, PostgresEventLog]) -> None:
    relay, _ = logs
    await asyncio.wait_for(relay.growth(0.05), 20)


async def test_a_wait_that_is_given_up_leaves_the_connection_usable(
    logs: tuple[PostgresEventLog, PostgresEventLog],
) -> None:
    relay, _ = logs
    waiting = asyncio.create_task(relay.growth(60))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert await relay.heads() is not None
