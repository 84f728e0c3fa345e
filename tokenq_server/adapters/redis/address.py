"""Parsing ``TOKENQ_REDIS_URL``, and making clients from it."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from redis.asyncio import Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import SettingReason

_PORT = 6379
_CLUSTER = "+cluster"
_SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster")


@dataclass(frozen=True)
class RedisAddress:
    """One server (``nodes`` contains its URL), or seed nodes of a cluster."""

    is_cluster: bool
    nodes: tuple[str, ...]


def read_address(url: str) -> RedisAddress:
    """Parse ``TOKENQ_REDIS_URL``.

    Raises:
        Refused: ``invalid``; the URL cannot be used.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES:
            raise _wrong_url(f"it does not begin with one of {', '.join(f'{name}://' for name in _SCHEMES)}")
        if not parts.scheme.endswith(_CLUSTER):
            _check(parts)
            return RedisAddress(False, (url,))
        return RedisAddress(True, _cluster_nodes(parts))
    except ValueError as error:
        raise _wrong_url("it cannot be parsed") from error


def node_url(seed: str, host: str, port: int) -> str:
    """Return the URL of another node of a cluster, with the same credentials and options."""
    parts = urlsplit(seed)
    credentials, _, _ = parts.netloc.rpartition("@")
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return urlunsplit(parts._replace(netloc=f"{credentials}@{place}" if credentials else place))


def connect(url: str, timeout: float) -> "Redis":
    """Return a client of one server, with this timeout and without retries."""
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        single_connection_client=False,
        max_connections=2,
        decode_responses=True,
        encoding_errors="backslashreplace",  # whatever somebody stored by hand stops no program
    )


def _cluster_nodes(parts: SplitResult) -> tuple[str, ...]:
    if parts.path.strip("/") not in ("", "0"):
        raise _wrong_url("a cluster has database 0 only")
    credentials, _, places = parts.netloc.rpartition("@")
    before = f"{credentials}@" if credentials else ""
    plain = parts._replace(scheme=parts.scheme.removesuffix(_CLUSTER), path="")
    nodes = [plain._replace(netloc=before + place.strip()) for place in places.split(",")]
    for node in nodes:
        _check(node)
    return tuple(urlunsplit(node) for node in nodes)


def _check(parts: SplitResult) -> None:
    if parts.scheme == "unix":
        if not parts.path.strip("/"):
            raise _wrong_url("it has no socket path")
        parse_url(urlunsplit(parts))
        return
    if not parts.hostname:
        raise _wrong_url("it has no host")
    if "," in parts.netloc.rpartition("@")[2]:
        raise _wrong_url("several hosts are only allowed with redis+cluster:// or rediss+cluster://")
    if parts.port == 0:
        raise _wrong_url("port 0 is not a port")
    if (database := parts.path.strip("/")) and not database.isdecimal():
        raise _wrong_url("the database after the host is not a number")
    parse_url(urlunsplit(parts))


def _wrong_url(why: str) -> Refused:
    return refuse(SettingReason.WRONG_REDIS_URL, name="TOKENQ_REDIS_URL", fault=why)


def host_and_port(url: str) -> tuple[str, int]:
    """Return the address of a node."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORT
