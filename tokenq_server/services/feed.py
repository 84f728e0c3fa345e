"""The live feed: every watcher gets each event once, in the order of its department's log.

One reader follows the log for all watchers. A watcher that is too slow is told to refetch (``resync``), so that the
server's memory use stays bounded.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tokenq_server.services.ports import LedgerDown
from tokenq_server.services.publishing import Entry

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
"""What this process has not committed itself is seen so much later."""
_BACKLOG = 500
_QUEUE = 256


def positions_in(text: str) -> dict[str, int]:
    """Return the positions in a text such as ``CW:17,LAB:3``: of each department the last seq. Raises ValueError."""
    return {name: int(seq) for name, _, seq in (part.partition(":") for part in text.split(",") if part)}


class FollowedLog(Protocol):
    """The log as seen by a follower."""

    async def heads(self) -> dict[str, int]:
        """Return the last seq of every department's log. Raises LedgerDown."""

    async def since(self, positions: Mapping[str, int], limit: int) -> list[Entry]:
        """Return the entries after each position, at most ``limit`` per department. Raises LedgerDown."""

    async def close(self) -> None:
        """Close the connection to the store."""


@dataclass(frozen=True)
class Resync:
    """Entries were missed: the watcher must refetch what it shows."""


@dataclass(frozen=True)
class Arrival:
    """An entry, or a resync, and the watcher's position after it."""

    item: Entry | Resync
    positions: dict[str, int]


@dataclass(eq=False)
class _Watcher:
    departments: frozenset[str]
    queue: asyncio.Queue[Entry | Resync | None] = field(default_factory=lambda: asyncio.Queue(_QUEUE))

    def offer(self, entry: Entry) -> None:
        if self.departments and entry.department_id not in self.departments:
            return
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(Resync())
        else:
            self.queue.put_nowait(entry)

    def end(self) -> None:
        while self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Feed:
    """Follows the log while there are watchers."""

    def __init__(self, log: FollowedLog) -> None:
        self._log = log
        self._watchers: set[_Watcher] = set()
        self._positions: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    @property
    def watchers(self) -> int:
        """The number of watchers."""
        return len(self._watchers)

    def start(self) -> None:
        """Start to follow the log."""
        self._task = asyncio.create_task(self._run(), name="feed")

    def wake(self) -> None:
        """Look for new entries now: something was committed."""
        self._wake.set()

    def end(self) -> None:
        """End every watcher's stream and accept no new ones."""
        self._closed = True
        for watcher in self._watchers:
            watcher.end()
        self._wake.set()

    async def close(self) -> None:
        """End every stream and stop."""
        self.end()
        if self._task:
            await self._task
        await self._log.close()

    async def watch(
        self, departments: Collection[str], last: Mapping[str, int] | None
    ) -> AsyncGenerator[Arrival | None, None]:
        """Yield entries from now, or from position ``last`` on; ``None`` once at the start and every second of silence.

        After the first ``None``, nothing committed later is missed.

        Raises:
            LedgerDown: the log cannot be read now.
        """
        watcher = _Watcher(frozenset(departments))
        heads = await self._log.heads()
        if not self._watchers:
            self._positions = dict(heads)
        self._watchers.add(watcher)
        self._wake.set()
        try:
            yield None
            positions = {name: seq for name, seq in heads.items() if not departments or name in departments}
            if last is not None:
                async for arrival in self._backlog(positions, last):
                    yield arrival
            while not self._closed:
                try:
                    item = await asyncio.wait_for(watcher.queue.get(), 1.0)
                except TimeoutError:
                    yield None
                    continue
                if item is None:
                    return
                if isinstance(item, Entry):
                    if item.seq <= positions.get(item.department_id, 0):
                        continue
                    positions[item.department_id] = item.seq
                yield Arrival(item, positions)
        finally:
            self._watchers.discard(watcher)

    async def _backlog(self, positions: dict[str, int], last: Mapping[str, int]) -> AsyncIterator[Arrival]:
        """Bring a returning watcher from ``last`` to ``positions``, which advances as entries are sent."""
        starts = {name: last.get(name, 0) for name in positions}
        is_sane = all(seq <= positions[name] <= seq + _BACKLOG for name, seq in starts.items())
        missed = await self._log.since(starts, _BACKLOG + 1) if is_sane else []
        if not is_sane or not _follow(missed, starts, positions):
            yield Arrival(Resync(), positions)
            return
        for entry in missed:
            starts[entry.department_id] = entry.seq
            positions[entry.department_id] = max(entry.seq, positions[entry.department_id])
            yield Arrival(entry, starts)

    async def _run(self) -> None:
        while not self._closed:
            if not self._watchers:
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await self._distribute()
            except LedgerDown:
                await self._log.close()
                await asyncio.sleep(0.5)
            except Exception:
                logger.exception("following the log failed")
                await asyncio.sleep(0.5)
            with contextlib.suppress(TimeoutError):
                self._wake.clear()
                await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)

    async def _distribute(self) -> None:
        heads = await self._log.heads()
        grown = {
            name: self._positions.get(name, 0) for name, seq in heads.items() if seq > self._positions.get(name, 0)
        }
        for entry in await self._log.since(grown, _BACKLOG) if grown else []:
            self._positions[entry.department_id] = entry.seq
            for watcher in self._watchers:
                watcher.offer(entry)


def _follow(entries: Sequence[Entry], starts: Mapping[str, int], ends: Mapping[str, int]) -> bool:
    """Whether the entries go on directly behind ``starts``: older ones may be deleted."""
    firsts: dict[str, int] = {}
    for entry in entries:
        firsts.setdefault(entry.department_id, entry.seq)
    return all(ends[name] == seq or firsts.get(name) == seq + 1 for name, seq in starts.items())
