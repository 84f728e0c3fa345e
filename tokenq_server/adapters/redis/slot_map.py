"""Which primary of a Redis Cluster owns a key. The map is read again after every failure.

The driver's cluster client is not used: it retries up to ten times by itself, while a department's row is locked or a
request waits.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from redis.crc import key_slot
from redis.exceptions import RedisError

from tokenq_server.adapters.redis.address import connect, host_and_port, node_url

_LOOKS = 2
"""Nodes asked for the slot map at once: a row lock must not wait for six dead ones."""

Shard = TypeVar("Shard")


class SlotMap(Generic[Shard]):
    """The primaries of a cluster, each with what ``open_shard`` returned for its URL."""

    def __init__(
        self, nodes: Sequence[str], open_shard: Callable[[str], Shard], *, timeout: float, pause: float
    ) -> None:
        self._timeout = timeout
        self._pause = pause
        self._open_shard = open_shard
        self._nodes = deque(nodes)
        self._shards: dict[str, Shard] = {}
        self._owners: list[tuple[int, int, str]] = []
        self._is_old = True
        self._look_after = 0.0

    @property
    def primaries(self) -> list[Shard]:
        """Those that own slots."""
        return [self._shards[url] for url in {url for _, _, url in self._owners}]

    @property
    def shards(self) -> list[Shard]:
        """Every one opened so far."""
        return list(self._shards.values())

    def owner_of(self, tag: str) -> Shard | None:
        """Return the primary of the keys with this hash tag; ``None`` if none is known."""
        slot = key_slot(tag.encode())
        owner = next((url for first, last, url in self._owners if first <= slot <= last), None)
        return self._shards[owner] if owner is not None else None

    def expect_changes(self) -> None:
        """A primary is down, or no longer the owner: the next use reads the map first."""
        self._is_old = True

    async def refresh(self) -> None:
        """Read the map if it may have changed, but not repeatedly while the cluster is unavailable."""
        if not self._is_old or time.monotonic() < self._look_after:
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
            if urls[0] not in self._shards:
                self._shards[urls[0]] = self._open_shard(urls[0])
            for url in urls:
                if url not in self._nodes:
                    self._nodes.append(url)
        self._owners = owners
        self._is_old = False


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
