"""Checks of a Redis or Valkey server or cluster, for the doctor and at startup."""

from typing import Any

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from tokenq.contract.problems import Refused
from tokenq_server.adapters.redis import functions
from tokenq_server.adapters.redis.address import RedisAddress, connect, host_and_port, read_address
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.adapters.redis.rate_counts import open_counts
from tokenq_server.adapters.redis.slot_map import slots, url_from
from tokenq_server.services.findings import Finding
from tokenq_server.services.ports import LineDown

_PATIENCE = 2.0
_ALL_SLOTS = 16384
_AWAY = (RedisError, OSError, TimeoutError, ValueError)
_DOWN = "Start it, or correct TOKENQ_REDIS_URL. Until then tokens are served from Postgres."
_FUNCTIONS = (
    "Redis 7 or newer is needed, and a user as in deploy/redis/users.acl. Until then Postgres serves the queues."
)
_EVICTS = "Set maxmemory-policy to noeviction: a queue must not be evicted."


async def probe(url: str, functions_url: str = "") -> list[Finding]:
    """Check whether Redis answers, runs our functions, and never evicts; for a cluster, also slots and primaries."""
    try:
        address = read_address(url)
        primaries, findings = await _primaries(address)
        findings += [finding for primary in primaries for finding in await _server(primary, address)]
        return [*findings, await _functions(url, functions_url)]
    except Refused as refusal:
        return [Finding("redis", False, refusal.problem.detail, refusal.problem.hint, refusal.problem.advice)]
    except AuthenticationError:
        return [Finding("redis", False, "refuses the password", "Correct TOKENQ_REDIS_URL.")]
    except _AWAY:
        return [Finding("redis", False, "does not answer", _DOWN)]


async def evicting(url: str) -> list[str]:
    """Return the policies under which it would evict queues; empty if it does not answer.

    Raises:
        Refused: ``invalid``; the URL cannot be used.
    """
    address = read_address(url)
    try:
        primaries, _ = await _primaries(address)
        policies = [_policy(await _info(primary)) for primary in primaries]
    except _AWAY:
        return []
    return sorted({policy for policy in policies if not _is_safe(policy)})


async def _primaries(address: RedisAddress) -> tuple[list[str], list[Finding]]:
    """Return the servers to check, and the findings about their cluster."""
    if not address.is_cluster:
        return list(address.nodes), []
    ranges: list[Any] = []
    seen_by = ""
    for seen_by in address.nodes:
        try:
            ranges = list(await slots(seen_by, _PATIENCE))
            break
        except _AWAY:
            if seen_by == address.nodes[-1]:
                raise
    covered = sum(int(last) - int(first) + 1 for first, last, *_ in ranges)
    primaries = sorted({url_from(seen_by, nodes[0]) for _, _, *nodes in ranges})
    is_whole = covered == _ALL_SLOTS
    detail = f"{len(primaries)} primaries, {covered} of {_ALL_SLOTS} slots"
    hint = "" if is_whole else "Repair the cluster. Until then the affected departments are served from Postgres."
    return primaries, [Finding("redis cluster", is_whole, detail, hint)]


async def _server(url: str, address: RedisAddress) -> list[Finding]:
    where = f" {':'.join(map(str, host_and_port(url)))}" if address.is_cluster else ""
    try:
        info = await _info(url)
    except NoPermissionError:
        return [Finding(f"redis{where}", True, "answers; this user may not ask for its version and settings")]
    except _AWAY:
        if not address.is_cluster:
            raise
        return [Finding(f"redis{where}", False, "does not answer", _DOWN)]
    version = str(info.get("valkey_version") or info["redis_version"])
    is_new = int(str(info["redis_version"]).split(".")[0]) >= 7
    policy = _policy(info)
    is_safe = _is_safe(policy)
    has_aof = str(info.get("aof_enabled", "0")) == "1"
    persistence = "append-only file " + ("on" if has_aof else "off; after a restart, queues are rebuilt from Postgres")
    return [
        Finding(f"redis{where}", is_new, f"version {version}", "" if is_new else "Use version 7 or newer."),
        Finding(f"redis memory{where}", is_safe, f"maxmemory-policy {policy}", "" if is_safe else _EVICTS),
        Finding(f"redis persistence{where}", True, persistence),
    ]


async def _functions(url: str, functions_url: str) -> Finding:
    line = open_line(url, functions_url, timeout=_PATIENCE)
    counts = open_counts(url, functions_url, timeout=_PATIENCE)
    try:
        await line.try_functions()
        if await counts.remembers("doctor") is None:
            return Finding("redis functions", False, "those of rate limits do not run", _FUNCTIONS)
    except LineDown as failure:
        if isinstance(failure.__cause__, NoPermissionError):
            return Finding("redis functions", False, "missing, and this user may not load them", functions.HINT)
        return Finding("redis functions", False, f"do not run: {failure.__cause__ or 'no answer'}", _FUNCTIONS)
    finally:
        await line.close()
        await counts.close()
    return Finding("redis functions", True, "run")


async def _info(url: str) -> dict[str, Any]:
    redis = connect(url, _PATIENCE)
    try:
        info: dict[str, Any] = await redis.info()
    finally:
        await redis.aclose()
    return info


def _policy(info: dict[str, Any]) -> str:
    return str(info.get("maxmemory_policy", "unknown"))


def _is_safe(policy: str) -> bool:
    return policy in ("noeviction", "unknown")
