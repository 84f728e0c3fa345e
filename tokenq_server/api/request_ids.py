"""The id of a request: in its answer, in the log lines written meanwhile, and in its security events."""

import random
import re
from collections.abc import Sequence
from functools import lru_cache

from starlette.types import Scope

from tokenq_server.api.proxies import is_in
from tokenq_server.proxy_networks import Network, address_of

HEADER = b"x-request-id"
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class RequestIds:
    """Makes ids; takes over those that trusted proxies have made, so that their logs can be compared."""

    def __init__(self, proxies: Sequence[Network]) -> None:
        self._proxies = proxies
        self._is_proxy = lru_cache(maxsize=1024)(lambda host: is_in(address_of(host), proxies))

    def id_of(self, scope: Scope) -> str:
        """Return the id of a request that has come in."""
        peer = scope.get("client")
        if self._proxies and peer and self._is_proxy(peer[0]):
            given = [value for name, value in scope["headers"] if name == HEADER]
            if len(given) == 1 and _WELL_FORMED.fullmatch(given[0]):
                return str(given[0], "ascii")
        return f"{random.getrandbits(64):016x}"
