"""The waiting lines as verifying reads them: each in one step, and nothing is changed."""

from collections.abc import Mapping
from datetime import date

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tokenq_server.adapters.redis.waiting_line import keys, place_of
from tokenq_server.domain.invariants.standing import LineCopy
from tokenq_server.services.ports import LineDown

_TIMEOUT_SECONDS = 5.0


class RedisLineCopies:
    """Reads lines on a connection of its own."""

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            decode_responses=True,
        )

    async def read(self, days: Mapping[str, date]) -> dict[str, LineCopy]:
        """A copy of every line that Redis knows."""
        try:
            copies = {name: await self._copy(name, day) for name, day in days.items()}
        except (RedisError, OSError, TimeoutError) as error:
            raise LineDown from error
        return {name: copy for name, copy in copies.items() if copy}

    async def close(self) -> None:
        """Give the connection back."""
        await self._redis.aclose()

    async def _copy(self, department_id: str, day: date) -> LineCopy | None:
        meta, counter, line = keys(department_id, day, "meta", "ctr", "q")
        async with self._redis.pipeline(transaction=True) as transaction:
            transaction.hget(meta, "seq")
            transaction.get(counter)
            transaction.zrange(line, 0, -1, withscores=True)
            seq, last_no, members = await transaction.execute()
        if seq is None:
            return None
        return LineCopy(int(seq), int(last_no or 0), {_id(name): place_of(int(score)) for name, score in members})


def _id(member: str) -> int:
    return int(member) if member.isdecimal() else -1
