"""Opens the stores of a recovery: the log, the topic, Redis and the ledger."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.ledger import PostgresLedger
from tokenq_server.adapters.postgres.recovery import PostgresRecoveryLedger
from tokenq_server.adapters.postgres.setup import PostgresSetup
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.bootstrap.topic import open_topic
from tokenq_server.recovery.guard import guard
from tokenq_server.recovery.ports import PATIENCE, PATIENCE_EMBEDDED, Stores
from tokenq_server.services.ports import Guard
from tokenq_server.settings import ServerSettings


@asynccontextmanager
async def open_recovery(settings: ServerSettings, patience: float | None = None) -> AsyncIterator[Stores]:
    """Open the stores of one recovery; each connects on first use. Raises Refused for a wrong address.

    What was lost is reconciled as the tables' owner: no program's own user may rewrite what a rewind must.
    """
    usual = PATIENCE_EMBEDDED if settings.kafka_embedded else PATIENCE
    owner = settings.owner_database
    redis_url = settings.redis_url.get_secret_value()
    log, database = PostgresEventLog(owner, "tokenq-recovery"), Database(owner, size=1)
    ledger = PostgresRecoveryLedger(PostgresLedger(owner, with_email=settings.events_email == "plain"))
    loader = settings.redis_functions_url.get_secret_value()
    line, line_to_fill = open_line(redis_url, loader, timeout=1.0), open_line(redis_url, loader, timeout=5.0)
    topic = open_topic(settings)
    async with AsyncExitStack() as closing:
        for opened in (database, line_to_fill, line, topic, ledger, log):
            closing.push_async_callback(opened.close)
        yield Stores(
            log=log,
            topic=topic,
            line=line,
            line_to_fill=line_to_fill,
            ledger=ledger,
            departments=PostgresSetup(database),
            is_embedded=settings.kafka_embedded,
            patience=usual if patience is None else patience,
        )


async def check_at_start(settings: ServerSettings) -> Guard | None:
    """Return the startup guard: see :func:`tokenq_server.recovery.guard.guard`. Raises Refused."""
    return await guard(partial(open_recovery, settings))
