"""What an installation for real people must not leave open: each with its cure.

What is new here is only logged for one release, so that an upgrade stops nobody's counters; ``TOKENQ_STRICT=1`` refuses
it at once.
"""

import logging
from collections.abc import Sequence
from functools import partial
from urllib.parse import parse_qs, urlsplit

from tokenq.contract.hosts import is_loopback
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import SettingReason
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.bootstrap.upkeep import unsafe_stores
from tokenq_server.services.ports import Guard, LedgerDown
from tokenq_server.settings import ServerSettings

logger = logging.getLogger(__name__)


async def check_production(settings: ServerSettings) -> Guard | None:
    """In production, refuse stores that may lose data, and log what is open or refuse that, too; all at once.

    A database that is unavailable cannot be checked yet: then a guard is returned that must succeed before anything is
    committed. It raises LedgerDown or Refused.

    Raises:
        Refused: ``invalid``; a store may lose data, or something is open and ``TOKENQ_STRICT`` is set.
    """
    unsafe = await unsafe_stores(settings)
    if settings.env != "production":
        return None
    found, guard = exposures(settings), None
    try:
        found += await _database_exposures(settings)
    except LedgerDown:
        guard = partial(_check_database, settings)
    _refuse_or_log(settings, found, unsafe)
    return guard


def exposures(settings: ServerSettings) -> list[Refused]:
    """Return what the settings leave open."""
    checks = {
        SettingReason.REDIS_WITHOUT_PASSWORD: _has_no_password(settings.redis_url.get_secret_value()),
        SettingReason.BROKER_WITHOUT_LOGIN: _publishes_addresses_to_anybody(settings),
        SettingReason.PLAIN_HTTP: _speaks_plainly(settings),
    }
    return [refuse(reason, host=settings.host) for reason, is_open in checks.items() if is_open]


async def database_exposure(settings: ServerSettings) -> Refused | None:
    """Return whether the database asks for no password. A socket's peer login is one, and so is a certificate.

    Raises:
        Refused: ``unavailable``.
    """
    database = Database(settings.database, size=1)
    try:
        is_protected = await database.is_protected()
    finally:
        await database.close()
    return None if is_protected else refuse(SettingReason.DATABASE_WITHOUT_PASSWORD)


async def _database_exposures(settings: ServerSettings) -> list[Refused]:
    """The same as a list. Raises LedgerDown."""
    try:
        found = await database_exposure(settings)
    except Refused as refusal:
        raise LedgerDown from refusal
    return [found] if found else []


async def _check_database(settings: ServerSettings) -> None:
    _refuse_or_log(settings, await _database_exposures(settings))


def _refuse_or_log(settings: ServerSettings, found: Sequence[Refused], unsafe: Sequence[Refused] = ()) -> None:
    """Refuse what is unsafe and, if strict, what was found; else log the latter."""
    refused = [*unsafe, *(found if settings.strict else ())]
    if len(refused) == 1:
        raise refused[0]
    if refused:
        holes = "".join(f"\n- {hole.problem.detail} {hole.problem.hint}" for hole in refused)
        raise refuse(SettingReason.SEVERAL_OPEN, count=len(refused), holes=holes)
    for refusal in found:
        problem = refusal.problem
        logger.warning("not safe for production", extra={"what": problem.detail, "hint": problem.hint})


def _has_no_password(redis_url: str) -> bool:
    parts = urlsplit(redis_url)
    query = parse_qs(parts.query)
    has_login = bool(parts.password or query.get("password") or query.get("ssl_certfile"))
    return not has_login and parts.scheme != "unix"


def _publishes_addresses_to_anybody(settings: ServerSettings) -> bool:
    is_chosen = "events_email" in settings.model_fields_set or settings.kafka_embedded
    access = settings.kafka_access
    has_login = access.has_login or bool(access.cert)
    return not is_chosen and not has_login


def _speaks_plainly(settings: ServerSettings) -> bool:
    """A proxy on another machine may stand before it; one on this machine needs no address of the network."""
    has_proxy_elsewhere = any(not network.is_loopback for network in settings.proxies)
    return not (is_loopback(settings.host) or settings.certificate or has_proxy_elsewhere)
