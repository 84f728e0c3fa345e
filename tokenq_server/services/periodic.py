"""Periodic background work, from start to close."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from tokenq.contract.problems import Refused

logger = logging.getLogger(__name__)


class Periodic:
    """Runs one round after another. An exception is logged and affects only its round.

    ``pause`` returns the seconds to rest after a round, unless :meth:`wake` ends the rest.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[None]], pause: Callable[[], float]) -> None:
        self._name = name
        self._work = work
        self._pause = pause
        self._wake = asyncio.Event()
        self._is_closing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    def wake(self) -> None:
        """Start the next round now, or right after the current one."""
        self._wake.set()

    async def close(self) -> None:
        """Stop after the current round."""
        self._is_closing = True
        self._wake.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        while not self._is_closing:
            self._wake.clear()
            try:
                await self._work()
            except Refused as refusal:
                logger.info(
                    "periodic work is waiting for the store", extra={"work": self._name, "why": refusal.problem.detail}
                )
            except Exception:
                logger.exception("periodic work failed", extra={"work": self._name})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pause())
