"""The queues on a Redis Cluster: each primary is used on its own, found by the department's slot.

A failing shard affects its own departments only; Postgres answers for those.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import TypeVar

from tokenq_server.adapters.redis.address import host_and_port, node_url
from tokenq_server.adapters.redis.slot_map import SlotMap
from tokenq_server.adapters.redis.waiting_line import RedisLine
from tokenq_server.domain.invariants.department_head import LineCopy
from tokenq_server.services.ports import Advance, Ask, LineAnswer, LineDown, LineEntry, LineState

Item = TypeVar("Item", Ask, Advance)
Reply = TypeVar("Reply")


class ClusterLine:
    """The queues spread over the primaries; the slot map is read again after every failure."""

    def __init__(self, nodes: Sequence[str], loader: str = "", *, timeout: float = 0.15, pause: float = 0.5) -> None:
        def shard(url: str) -> RedisLine:
            functions_url = node_url(loader or nodes[0], *host_and_port(url))
            return RedisLine(url, functions_url=functions_url, timeout=timeout, pause=pause)

        self._map = SlotMap(nodes, shard, timeout=timeout, pause=pause)

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
        await self._map.refresh()
        primaries = self._map.primaries
        if not primaries:
            raise LineDown
        try:
            await asyncio.gather(*(shard.ping() for shard in primaries))
        except LineDown:
            self._map.expect_changes()
            raise

    async def close(self) -> None:
        """Close the connections."""
        for shard in self._map.shards:
            await shard.close()

    async def _on_shard_of(self, department_id: str, send: Callable[[RedisLine], Awaitable[Reply]]) -> Reply:
        await self._map.refresh()
        shard = self._map.owner_of(department_id)
        try:
            if shard is None:
                raise LineDown
            return await send(shard)
        except LineDown:
            self._map.expect_changes()
            raise

    async def _on_each_shard(
        self, items: Sequence[Item], send: Callable[[RedisLine, Sequence[Item]], Awaitable[Sequence[Reply]]]
    ) -> list[Reply | None]:
        await self._map.refresh()
        groups: dict[RedisLine | None, list[int]] = {}
        for index, item in enumerate(items):
            groups.setdefault(self._map.owner_of(item.department_id), []).append(index)
        replies: list[Reply | None] = [None] * len(items)

        async def tell(shard: RedisLine | None, mine: list[int]) -> None:
            try:
                if shard is None:
                    raise LineDown
                for index, reply in zip(mine, await send(shard, [items[index] for index in mine]), strict=True):
                    replies[index] = reply
            except LineDown:
                self._map.expect_changes()

        await asyncio.gather(*(tell(shard, mine) for shard, mine in groups.items()))
        if items and all(reply is None for reply in replies):
            raise LineDown
        return replies
