"""Near turns: tells the log who has come so near the head of the line as its owner wants to know.

Looked at beside the batches, not in them: a call must not wait for it. The batch then decides under its lock,
so that two processes that look at once tell nobody twice.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Protocol

from tokenq.contract.problems import Refused
from tokenq_server.domain.commands import TellNear
from tokenq_server.domain.policy import Waiting, in_order
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.reading import Snapshot
from tokenq_server.services.requests import Request

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Wish:
    """A department in which somebody wants to be told; ``furthest`` is the largest place asked for."""

    department_id: str
    furthest: int


class NearTurnStore(Protocol):
    """Where it is known who wants to be told."""

    async def near_turn_wishes(self) -> list[Wish]:
        """The departments in which somebody who waits wants to be told and was not yet."""

    async def snapshot(self, department_id: str, heads: int) -> Snapshot | None:
        """A department now, with the first ``heads`` of each class in line."""


class NearTurns:
    """Looks at the lines every second."""

    def __init__(self, commit: GroupCommit, store: NearTurnStore) -> None:
        self._commit = commit
        self._store = store
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="near-turns")

    async def close(self) -> None:
        """End after the round in hand."""
        self._stop.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        while not self._stop.is_set():
            try:
                for wish in await self._store.near_turn_wishes():
                    await self._tell(wish)
            except Refused as refusal:
                logger.info("telling near turns waits", extra={"why": refusal.problem.detail})
            except Exception:
                logger.exception("telling near turns failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _EVERY_SECONDS)

    async def _tell(self, wish: Wish) -> None:
        snapshot = await self._store.snapshot(wish.department_id, wish.furthest)
        if snapshot and (places := near(snapshot)):
            await self._commit.submit(Request(TellNear(wish.department_id, places)))


def near(snapshot: Snapshot) -> tuple[tuple[int, int], ...]:
    """Who stands at or before the place at which they want to be told, with that place."""
    tokens = {token.token_id: token for token in snapshot.line}
    line = (Waiting(one.token_id, one.priority, one.place, one.waiting_since) for one in snapshot.line)
    order = in_order(line, snapshot.standing.turn, snapshot.department.policy, snapshot.now)
    found = []
    for place, choice in enumerate(order, 1):
        token = tokens[choice.waiting.token_id]
        if place <= token.near_turn and not token.is_near_told:
            found.append((token.token_id, place))
    return tuple(found)
