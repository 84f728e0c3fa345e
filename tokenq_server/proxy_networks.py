"""Addresses and networks: whom one belongs to, and the trusted proxies, as ``TOKENQ_TRUSTED_PROXIES`` names them."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_WIDEST = 8
"""The shortest prefix allowed: wider networks are a mistake."""


def parse_networks(text: str) -> tuple[Network, ...]:
    """Parse comma-separated addresses and networks. Raises ValueError."""
    networks = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        try:
            network = ip_network(word, strict=False)
        except ValueError:
            if word != "*":
                raise ValueError(f"'{word}' is not an address or a network") from None
            network = ip_network("0.0.0.0/0")
        if network.prefixlen < _WIDEST:
            raise ValueError(f"'{word}' is too wide: nearly any client could forge its address")
        if "/" in word and ip_address(word.partition("/")[0]) != network.network_address:
            raise ValueError(f"'{word}' is an address in a network: write {network}, or the address alone")
        networks.append(network)
    return tuple(networks)


def address_of(text: str) -> Address | None:
    """Parse an address with or without a port; an IPv4-mapped IPv6 address becomes IPv4."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=1024)
def network_of(host: str) -> str:
    """The network that one client controls: an IPv4 address, or a /64 of IPv6."""
    address = address_of(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address) if address else host
