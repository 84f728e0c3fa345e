"""The address of the API: where it listens, and how this machine reaches it."""

import errno
import json
import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from tokenq.contract.paths import READYZ
from tokenq.contract.problems import refuse
from tokenq_server.embedded.ports import bound_port
from tokenq_server.embedded.reasons import EmbeddedReason

_TAKEN = (errno.EADDRINUSE,)


def take_port(host: str, port: int) -> int:
    """Return the port for the API; 0 picks any free one.

    Raises:
        Refused: the port is taken or reserved, or the host is not an address of this machine.
    """
    if not 0 <= port <= 65535:
        raise refuse(EmbeddedReason.NO_PORT, port=port)
    try:
        return bound_port(port, host)
    except (socket.gaierror, UnicodeError) as error:
        raise _no_such_host(host) from error
    except PermissionError as error:
        raise refuse(EmbeddedReason.RESERVED_PORT, port=port) from error
    except OSError as error:
        if error.errno not in _TAKEN:
            raise _no_such_host(host) from error
        raise refuse(EmbeddedReason.TAKEN_PORT, port=port, host=host) from error


def _no_such_host(host: str) -> Exception:
    return refuse(EmbeddedReason.NO_HOST, host=host)


def api_url(host: str, port: int) -> str:
    """Return the URL of an API that listens on that host, for programs on this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def takes_tokens(url: str) -> bool:
    """Whether the API is up and reaches its database."""
    return readiness(url)[0]


def readiness(url: str) -> tuple[bool, Mapping[str, str]]:
    """Return whether the API accepts requests, and the parts that it finds up, down or unused; none without answer."""
    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=2)
    try:
        connection.request("GET", READYZ)
        response = connection.getresponse()
        parts: Mapping[str, str] = json.load(response)["parts"]
        return response.status == 200, parts
    except (OSError, HTTPException, ValueError, KeyError):
        return False, {}
    finally:
        connection.close()
