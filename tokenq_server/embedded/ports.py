"""Ports of this machine."""

import socket


def free_port(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """Return the preferred port if nothing listens there, else any free one."""
    for port in (preferred, 0):
        try:
            return bound_port(port, host)
        except OSError:
            continue
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
