"""The address of the API: where it listens, and how this machine reaches it."""

import errno
import fcntl
import json
import socket
import struct
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from tokenq.contract.certificates import pinned_context
from tokenq.contract.hosts import is_loopback
from tokenq.contract.paths import READYZ
from tokenq.contract.problems import refuse
from tokenq_server.embedded.ports import bound_port
from tokenq_server.embedded.reasons import EmbeddedReason
from tokenq_server.embedded.reports import EVERY_NETWORK

_TAKEN = (errno.EADDRINUSE,)
_SIOCGIFADDR = 0x8915
_EVERY_NETWORK = (EVERY_NETWORK, "::", "")


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


def api_url(host: str, port: int, *, is_tls: bool = False) -> str:
    """Return the URL of an API that listens on that host, for programs on this machine."""
    reachable = {EVERY_NETWORK: "127.0.0.1", "::": "::1", "": "127.0.0.1"}
    return _url(reachable.get(host, host), port, is_tls)


def network_urls(host: str, port: int, *, is_tls: bool = False) -> tuple[str, ...]:
    """Return the URLs of an API that listens on that host, for other machines."""
    hosts = network_addresses() if host in _EVERY_NETWORK else () if is_loopback(host) else (host,)
    return tuple(_url(address, port, is_tls) for address in hosts)


def network_addresses() -> tuple[str, ...]:
    """Return this machine's IPv4 addresses on networks, the loopback left out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        found = [_address_of(asking, name) for _, name in socket.if_nameindex()]
    return tuple(address for address in found if address and not is_loopback(address))


def _address_of(asking: socket.socket, interface: str) -> str | None:
    """See netdevice(7); an interface that is down or has no IPv4 address has none."""
    request = struct.pack("256s", interface.encode()[:15])
    try:
        return socket.inet_ntoa(fcntl.ioctl(asking, _SIOCGIFADDR, request)[20:24])
    except OSError:
        return None


def _url(host: str, port: int, is_tls: bool) -> str:
    return f"{'https' if is_tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def connection(url: str, fingerprint: str, timeout: float) -> HTTPConnection:
    """Return an unopened connection to this machine's API; ``fingerprint`` is that of its certificate, if any."""
    where = urlsplit(url)
    host = where.hostname or ""
    if fingerprint:
        return HTTPSConnection(host, where.port, timeout=timeout, context=pinned_context(fingerprint))
    return HTTPConnection(host, where.port, timeout=timeout)


def takes_tokens(url: str, fingerprint: str = "") -> bool:
    """Whether the API is up and reaches its database."""
    return readiness(url, fingerprint)[0]


def readiness(url: str, fingerprint: str = "") -> tuple[bool, Mapping[str, str]]:
    """Return whether the API accepts requests, and the parts that it finds up, down or unused; none without answer."""
    api = connection(url, fingerprint, timeout=2)
    try:
        api.request("GET", READYZ)
        response = api.getresponse()
        parts: Mapping[str, str] = json.load(response)["parts"]
        return response.status == 200, parts
    except (OSError, HTTPException, ValueError, KeyError):
        return False, {}
    finally:
        api.close()
