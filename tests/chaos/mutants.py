"""What every mutant needs: its own stores, a relay, notify, and the verdict."""

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.chaos.checker import Report, check
from tests.chaos.history import History
from tests.chaos.office import Office, open_office
from tests.fakes import by_email
from tests.mail import mail_server
from tests.servers import Running
from tokenq.contract.events import TOPIC
from tokenq.contract.kafka_access import KafkaAccess
from tokenq_server import failpoints
from tokenq_server.adapters.channels.smtp import SmtpMailer
from tokenq_server.adapters.kafka.consumer import KafkaConsumer
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.embedded.broker import Broker
from tokenq_server.notify.enqueuer import Enqueuer
from tokenq_server.notify.sender import Sender
from tokenq_server.relay import Relay

both_ways = pytest.mark.parametrize("is_mutant", [False, True], ids=["sound", "mutant"])


@dataclass
class Stores:
    """The stores and the history of one test."""

    dsn: str
    redis_url: str
    history: History

    def office(self, **broken: Any) -> AbstractAsyncContextManager[Office]:
        """An office, with the given broken parts."""
        return open_office(self.dsn, self.redis_url, self.history, **broken)

    async def check(self, **more: Any) -> Report:
        """The checker's report."""
        return await asyncio.to_thread(check, self.history.path, self.dsn, self.redis_url, **more)

    async def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read or change the database directly."""
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            cursor = await connection.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []


def assert_seen(report: Report, code: str, is_mutant: bool) -> None:
    """Assert that the rule fails with the bug and nothing fails without it."""
    if is_mutant:
        assert code in report.red, report
    else:
        assert report.red == {}, report
        assert report.counts[code][0] > 0


async def relay_until_caught_up(
    stores: Stores, broker: Running[Broker], relay: type[Relay] = Relay, topic: type[KafkaTopic] = KafkaTopic
) -> None:
    """Run a relay until it has caught up, or dies."""
    log = PostgresEventLog(stores.dsn, "tokenq-relay")
    running = relay(log, topic(KafkaAccess(broker.server.bootstrap), 3, embedded=True))
    task = asyncio.create_task(running.run())
    behind = "SELECT 1 FROM relay_cursor JOIN dept_state s USING (department_id) WHERE seq < last_seq"
    async with asyncio.timeout(30):
        while not task.done() and await stores.rows(behind):
            await asyncio.sleep(0.02)
    running.stop()
    with suppress(failpoints.InjectedFault):
        await task


@dataclass
class Post:
    """Topic, queue and mail server of one test."""

    stores: Stores
    broker: Running[Broker]
    log: Path
    mail_url: str

    async def fill(self, office: Office, poison: bytes | None = None) -> None:
        """Issue two tokens with an address and publish them, optionally with an unreadable record."""
        name = await office.department()
        for _ in range(2):
            await office.issue(name, email="ada@example.com")
        await relay_until_caught_up(self.stores, self.broker)
        if poison is not None:
            topic = KafkaTopic(KafkaAccess(self.broker.server.bootstrap), 3, embedded=True)
            await topic.open()
            producer = topic.open_producer()
            producer.produce(TOPIC, poison, name.encode())
            producer.flush(10)
            await topic.close()

    async def notify(self, senders: int = 1, **broken: Any) -> None:
        """One notify process: it ends when it crashes, or when it has read the topic and settled its e-mails.

        ``senders`` of them work in parallel, as in that many processes.
        """
        database, stop = Database(self.stores.dsn, size=3), asyncio.Event()
        queue = broken.get("queue", PostgresNotificationQueue)(database, most_records=1000)
        consumer = broken.get("consumer", KafkaConsumer)(KafkaAccess(self.broker.server.bootstrap), 20)
        channels = by_email(SmtpMailer(mail_server(self.mail_url)))
        enqueuer = broken.get("enqueuer", Enqueuer)(consumer, queue, channels, stop)
        taking = asyncio.create_task(enqueuer.run())
        sending = asyncio.gather(*(Sender(queue, channels, stop).run() for _ in range(senders)))
        async with asyncio.timeout(40):
            while not taking.done() and not await self._is_settled():
                await asyncio.sleep(0.05)
        stop.set()
        with suppress(failpoints.InjectedFault):
            await taking
        await sending
        await consumer.close()
        await asyncio.gather(*(channel.close() for channel in channels))
        await database.close()

    async def _is_settled(self) -> bool:
        reader = KafkaReader(KafkaAccess(self.broker.server.bootstrap))
        # Read its position first: what it has passed by then has its rows by now.
        if await reader.taken() != await reader.ends():
            return False
        return not await self.stores.rows("SELECT 1 FROM mail_job WHERE state IN ('due', 'sending')")

    async def check(self) -> Report:
        """The checker's report."""
        return await self.stores.check(kafka_bootstrap=self.broker.server.bootstrap, smtp_log=self.log)
