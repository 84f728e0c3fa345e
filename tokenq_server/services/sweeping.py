"""The sweeper: looks after departments in which nothing happens.

A busy department keeps itself tidy: each command closes a day that is over and lets Redis catch up. This
does the same for the idle ones, and forgets idempotency keys that are too old to be repeated.
"""

import asyncio
import contextlib
import logging

from tokenq.contract.problems import Refused
from tokenq_server.domain.commands import Tidy
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.requests import Request
from tokenq_server.services.setup import SetupStore

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 5.0


class Sweeper:
    """Tidies every department every few seconds."""

    def __init__(self, commit: GroupCommit, store: SetupStore) -> None:
        self._commit = commit
        self._store = store
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="sweeper")

    async def close(self) -> None:
        """End after the round in hand."""
        self._stop.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        while not self._stop.is_set():
            try:
                await self._sweep()
            except Refused as refusal:
                logger.info("sweeping waits", extra={"why": refusal.problem.detail})
            except Exception:
                logger.exception("sweeping failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _EVERY_SECONDS)

    async def _sweep(self) -> None:
        departments = await self._store.departments()
        work = [self._commit.submit(Request(Tidy(one.department_id))) for one in departments]
        await asyncio.gather(*work, return_exceptions=True)
        await self._store.forget_old_keys()
