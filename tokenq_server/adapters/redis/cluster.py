"""The queues on a Redis Cluster: each primary is used on its own, found by the department's slot.

A failing shard affects its own departments only; Postgres answers for those. The driver's cluster client is not used:
it retries up to ten times by itself, while a department's row is locked.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from itertools import islice
from typing import Any, TypeVar

from redis.crc import key_slot
from redis.exceptions import RedisError

from tokenq_server.adapters.redis.address import connect, host_and_port, node_url
from tokenq_server.adapters.redis.waiting_line import RedisLine
from tokenq_server.domain.invariants.department_head import LineCopy
from tokenq_server.services.ports import Advance, Ask, LineAnswer, LineDown, LineEntry, LineState

_LOOKS = 2
"""Nodes asked for the slot map at once: a row lock must not wait for six dead ones."""

Item = TypeVar("Item", Ask, Advance)
Reply = TypeVar("Reply")


class ClusterLine:
    """The queues spread over the primaries; the slot map is read again after every failure."""

    def __init__(self, nodes: Sequence[str], loader: str = "", *, timeout: float = 0.15, pause: float = 0.5) -> None:
        self._loader = loader or nodes[0]
        self._timeout = timeout
        self._pause = pause
        self._nodes = deque(nodes)
        self._shards: dict[str, RedisLine] = {}
        self._owners: list[tuple[int, int, str]] = []
        self._is_map_old = True
        self._look_after = 0.0

    async def ask(self, asks: Sequence[Ask]) -> Sequence[LineAnswer | None]:
        """Answer every ask, with one concurrent round trip per shard."""
        return await self._on_each_shard(asks, RedisLine.ask)

    async def advance(self, steps: Sequence[Advance]) -> Sequence[int | None]:
        """Apply each step whose ``prev`` matches the queue's seq."""
        return await self._on_each_shard(steps, RedisLine.advance)

    async def install(self, ask: Ask, entries: Sequence[LineEntry]) -> None:
        """Replace a department's queue."""
        await self._on_shard_of(ask.department_id, lambda shard: shard.install(ask, entries))

    async def state(self, department_id: str, day: date) -> LineState:
        """Return the queue's state."""
        return await self._on_shard_of(department_id, lambda shard: shard.state(department_id, day))

    async def copy(self, department_id: str, day: date) -> LineCopy | None:
        """Return an atomic copy of the queue; ``None`` if its shard has none."""
        return await self._on_shard_of(department_id, lambda shard: shard.copy(department_id, day))

    async def try_functions(self) -> None:
        """Call a function on one shard; it is loaded if it is missing. Raises LineDown."""
        await self._on_shard_of("doctor", RedisLine.try_functions)

    async def ping(self) -> None:
        """Return if every primary answers."""
        await self._refresh_slots()
        if not self._owners:
            raise LineDown
        try:
            await asyncio.gather(*(self._shards[url].ping() for url in {url for _, _, url in self._owners}))
        except LineDown:
            self._is_map_old = True
            raise

    async def close(self) -> None:
        """Close the connections."""
        for shard in self._shards.values():
            await shard.close()

    async def _on_shard_of(self, department_id: str, send: Callable[[RedisLine], Awaitable[Reply]]) -> Reply:
        await self._refresh_slots()
        shard = self._shard_of(department_id)
        try:
            if shard is None:
                raise LineDown
            return await send(shard)
        except LineDown:
            self._is_map_old = True
            raise

    async def _on_each_shard(
        self, items: Sequence[Item], send: Callable[[RedisLine, Sequence[Item]], Awaitable[Sequence[Reply]]]
    ) -> list[Reply | None]:
        await self._refresh_slots()
        groups: dict[RedisLine | None, list[int]] = {}
        for index, item in enumerate(items):
            groups.setdefault(self._shard_of(item.department_id), []).append(index)
        replies: list[Reply | None] = [None] * len(items)

        async def tell(shard: RedisLine | None, mine: list[int]) -> None:
            try:
                if shard is None:
                    raise LineDown
                for index, reply in zip(mine, await send(shard, [items[index] for index in mine]), strict=True):
                    replies[index] = reply
            except LineDown:
                # Down, or no longer the owner: the next call reads the slot map first.
                self._is_map_old = True

        await asyncio.gather(*(tell(shard, mine) for shard, mine in groups.items()))
        if items and all(reply is None for reply in replies):
            raise LineDown
        return replies

    def _shard(self, url: str) -> RedisLine:
        loader = node_url(self._loader, *host_and_port(url))
        return RedisLine(url, functions_url=loader, timeout=self._timeout, pause=self._pause)

    def _shard_of(self, department_id: str) -> RedisLine | None:
        slot = key_slot(department_id.encode())
        owner = next((url for first, last, url in self._owners if first <= slot <= last), None)
        return self._shards[owner] if owner is not None else None

    async def _refresh_slots(self) -> None:
        """Read the slot map if it may have changed, but not repeatedly while the cluster is unavailable."""
        if not self._is_map_old or time.monotonic() < self._look_after:
            return
        for url in list(islice(self._nodes, _LOOKS)):
            self._nodes.rotate(-1)  # the next attempt asks other nodes: this one may itself be isolated
            try:
                self._learn(url, await slots(url, self._timeout))
                break
            except (RedisError, OSError, TimeoutError):
                continue
        self._look_after = time.monotonic() + self._pause

    def _learn(self, answered_by: str, ranges: Sequence[Any]) -> None:
        owners = []
        for first, last, *nodes in ranges:
            urls = [url_from(answered_by, node) for node in nodes]
            owners.append((int(first), int(last), urls[0]))
            self._shards.setdefault(urls[0], self._shard(urls[0]))
            for url in urls:
                if url not in self._nodes:
                    self._nodes.append(url)
        self._owners = owners
        self._is_map_old = False


async def slots(url: str, timeout: float) -> Sequence[Any]:
    """Ask a node for the slot map: first, last, the primary and its replicas."""
    redis = connect(url, timeout)
    try:
        answer: Sequence[Any] = await redis.execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]  # the driver's own gap
    finally:
        await redis.aclose()
    return answer


def url_from(answered_by: str, node: Sequence[Any]) -> str:
    """Return a node's URL; a node that does not know its own address is at the one asked."""
    host, port = node[0], int(node[1])
    return node_url(answered_by, host_and_port(answered_by)[0] if host in (None, "", "?") else str(host), port)
