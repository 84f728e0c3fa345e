"""What an installation for real people must not leave open: each with its cure.

What is new here is only logged for one release, so that an upgrade stops nobody's counters; ``TOKENQ_STRICT=1`` refuses
it at once.
"""

import logging
from urllib.parse import parse_qs, urlsplit

from tokenq.contract.hosts import is_loopback
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import SettingReason
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.settings import ServerSettings

logger = logging.getLogger(__name__)


async def refuse_exposures(settings: ServerSettings) -> None:
    """Log what is open, in production.

    Raises:
        Refused: ``invalid``; something is open, and ``TOKENQ_STRICT`` is set.
    """
    if settings.env != "production":
        return
    for refusal in await exposures(settings):
        if settings.strict:
            raise refusal
        problem = refusal.problem
        logger.warning("not safe for production", extra={"what": problem.detail, "hint": problem.hint})


async def exposures(settings: ServerSettings) -> list[Refused]:
    """Return what is open."""
    database = settings.database_url.get_secret_value()
    checks = {
        SettingReason.DATABASE_WITHOUT_PASSWORD: await _lets_anybody_in(database),
        SettingReason.REDIS_WITHOUT_PASSWORD: _has_no_password(settings.redis_url.get_secret_value()),
        SettingReason.BROKER_WITHOUT_LOGIN: _publishes_addresses_to_anybody(settings),
        SettingReason.PLAIN_HTTP: _speaks_plainly(settings),
    }
    return [refuse(reason, host=settings.host) for reason, is_open in checks.items() if is_open]


async def _lets_anybody_in(dsn: str) -> bool:
    """Whether it asked for no password. A socket's peer login is one, and so is a client's certificate."""
    database = Database(dsn, size=1)
    try:
        return not await database.is_protected()
    except Refused:
        return False  # it is unavailable; the API waits for it
    finally:
        await database.close()


def _has_no_password(redis_url: str) -> bool:
    parts = urlsplit(redis_url)
    query = parse_qs(parts.query)
    has_login = bool(parts.password or query.get("password") or query.get("ssl_certfile"))
    return not has_login and parts.scheme != "unix"


def _publishes_addresses_to_anybody(settings: ServerSettings) -> bool:
    is_chosen = "events_email" in settings.model_fields_set or settings.kafka_embedded
    access = settings.kafka_access
    has_login = access.security_protocol.startswith("SASL") or bool(access.cert)
    return not is_chosen and not has_login


def _speaks_plainly(settings: ServerSettings) -> bool:
    return not (is_loopback(settings.host) or settings.certificate or settings.proxies)
