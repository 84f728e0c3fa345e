"""Followers of the log: the relay, and notify's consumer, queues and channels."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext

from tokenq_server.adapters.channels.email import EmailChannel
from tokenq_server.adapters.channels.eml_folder import EmlFolder
from tokenq_server.adapters.channels.smtp import SmtpMailer
from tokenq_server.adapters.channels.webhook import WebhookChannel
from tokenq_server.adapters.kafka.consumer import KafkaConsumer
from tokenq_server.adapters.metrics import monitor
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.event_log import NOTIFY, PostgresEventLog
from tokenq_server.adapters.postgres.notification_queue import SESSION, PostgresNotificationQueue
from tokenq_server.bootstrap.limits import open_limits
from tokenq_server.bootstrap.topic import open_topic
from tokenq_server.relay import Relay
from tokenq_server.services.letter_limit import LetterLimit
from tokenq_server.services.notifications import Channels, NotificationQueue
from tokenq_server.services.vital_signs import VitalSigns
from tokenq_server.settings import ServerSettings


def open_relay(settings: ServerSettings, signs: VitalSigns) -> Relay:
    """Return a relay; it connects when it runs."""
    log = PostgresEventLog(settings.database, "tokenq-relay")
    return Relay(log, open_topic(settings), signs)


@contextmanager
def monitored(settings: ServerSettings, program: str, signs: VitalSigns) -> Iterator[None]:
    """Let ``relay`` or ``notify`` be watched where the settings say."""
    where = settings.listen(program)
    with monitor.monitored(*where, program, signs) if where else nullcontext():
        yield


@asynccontextmanager
async def open_notification_queue(settings: ServerSettings) -> AsyncIterator[NotificationQueue]:
    """Open the primary queue and the dead-letter queue."""
    database = Database(settings.database, size=4, name=NOTIFY, session=SESSION)
    try:
        yield PostgresNotificationQueue(database, settings.dead_letters)
    finally:
        await database.close()


def open_consumer(settings: ServerSettings) -> KafkaConsumer:
    """Return notify's consumer; it joins its group on first use."""
    return KafkaConsumer(settings.kafka_access, settings.kafka_fetch_wait_ms, embedded=settings.kafka_embedded)


@asynccontextmanager
async def open_letter_limit(settings: ServerSettings) -> AsyncIterator[LetterLimit]:
    """Open the limit of e-mails to one address."""
    limits = open_limits(settings)
    try:
        yield LetterLimit(limits, settings.limit_letters)
    finally:
        await limits.close()


def open_channels(settings: ServerSettings) -> Channels:
    """Return the channels: e-mails by the configured mail server or into a folder, and the gateway if there is one.

    Raises:
        Refused: a setting of one of them is invalid.
    """
    server, gateway = settings.mail_server, settings.gateway
    mailer = SmtpMailer(server) if server else EmlFolder(settings.outbox_folder)
    email = EmailChannel(mailer, settings.mail_from, settings.templates)
    return (email, WebhookChannel(gateway, settings.templates)) if gateway else (email,)
