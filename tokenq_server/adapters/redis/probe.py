"""Looking at a Redis or Valkey as the doctor does."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from tokenq_server.services.findings import Finding


async def probe(url: str) -> list[Finding]:
    """Whether Redis answers, has functions, and never evicts."""
    redis: Redis = Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=2, decode_responses=True)
    try:
        info = await redis.info()
        version = str(info.get("valkey_version") or info["redis_version"])
        is_new = int(str(info["redis_version"]).split(".")[0]) >= 7
        findings = [Finding("redis", is_new, f"version {version}", "" if is_new else "Use 7 or newer.")]
        policy = str(info.get("maxmemory_policy", "unknown"))
        is_safe = policy in ("noeviction", "unknown")
        hint = "" if is_safe else "Set maxmemory-policy to noeviction: a queue must not be evicted."
        findings.append(Finding("redis memory", is_safe, f"maxmemory-policy {policy}", hint))
        has_aof = str(info.get("aof_enabled", "0")) == "1"
        detail = (
            "append-only file on"
            if has_aof
            else "append-only file off; after a restart lines are rebuilt from Postgres"
        )
        findings.append(Finding("redis persistence", True, detail))
    except AuthenticationError:
        return [Finding("redis", False, "refuses the password", "Correct TOKENQ_REDIS_URL.")]
    except (RedisError, ResponseError, OSError, TimeoutError, ValueError):
        hint = "Start it, or correct TOKENQ_REDIS_URL. Until then tokens are served from Postgres."
        return [Finding("redis", False, "does not answer", hint)]
    finally:
        await redis.aclose()
    return findings
