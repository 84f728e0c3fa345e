"""Where requests come from."""

import logging

from starlette.types import Scope

from tokenq_server.api.proxies import VIA
from tokenq_server.proxy_networks import network_of

_FORWARDED = b"x-forwarded-for"
logger = logging.getLogger(__name__)


class _Sources:
    """Finds the network that a request comes from.

    A proxy that is not configured is logged once: all its clients count as one.
    """

    def __init__(self) -> None:
        self._has_warned = False

    def __call__(self, scope: Scope) -> str:
        """Return the network."""
        client = scope.get("client")
        host: str = client[0] if client else ""
        if not self._has_warned and VIA not in scope and any(name == _FORWARDED for name, _ in scope["headers"]):
            self._has_warned = True
            logger.warning(
                "X-Forwarded-For is ignored; if your own proxy sends it, set TOKENQ_TRUSTED_PROXIES",
                extra={"peer": host},
            )
        return network_of(host)


source_of = _Sources()
