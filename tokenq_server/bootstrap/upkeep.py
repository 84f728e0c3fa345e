"""Maintenance: startup checks, the doctor's probes, verification, the schema."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.system import SettingReason
from tokenq_server.adapters import mail_probe
from tokenq_server.adapters.kafka import probe as kafka_probe
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.adapters.postgres import probe as postgres_probe
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.adapters.redis import probe as redis_probe
from tokenq_server.adapters.redis.line_copies import RedisLineCopies
from tokenq_server.services.findings import Finding
from tokenq_server.services.verification.ports import VerifyOptions
from tokenq_server.services.verification.verifier import Verifier
from tokenq_server.settings import ServerSettings


@asynccontextmanager
async def open_verifying(
    settings: ServerSettings, tell: Callable[[str], None], options: VerifyOptions
) -> AsyncIterator[Verifier]:
    """Open a read-only check of all stores; ``tell`` receives progress messages."""
    lines = RedisLineCopies(settings.redis_url.get_secret_value())
    snapshots = PostgresSnapshots(settings.database)
    try:
        yield Verifier(snapshots, lines, KafkaReader(settings.kafka_access), options, tell)
    finally:
        await lines.close()


def probe_stores(settings: ServerSettings) -> dict[str, Coroutine[Any, Any, list[Finding]]]:
    """Return the doctor's probes by store; a probe never fails."""
    return {
        "postgres": _probe_postgres(settings),
        "redis": redis_probe.probe(
            settings.redis_url.get_secret_value(), settings.redis_functions_url.get_secret_value()
        ),
        "kafka": kafka_probe.probe(settings.kafka_access),
        "mail": mail_probe.probe(settings),
    }


async def _probe_postgres(settings: ServerSettings) -> list[Finding]:
    probes = [postgres_probe.probe(settings.database)]
    if settings.owner_database != settings.database:
        probes.append(postgres_probe.probe_owner(settings.owner_database))
    return [finding for findings in await asyncio.gather(*probes) for finding in findings]


def migrate(settings: ServerSettings) -> str:
    """Migrate the schema; return its revision. Raises Refused."""
    from tokenq_server.adapters.postgres.migrate import migrate  # Alembic, which no other program needs

    asyncio.run(Database(settings.owner_database, size=1).refuse_changing_sessions())
    return migrate(settings.owner_database)


async def unsafe_stores(settings: ServerSettings) -> list[Refused]:
    """Return, in production, which stores may lose data. One that is unavailable cannot be judged.

    Raises:
        Refused: ``invalid``; the address of Redis cannot be used.
    """
    evicting = await redis_probe.evicting(settings.redis_url.get_secret_value())
    if settings.env != "production":
        return []
    found = [refuse(SettingReason.REDIS_EVICTS, policies=evicting)] if evicting else []
    database = Database(settings.database, size=1)
    try:
        unsafe = await database.unsafe_settings()
    except Refused:
        return found
    finally:
        await database.close()
    return [*found, refuse(SettingReason.DATABASE_FORGETS, settings=unsafe)] if unsafe else found


async def refuse_unusable_database(settings: ServerSettings) -> None:
    """Refuse the schema of another release, and sessions that change. An unavailable database is not refused.

    Raises:
        Refused: ``schema_behind``, ``schema_ahead`` or ``invalid``.
    """
    database = Database(settings.database, size=1)
    try:
        await database.refuse_changing_sessions()
        await database.refuse_other_schema()
        if settings.owner_database != settings.database:
            await Database(settings.owner_database, size=1).refuse_changing_sessions()
    except Refused as refusal:
        if refusal.problem.code is not ProblemCode.UNAVAILABLE:
            raise
    finally:
        await database.close()
