"""Helpers for tests of the notification queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fakes import BY_EMAIL
from tests.without_http import Core
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.notify.sender import RetryPolicy, Sender
from tokenq_server.services.notifications import Channels, RawRecord

IMPATIENT = RetryPolicy((0.01, 0.01))


async def records_of(core: Core) -> list[RawRecord]:
    """The whole log, as records of the topic."""
    rows = await core.rows("SELECT payload FROM outbox WHERE token_id > 0 ORDER BY department_id, seq")
    return [RawRecord("token-events", 0, offset, row["payload"].encode()) for offset, row in enumerate(rows)]


async def records_of_a_call(core: Core) -> list[RawRecord]:
    """The log of one customer, issued and called; both e-mails are still true."""
    name = await core.department()
    await core.issue(name, email="ada@example.com")
    await core.call(name, name)
    return await records_of(core)


async def enqueue_all(core: Core, queue: PostgresNotificationQueue, channels: Channels = BY_EMAIL) -> None:
    """Let notify take in the whole log so far."""
    await queue.enqueue(*sort_out(await records_of(core)), channels)


@asynccontextmanager
async def sending(queue: PostgresNotificationQueue, channels: Channels) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(Sender(queue, channels, stop, IMPATIENT).run())
    yield
    stop.set()
    await task


async def until_settled(core: Core) -> list[dict[str, object]]:
    """Wait until no e-mail is pending; return all of them."""
    async with asyncio.timeout(20):
        while await core.rows("SELECT 1 FROM mail_job WHERE state IN ('due', 'sending')"):
            await asyncio.sleep(0.02)
    return await core.rows("SELECT kind, state, attempts FROM mail_job ORDER BY department_id, seq")
