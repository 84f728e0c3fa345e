"""The waiting lines as verifying reads them: each at one moment, and nothing is changed."""

from collections.abc import Mapping
from datetime import date

from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.domain.invariants.department_head import LineCopy

_TIMEOUT_SECONDS = 5.0


class RedisLineCopies:
    """Reads lines on connections of its own."""

    def __init__(self, url: str) -> None:
        self._line = open_line(url, timeout=_TIMEOUT_SECONDS)

    async def read(self, days: Mapping[str, date]) -> dict[str, LineCopy]:
        """A copy of every line that Redis knows. Raises LineDown."""
        copies = {name: await self._line.copy(name, day) for name, day in days.items()}
        return {name: copy for name, copy in copies.items() if copy}

    async def close(self) -> None:
        """Give the connections back."""
        await self._line.close()
