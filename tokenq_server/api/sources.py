"""Where requests come from."""

import logging

from fastapi import Request

from tokenq_server.api.proxies import VIA
from tokenq_server.proxy_networks import network_of

logger = logging.getLogger(__name__)


class _Sources:
    """Finds the network that a request comes from.

    A proxy that is not configured is logged once: all its clients count as one.
    """

    def __init__(self) -> None:
        self._has_warned = False

    def __call__(self, request: Request) -> str:
        """Return the network."""
        host = request.client.host if request.client else ""
        if not self._has_warned and VIA not in request.scope and "x-forwarded-for" in request.headers:
            self._has_warned = True
            logger.warning(
                "X-Forwarded-For is ignored; if your own proxy sends it, set TOKENQ_TRUSTED_PROXIES",
                extra={"peer": host},
            )
        return network_of(host)


source_of = _Sources()
