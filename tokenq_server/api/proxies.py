"""Who a request comes from, where a proxy stands between.

Anybody can write X-Forwarded-For. It is believed only as far as the proxies that the setting names have written it:
each puts whom it heard at the end, so the client is the last one there that is no proxy itself. What stands before
that, the client may have made up. ``Forwarded`` and X-Forwarded-Host are never looked at.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

VIA = "tokenq.via"
"""The name in a request's scope under which the proxy stands that was believed."""

_MOST_HOPS = 32


class BehindProxies:
    """Puts the client in the place of the proxy. Plain ASGI.

    A peer without an address, as on a Unix socket, is no proxy that could be named, and is not believed.
    """

    def __init__(self, app: ASGIApp, proxies: Sequence[Network]) -> None:
        self._app = app
        self._is_proxy = lru_cache(maxsize=1024)(lambda host: _is_in(address_of(host), proxies))
        self._client = lru_cache(maxsize=1024)(lambda chain: client_of(chain, proxies))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
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
    """The client that a proxy names; ``None``: it names none that can be read.

    Where all are proxies, it is the last one: those before it may be made up by whoever is among the proxies.
    """
    hops = [address_of(hop) for hop in chain.split(",")[-_MOST_HOPS:]]
    for hop in reversed(hops):
        if hop is None:
            break
        if not _is_in(hop, proxies):
            return str(hop)
    return str(hops[-1]) if hops[-1] else None


def address_of(text: str) -> Address | None:
    """The address that a proxy or a socket writes, with or without a port; an IPv4 address within IPv6 is itself."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def network_of(host: str) -> str:
    """What one person has of the network: an IPv4 address, or a /64 of IPv6, in which addresses cost nothing."""
    address = address_of(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address) if address else host


def _is_in(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in network for network in networks)


def _header(scope: Scope, name: bytes) -> str:
    """All headers of that name, in their order, as one."""
    return b",".join(value for key, value in scope["headers"] if key == name).decode("latin-1")
