"""What only this machine and those who run the place may see: the reference of the API, and its figures."""

import logging
from collections.abc import Collection

from fastapi import Request

from tokenq.contract.enums import Role
from tokenq.contract.hosts import is_loopback
from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.api.auth import Allowed, BearerDep, ServicesDep

logger = logging.getLogger(__name__)

_OF_CALLERS = frozenset({ProblemCode.UNAUTHENTICATED, ProblemCode.FORBIDDEN})
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


class Inside:
    """A dependency that lets this machine in, and from other machines, in production, those with one of the roles.

    With ``warns_first`` others are only logged, unless ``TOKENQ_STRICT`` is set: they were let in until now.
    """

    def __init__(self, roles: Collection[Role], *, warns_first: bool = False) -> None:
        self.roles = frozenset(roles)
        self._allowed = Allowed(roles)
        self._warns_first = warns_first
        self._has_warned = False

    async def __call__(self, request: Request, services: ServicesDep, bearer: BearerDep) -> None:
        """Return if the caller may see it. Raises Refused (``unauthenticated``, ``forbidden``)."""
        settings = services.settings
        if settings.env != "production" or is_local(request):
            return
        try:
            await self._allowed(request, services, bearer)
        except Refused as refusal:
            if settings.strict or not self._warns_first or refusal.problem.code not in _OF_CALLERS:
                raise
            if not self._has_warned:
                self._has_warned = True
                hint = "Give whoever asks a key: the next release refuses others. TOKENQ_STRICT=1 refuses them now."
                logger.warning("figures were asked for without a key", extra={"path": request.url.path, "hint": hint})


def is_local(request: Request) -> bool:
    """Whether the caller is a program of this machine. A proxy here speaks for others, and says so in a header."""
    peer = request.client.host if request.client else ""
    is_forwarded = any(name in request.headers for name in _FORWARDED)
    return is_loopback(peer) and not is_forwarded
