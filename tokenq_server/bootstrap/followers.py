"""What follows the log: the relay, and notify's consumer, queues and mail server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tokenq_server.adapters.kafka.inbox import KafkaInbox
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.mail import PostgresMailQueue
from tokenq_server.adapters.smtp import OutboxMailer, SmtpMailer
from tokenq_server.bootstrap.topic import open_topic
from tokenq_server.relay import Relay
from tokenq_server.services.mailing import Mailer, MailQueue
from tokenq_server.settings import ServerSettings


def open_relay(settings: ServerSettings) -> Relay:
    """A relay; it opens its connections when it runs."""
    log = PostgresEventLog(settings.database_url.get_secret_value(), "tokenq-relay")
    return Relay(log, open_topic(settings))


@asynccontextmanager
async def open_mail_queue(settings: ServerSettings) -> AsyncIterator[MailQueue]:
    """The mail queues."""
    database = Database(settings.database_url.get_secret_value(), size=4)
    try:
        yield PostgresMailQueue(database)
    finally:
        await database.close()


def open_inbox(settings: ServerSettings) -> KafkaInbox:
    """Notify's consumer; it joins its group when it is first asked."""
    return KafkaInbox(settings.kafka_bootstrap, settings.kafka_fetch_wait_ms, embedded=settings.kafka_embedded)


def open_mailer(settings: ServerSettings) -> Mailer:
    """The mail server of the settings, or a folder while there is none. Raises Refused for a wrong address."""
    url = settings.smtp_url.get_secret_value()
    return SmtpMailer(url) if url else OutboxMailer(settings.outbox_folder)
