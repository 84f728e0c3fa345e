"""Opens the API's use cases over their stores."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.adapters.metrics.api import Metrics
from tokenq_server.adapters.passwords import Argon2Passwords
from tokenq_server.adapters.postgres.audit import PostgresAudit
from tokenq_server.adapters.postgres.board import PostgresBoards
from tokenq_server.adapters.postgres.counters import PostgresCounters
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.day_log import PostgresDayLog
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.floor_plan import PostgresFloorPlans
from tokenq_server.adapters.postgres.forecasting import PostgresForecasting
from tokenq_server.adapters.postgres.ledger import PostgresLedger
from tokenq_server.adapters.postgres.old_entries import PostgresOldEntries
from tokenq_server.adapters.postgres.people import PostgresPeople
from tokenq_server.adapters.postgres.personal_data import PostgresPersonalData
from tokenq_server.adapters.postgres.queries import PostgresQueries
from tokenq_server.adapters.postgres.server_keys import PostgresServerKeys
from tokenq_server.adapters.postgres.setup import PostgresSetup
from tokenq_server.adapters.postgres.watching import PostgresWatching
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.adapters.ticket_links import AesTicketLinks
from tokenq_server.bootstrap.limits import api_limits, open_limits
from tokenq_server.bootstrap.topic import open_topic
from tokenq_server.services.audit import Audit
from tokenq_server.services.batch import Batch
from tokenq_server.services.bell import Bell
from tokenq_server.services.board import Boards
from tokenq_server.services.counter_service import CounterService
from tokenq_server.services.explanations import Explanations
from tokenq_server.services.feed import Feed
from tokenq_server.services.floor_plan import FloorPlans
from tokenq_server.services.forecasting import Forecasts
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.housekeeping import Forgetting, housekeeping
from tokenq_server.services.issue_limits import IssueLimits
from tokenq_server.services.last_seen import LastSeen
from tokenq_server.services.login_limit import LoginLimit
from tokenq_server.services.near_turn import near_turns
from tokenq_server.services.people import People
from tokenq_server.services.personal_data import PersonalData
from tokenq_server.services.ports import Guard, WaitingLine
from tokenq_server.services.public_limit import PublicLimit
from tokenq_server.services.queries import Queries
from tokenq_server.services.refusal_audit import RefusalAudit
from tokenq_server.services.reporting import Reporting
from tokenq_server.services.same_customer import SameCustomer
from tokenq_server.services.setup import Setup
from tokenq_server.services.tickets import Tickets
from tokenq_server.services.watching import WatchStore
from tokenq_server.settings import ServerSettings


@dataclass(frozen=True)
class Services:
    """The API's services, opened once per process."""

    settings: ServerSettings
    metrics: Metrics
    commit: GroupCommit
    login_limit: LoginLimit
    public_limit: PublicLimit
    issuing: IssueLimits
    people: People
    personal_data: PersonalData
    audit: Audit
    refusals: RefusalAudit
    setup: Setup
    reading: Queries
    forecasts: Forecasts
    watching: WatchStore
    last_seen: LastSeen
    boards: Boards
    tickets: Tickets
    same_customer: SameCustomer
    explaining: Explanations
    counter_service: CounterService
    reporting: Reporting
    floor_plans: FloorPlans
    feed: Feed
    database: Database
    line: WaitingLine
    topic: KafkaTopic
    log: PostgresEventLog


@asynccontextmanager
async def open_services(settings: ServerSettings, guard: Guard | None = None) -> AsyncIterator[Services]:
    """Open the API's services; on exit, finish accepted requests and close everything.

    Nothing is committed, by request or periodically, before ``guard`` has succeeded once. No store is contacted yet, so
    the API starts, and reports not ready, while they are unavailable.
    """
    limits = open_limits(settings)
    metrics = Metrics(limits.refused)
    ledger = PostgresLedger(settings.database, with_email=settings.events_email == "plain")
    line = open_line(settings.redis_url.get_secret_value(), settings.redis_functions_url.get_secret_value())
    database = Database(settings.database)
    log = PostgresEventLog(settings.database, "tokenq-feed")
    feed = Feed(log)
    forecasts = Forecasts(PostgresForecasting(database))
    batch = Batch(ledger, line, metrics, forecasts.of, forecasts.refresh)
    bell = Bell(log.ring)
    commit = GroupCommit(batch, on_commit=(feed.wake, bell.committed), guard=guard)
    store = PostgresSetup(database)
    looking_up = PostgresQueries(database)
    audit = PostgresAudit(database)
    refusals = RefusalAudit(audit)
    personal_data = PostgresPersonalData(database)
    setup = Setup(store)
    reading = Queries(looking_up, forecasts.of, forecasts.waits)
    people = People(PostgresPeople(database), Argon2Passwords(), refusals.note)
    limiting = api_limits(settings, limits, people, commit)
    services = Services(
        settings=settings,
        metrics=metrics,
        commit=commit,
        login_limit=limiting.login,
        public_limit=limiting.public,
        issuing=limiting.issuing,
        people=people,
        personal_data=PersonalData(personal_data, people.invalidate),
        audit=Audit(audit),
        refusals=refusals,
        setup=setup,
        reading=reading,
        forecasts=forecasts,
        watching=PostgresWatching(database),
        last_seen=batch.last_seen,
        boards=Boards(PostgresBoards(database), forecasts.of),
        tickets=Tickets(PostgresServerKeys(database), AesTicketLinks, reading, setup),
        same_customer=SameCustomer(looking_up),
        explaining=Explanations(reading),
        counter_service=CounterService(PostgresCounters(database), forecasts.renew),
        reporting=Reporting(PostgresDayLog(database)),
        floor_plans=FloorPlans(PostgresFloorPlans(database)),
        feed=feed,
        database=database,
        line=line,
        topic=open_topic(settings),
        log=log,
    )
    forgetting = Forgetting(
        audit,
        personal_data,
        PostgresOldEntries(database),
        settings.keep_audit_days,
        settings.keep_personal_days,
        settings.keep_events_days,
    )
    kept = housekeeping(commit, store, forgetting)
    periodic = (kept, near_turns(commit, looking_up), forecasts, refusals)
    async with AsyncExitStack() as closing:
        for opened in (database, line, limits, ledger, feed, bell, commit, *periodic):
            closing.push_async_callback(opened.close)
        for started in (commit, feed, *periodic):
            started.start()
        yield services
