"""The address of the API: what it listens on, and how this machine reaches it."""

import errno
import socket
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from tokenq.contract.paths import READYZ
from tokenq.contract.problems import ProblemCode, refuse
from tokenq_server.embedded.ports import bound_port

_TAKEN = (errno.EADDRINUSE,)


def take_port(host: str, port: int) -> int:
    """The port the API will listen on; 0 is any free one.

    Raises:
        Refused: the port is taken or not ours to take, or the host is no address of this machine.
    """
    if not 0 <= port <= 65535:
        raise refuse(ProblemCode.INVALID, f"There is no port {port}.", "Ports go from 0 (any free one) to 65535.")
    try:
        return bound_port(port, host)
    except (socket.gaierror, UnicodeError) as error:
        raise _no_such_host(host) from error
    except PermissionError as error:
        raise refuse(
            ProblemCode.FORBIDDEN, f"Port {port} is reserved for root.", "Choose one above 1023 with --port."
        ) from error
    except OSError as error:
        if error.errno not in _TAKEN:
            raise _no_such_host(host) from error
        raise refuse(
            ProblemCode.IN_USE,
            f"Port {port} on {host} is already taken.",
            "Choose another one with --port; --port 0 takes any free one.",
        ) from error


def _no_such_host(host: str) -> Exception:
    return refuse(
        ProblemCode.INVALID, f"{host} is no address of this machine.", "Use 127.0.0.1, or 0.0.0.0 for every network."
    )


def api_url(host: str, port: int) -> str:
    """How programs of this machine reach an API that listens on that host."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def takes_tokens(url: str) -> bool:
    """Whether the API there is up and reaches its database."""
    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=2)
    try:
        connection.request("GET", READYZ)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
