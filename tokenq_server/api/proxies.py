"""The client's address behind proxies.

Anyone can send X-Forwarded-For. It is trusted only as far as the configured proxies have written it: each appends the
address it received the request from, so the client is the last address that is not a proxy itself. Earlier ones may be
forged. ``Forwarded`` and X-Forwarded-Host are ignored.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from tokenq_server.proxy_networks import Address, Network, address_of

VIA = "tokenq.via"
"""The key in a request's scope for the trusted proxy."""

_MOST_HOPS = 32


class BehindProxies:
    """Replaces the proxy's address by the client's. Plain ASGI.

    A peer without an address, as on a Unix socket, cannot be configured as a proxy and is not trusted.
    """

    def __init__(self, app: ASGIApp, proxies: Sequence[Network]) -> None:
        self._app = app
        self._is_proxy = lru_cache(maxsize=1024)(lambda host: is_in(address_of(host), proxies))
        self._client = lru_cache(maxsize=1024)(lambda chain: client_of(chain, proxies))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        peer = scope.get("client")
        if scope["type"] in ("http", "websocket") and peer and self._is_proxy(peer[0]):
            scope[VIA] = peer[0]
            if client := self._client(_header(scope, b"x-forwarded-for")):
                scope["client"] = (client, 0)
            scheme = _header(scope, b"x-forwarded-proto").rpartition(",")[2].strip().lower()
            if scope["type"] == "http" and scheme in ("http", "https"):
                scope["scheme"] = scheme
        await self._app(scope, receive, send)


def client_of(chain: str, proxies: Sequence[Network]) -> str | None:
    """Return the client that a proxy names; ``None`` if it names none that can be read.

    If all are proxies, it is the last one: earlier ones may be forged by a client among the proxies.
    """
    hops = [address_of(hop) for hop in chain.split(",")[-_MOST_HOPS:]]
    for hop in reversed(hops):
        if hop is None:
            break
        if not is_in(hop, proxies):
            return str(hop)
    return str(hops[-1]) if hops[-1] else None


def is_in(address: Address | None, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of the networks."""
    return address is not None and any(address in network for network in networks)


def _header(scope: Scope, name: bytes) -> str:
    """Join all headers of that name, in order."""
    return b",".join(value for key, value in scope["headers"] if key == name).decode("latin-1")
