"""Ports of this machine."""

import random
import socket
from contextlib import suppress
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 20_000
_TRIES = 100


def free_port(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """Return the preferred port if nothing listens there, else any free one.

    The kernel takes ports for outgoing connections from a range of its own. A server that starts a moment later could
    meet such a connection on its port for as long as that stays open, so others come first.
    """
    for port in (*([preferred] if preferred else []), *_outside_the_kernels_range(), 0):
        with suppress(OSError):
            return bound_port(port, host)
    raise AssertionError("the system has no free port")


def bound_port(port: int, host: str) -> int:
    """Bind the port briefly to check that it is available; 0 asks the system for one.

    Raises:
        OSError: it is in use, or ``host`` is not an address of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind(address)
        port_of: int = trial.getsockname()[1]
    return port_of


def _outside_the_kernels_range() -> list[int]:
    try:
        first = int(_RANGE.read_text().split()[0])
    except (OSError, ValueError):
        return []  # not Linux
    ports = range(_LOWEST, first)
    return random.sample(ports, min(_TRIES, len(ports)))
