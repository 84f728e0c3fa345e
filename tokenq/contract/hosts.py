"""Hosts by name or address."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that host."""
    if host in ("localhost", "127.0.0.1", "::1"):
        return True
    from ipaddress import ip_address  # costs a command a millisecond

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
