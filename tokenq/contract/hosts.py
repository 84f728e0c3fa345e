"""Hosts by name or address, and the addresses of servers."""

from urllib.parse import urlsplit, urlunsplit


def normal_url(url: str) -> str:
    """Return a server's address in the one form by which it is compared: scheme and host in lower case, no last slash.

    What is no address is returned as it is; whoever uses it refuses it.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.lower())).rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that host."""
    if host in ("localhost", "127.0.0.1", "::1"):
        return True
    from ipaddress import ip_address  # costs a command a millisecond

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
