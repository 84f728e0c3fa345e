"""The networks of trusted proxies, as ``TOKENQ_TRUSTED_PROXIES`` names them."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

_WIDEST = 8
"""The shortest prefix allowed: wider networks are a mistake."""


def parse_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
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
