"""Rate limits by the address that a request comes from."""

import logging
from typing import Annotated

from fastapi import Depends, Request

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import RequestReason
from tokenq_server.api.auth import ServicesDep
from tokenq_server.api.proxies import VIA, network_of
from tokenq_server.domain.budgets import Budget, Use

logger = logging.getLogger(__name__)

_MINUTE = 60.0
_told: set[str] = set()


async def _source(request: Request) -> str:
    """Return the network that a request comes from.

    A proxy that is not configured is logged once: all its clients count as one.
    """
    host = request.client.host if request.client else ""
    if not _told and VIA not in request.scope and "x-forwarded-for" in request.headers:
        _told.add(host)
        logger.warning(
            "X-Forwarded-For is ignored; if your own proxy sends it, set TOKENQ_TRUSTED_PROXIES",
            extra={"peer": host},
        )
    return network_of(host)


SourceDep = Annotated[str, Depends(_source)]


async def _limited(source: SourceDep, services: ServicesDep) -> None:
    """Refuse too many requests from one address to what needs no login. Raises Refused (``rate_limited``)."""
    free = services.settings.limit_public_requests
    budget = Budget("public", free, _MINUTE / max(free, 1), is_counted_later=True)
    if exceeded := await services.limits.take([Use(budget, source)]):
        raise refuse(RequestReason.TOO_MANY, {"retryAfter": exceeded.seconds}, seconds=exceeded.seconds)


LIMITED = Depends(_limited)
"""For public routes; those with a login count by the caller, after it."""
