"""Tells the relay that something was committed, so that it need not ask all the time."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tokenq_server.services.ports import LedgerDown

logger = logging.getLogger(__name__)

QUIET_SECONDS = 0.25
"""Between two rings. Whoever hears one must look again by itself for longer than that."""


class Bell:
    """Rings soon after a commit, without anybody waiting for it. A ring that fails is not repeated."""

    def __init__(self, ring: Callable[[], Awaitable[None]]) -> None:
        self._ring = ring
        self._rung_at = -QUIET_SECONDS
        self._ringing: asyncio.Task[None] | None = None

    def committed(self) -> None:
        """Something was committed."""
        now = time.monotonic()
        if self._ringing is None and now - self._rung_at > QUIET_SECONDS:
            self._rung_at = now
            self._ringing = asyncio.create_task(self._ring_once(), name="bell")

    async def close(self) -> None:
        """Wait for the last ring."""
        if self._ringing is not None:
            await self._ringing

    async def _ring_once(self) -> None:
        try:
            with suppress(LedgerDown):
                await self._ring()
        except Exception:
            logger.exception("the relay could not be told")
        finally:
            self._ringing = None
