"""The only place that opens things: settings in, services out."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq_server.adapters.kafka.inbox import KafkaInbox
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.kafka.topic import READ_PATIENCE, KafkaTopic
from tokenq_server.adapters.metrics import Metrics
from tokenq_server.adapters.passwords import Argon2Passwords
from tokenq_server.adapters.postgres.books import PostgresBooks
from tokenq_server.adapters.postgres.counters import PostgresCounters
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.day_log import PostgresDayLog
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.floor_plan import PostgresFloorPlans
from tokenq_server.adapters.postgres.forecasting import PostgresForecasting
from tokenq_server.adapters.postgres.ledger import PostgresLedger
from tokenq_server.adapters.postgres.mail import PostgresMailQueue
from tokenq_server.adapters.postgres.people import PostgresPeople
from tokenq_server.adapters.postgres.reading import PostgresReading
from tokenq_server.adapters.postgres.setup import PostgresSetup
from tokenq_server.adapters.redis import probe as redis_probe
from tokenq_server.adapters.redis.line_copies import RedisLineCopies
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.adapters.smtp import OutboxMailer, SmtpMailer
from tokenq_server.relay import Relay
from tokenq_server.services.batch import Batch
from tokenq_server.services.explaining import Explaining
from tokenq_server.services.feed import Feed
from tokenq_server.services.floor_plan import FloorPlans
from tokenq_server.services.forecasting import Forecasts
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.housekeeping import housekeeping
from tokenq_server.services.mailing import Mailer, MailQueue
from tokenq_server.services.near_turn import near_turns
from tokenq_server.services.people import People
from tokenq_server.services.ports import Guard, WaitingLine
from tokenq_server.services.reading import Reading
from tokenq_server.services.reporting import Reporting
from tokenq_server.services.setup import Setup
from tokenq_server.services.staffing import Staffing
from tokenq_server.services.verification.ports import Strictness
from tokenq_server.services.verifying import Verifying
from tokenq_server.settings import ServerSettings

_OR_DEVELOP = "or set TOKENQ_ENV=development where nothing is at stake."


@dataclass(frozen=True)
class Services:
    """What the API needs; opened once per process."""

    settings: ServerSettings
    metrics: Metrics
    commit: GroupCommit
    people: People
    setup: Setup
    reading: Reading
    explaining: Explaining
    staffing: Staffing
    reporting: Reporting
    floor_plans: FloorPlans
    feed: Feed
    database: Database
    line: WaitingLine
    topic: KafkaTopic
    log: PostgresEventLog


@asynccontextmanager
async def open_services(settings: ServerSettings, guard: Guard | None = None) -> AsyncIterator[Services]:
    """Open what the API needs; on leaving, finish what was accepted and close everything.

    Nothing is committed, by a caller or by the clock, before ``guard`` succeeded once.
    Nothing is asked of the stores yet, so the API starts, and says it is not ready, while they are away.
    """
    dsn = settings.database_url.get_secret_value()
    metrics = Metrics()
    ledger = PostgresLedger(dsn, with_email=settings.events_email == "plain")
    line = open_line(settings.redis_url.get_secret_value())
    database = Database(dsn)
    log = PostgresEventLog(dsn, "tokenq-feed")
    feed = Feed(log)
    forecasts = Forecasts(PostgresForecasting(database))
    commit = GroupCommit(Batch(ledger, line, metrics, forecasts.of), on_commit=feed.poke, guard=guard)
    store = PostgresSetup(database)
    looking_up = PostgresReading(database)
    reading = Reading(looking_up, forecasts.of)
    services = Services(
        settings=settings,
        metrics=metrics,
        commit=commit,
        people=People(PostgresPeople(database), Argon2Passwords()),
        setup=Setup(store),
        reading=reading,
        explaining=Explaining(reading),
        staffing=Staffing(PostgresCounters(database), forecasts.renew),
        reporting=Reporting(PostgresDayLog(database)),
        floor_plans=FloorPlans(PostgresFloorPlans(database)),
        feed=feed,
        database=database,
        line=line,
        topic=open_topic(settings),
        log=log,
    )
    periodic = (housekeeping(commit, store), near_turns(commit, looking_up), forecasts)
    async with AsyncExitStack() as closing:
        for opened in (database, line, ledger, feed, commit, *periodic):
            closing.push_async_callback(opened.close)
        for started in (commit, feed, *periodic):
            started.start()
        yield services


def open_topic(settings: ServerSettings, read_patience: float = READ_PATIENCE) -> KafkaTopic:
    """The topic as the settings describe it; connects when it is first used.

    ``read_patience``: seconds without a record after which reading it back fails.
    """
    return KafkaTopic(
        settings.kafka_bootstrap,
        settings.kafka_partitions,
        embedded=settings.kafka_embedded,
        read_patience=read_patience,
    )


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


@asynccontextmanager
async def open_verifying(
    settings: ServerSettings, tell: Callable[[str], None], strictness: Strictness
) -> AsyncIterator[Verifying]:
    """A check of all stores, which only reads; ``tell`` hears how it goes on."""
    lines = RedisLineCopies(settings.redis_url.get_secret_value())
    books = PostgresBooks(settings.database_url.get_secret_value())
    try:
        yield Verifying(books, lines, KafkaReader(settings.kafka_bootstrap), strictness, tell)
    finally:
        await lines.close()


async def refuse_unsafe_stores(settings: ServerSettings) -> None:
    """In production, do not start on stores that may lose what they hold. One that is away may come yet.

    Raises:
        Refused: ``invalid``.
    """
    evicting = await redis_probe.evicting(settings.redis_url.get_secret_value())
    if settings.env != "production":
        return
    if evicting:
        raise refuse(
            ProblemCode.INVALID,
            f"Redis may throw away who waits: its maxmemory-policy is {', '.join(evicting)}.",
            f"Set maxmemory-policy to noeviction, {_OR_DEVELOP}",
        )
    database = Database(settings.database_url.get_secret_value(), size=1)
    try:
        unsafe = await database.unsafe_settings()
    except Refused:
        return
    finally:
        await database.close()
    if unsafe:
        raise refuse(
            ProblemCode.INVALID,
            f"The database may lose what it acknowledged: {', '.join(unsafe)} is off.",
            f"Switch it on, {_OR_DEVELOP}",
        )


async def refuse_other_schema(settings: ServerSettings) -> None:
    """Do not start on the tables of another release. A database that is away may come yet.

    Raises:
        Refused: ``schema_behind`` or ``schema_ahead``.
    """
    database = Database(settings.database_url.get_secret_value(), size=1)
    try:
        await database.refuse_other_schema()
    except Refused as refusal:
        if refusal.problem.code is not ProblemCode.UNAVAILABLE:
            raise
    finally:
        await database.close()


def away(store: str) -> Refused:
    """The refusal while a store is away that must be asked."""
    return refuse(ProblemCode.UNAVAILABLE, f"The {store} is away.", "Start it and try again; 'tokenq doctor' helps.")
