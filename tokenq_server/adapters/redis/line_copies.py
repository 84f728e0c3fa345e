"""Atomic, read-only copies of the queues in Redis, for verification."""

from collections.abc import Mapping
from datetime import date

from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.domain.invariants.department_head import LineCopy

_TIMEOUT_SECONDS = 5.0


class RedisLineCopies:
    """Reads queues on connections of its own."""

    def __init__(self, url: str) -> None:
        self._line = open_line(url, timeout=_TIMEOUT_SECONDS)

    async def read(self, days: Mapping[str, date]) -> dict[str, LineCopy]:
        """Return a copy of every queue in Redis. Raises LineDown."""
        copies = {name: await self._line.copy(name, day) for name, day in days.items()}
        return {name: copy for name, copy in copies.items() if copy}

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()
