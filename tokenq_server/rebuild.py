"""``tokenq server rebuild``: throw away what Redis holds of every waiting line and make it anew from Postgres."""

import logging

from tokenq.contract.problems import ProblemCode, refuse
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.ledger import PostgresLedger
from tokenq_server.adapters.postgres.setup import PostgresSetup
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.services.ports import Ask, LedgerDown, LineDown
from tokenq_server.settings import ServerSettings

logger = logging.getLogger(__name__)


async def rebuild(settings: ServerSettings) -> int:
    """Rebuild every line, each under its department's lock; safe on a live system. Answers the exit code.

    Raises:
        Refused: Postgres or Redis is away.
    """
    dsn = settings.database_url.get_secret_value()
    line = open_line(settings.redis_url.get_secret_value(), timeout=5.0)
    database, ledger = Database(dsn), PostgresLedger(dsn)
    try:
        for department in await PostgresSetup(database).departments():
            name = department.department_id
            async with ledger.open() as transaction:
                locked = await transaction.lock([name])
                if name not in locked.departments:
                    continue
                _, standing = locked.departments[name]
                entries = await transaction.waiting(name)
                await line.install(Ask(name, standing.day, standing.last_no, standing.last_seq), entries)
            logger.info("waiting line rebuilt", extra={"department": name, "waiting": len(entries)})
    except (LedgerDown, LineDown) as error:
        store = "database" if isinstance(error, LedgerDown) else "Redis"
        raise refuse(
            ProblemCode.UNAVAILABLE, f"The {store} is away.", "Start it and try again; 'tokenq doctor' helps."
        ) from error
    finally:
        await ledger.close()
        await line.close()
        await database.close()
    return 0
