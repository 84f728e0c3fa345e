"""Rate limits counted in Redis, so that all processes share them.

The functions are in ``limits.lua``. A key is a hash: no name and no address can be read in Redis, though somebody who
may read it could try all IPv4 addresses. Each key has a hash tag and a lifetime of its own.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol

from redis.exceptions import RedisError

from tokenq_server.adapters.redis.address import connect, host_and_port, node_url, read_address
from tokenq_server.adapters.redis.functions import Library, is_unknown
from tokenq_server.adapters.redis.slot_map import SlotMap
from tokenq_server.domain.budgets import Standing, Use

logger = logging.getLogger(__name__)

_FUNCTIONS = Library("limits.lua")


class _Call(NamedTuple):
    function: str
    tag: str
    values: tuple[Any, ...] = ()


class _Server(Protocol):
    async def send(self, calls: Sequence[_Call]) -> Sequence[Any]:
        """Return the reply to each call; ``None`` if there is none. Never raises for a failing Redis."""

    async def close(self) -> None:
        """Close the connections."""


_Ask = tuple[Sequence[_Call], "asyncio.Future[list[Any]]"]


class RedisCounts:
    """Implements ``RateCounts``. What is asked while a request is under way goes into the next one, for all callers.

    A caller that is cancelled takes no reply from another: one task sends everything.
    """

    def __init__(self, server: _Server, clock: Callable[[], float] | None = None) -> None:
        self._server = server
        self._clock = clock
        self._asked: list[_Ask] = []
        self._sending: asyncio.Task[None] | None = None

    async def take(self, uses: Sequence[Use]) -> list[Standing | None]:
        """Count each use that its budget allows."""
        return [_standing(reply) for reply in await self._ask([self._call("take", use) for use in uses])]

    async def add(self, uses: Sequence[Use]) -> list[Standing | None]:
        """Count the uses whatever the budgets allow; a negative cost gives back."""
        return [_standing(reply) for reply in await self._ask([self._call("add", use) for use in uses])]

    async def forget(self, uses: Sequence[Use]) -> None:
        """Start from nothing again."""
        await self._ask([_Call("forget", _tag(use)) for use in uses])

    async def remember(self, fact: str, seconds: float) -> None:
        """Remember a fact for so long."""
        await self._ask([_Call("remember", _hash(fact), (int(seconds * 1000),))])

    async def remembers(self, fact: str) -> bool | None:
        """Whether a fact is remembered."""
        (reply,) = await self._ask([_Call("remembers", _hash(fact))])
        return None if reply is None else bool(int(reply))

    async def close(self) -> None:
        """Finish what was asked, and close the connections."""
        if self._sending:
            await self._sending
        await self._server.close()

    def _call(self, function: str, use: Use) -> _Call:
        budget, now = use.budget, "" if self._clock is None else int(self._clock() * 1000)
        milliseconds = f"{budget.seconds * 1000:.6f}"
        values = now, milliseconds, budget.free, int(budget.longest_wait * 1000), use.cost
        return _Call(function, _tag(use), values)

    async def _ask(self, calls: Sequence[_Call]) -> list[Any]:
        if not calls:
            return []
        replies: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._asked.append((calls, replies))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all(), name="rate-counts")
        return await replies

    async def _send_all(self) -> None:
        while self._asked:
            taken, self._asked = self._asked, []
            replies = iter(await self._send([call for calls, _ in taken for call in calls]))
            for calls, future in taken:
                mine = list(islice(replies, len(calls)))
                if not future.done():
                    future.set_result(mine)
        self._sending = None

    async def _send(self, calls: Sequence[_Call]) -> Sequence[Any]:
        try:
            return await self._server.send(calls)
        except Exception:
            logger.exception("rate limits could not be counted in Redis")
            return [None] * len(calls)


class _OneServer:
    """One Redis. After a failure it is left alone for a while: no request waits for it more than once.

    ``functions_url`` is the same server as a user that may load functions.
    """

    def __init__(self, url: str, functions_url: str, timeout: float, pause: float) -> None:
        self._redis = connect(url, timeout)
        self._functions_url = functions_url
        self._timeout = timeout
        self._pause = pause
        self._down_until = 0.0

    async def send(self, calls: Sequence[_Call]) -> Sequence[Any]:
        """Return the reply to each call; ``None`` if there is none."""
        if time.monotonic() < self._down_until:
            return [None] * len(calls)
        try:
            replies = await self._pipeline(calls)
            if any(is_unknown(reply) for reply in replies):
                await _FUNCTIONS.load(self._functions_url, self._timeout)
                replies = await self._pipeline(calls)
        except (RedisError, OSError, TimeoutError):
            self._down_until = time.monotonic() + self._pause
            return [None] * len(calls)
        return [None if isinstance(reply, Exception) else reply for reply in replies]

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _pipeline(self, calls: Sequence[_Call]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for call in calls:
            pipeline.fcall(_FUNCTIONS.name(f"limit_{call.function}"), 1, f"tq:limit:{{{call.tag}}}", *call.values)
        return list(await pipeline.execute(raise_on_error=False))


class _Cluster:
    """The primaries of a cluster; each key is counted by the owner of its slot."""

    def __init__(self, nodes: Sequence[str], loader: str, timeout: float, pause: float) -> None:
        def shard(url: str) -> _OneServer:
            return _OneServer(url, node_url(loader, *host_and_port(url)), timeout, pause)

        self._map = SlotMap(nodes, shard, timeout=timeout, pause=pause)

    async def send(self, calls: Sequence[_Call]) -> Sequence[Any]:
        """Return the reply to each call; ``None`` if there is none."""
        await self._map.refresh()
        replies: list[Any] = [None] * len(calls)
        groups: dict[_OneServer | None, list[int]] = {}
        for index, call in enumerate(calls):
            groups.setdefault(self._map.owner_of(call.tag), []).append(index)

        async def ask(shard: _OneServer | None, mine: list[int]) -> None:
            found: Sequence[Any] = await shard.send([calls[index] for index in mine]) if shard else [None]
            for index, reply in zip(mine, found, strict=False):
                replies[index] = reply
            if None in found:
                self._map.expect_changes()

        await asyncio.gather(*(ask(shard, mine) for shard, mine in groups.items()))
        return replies

    async def close(self) -> None:
        """Close the connections."""
        for shard in self._map.shards:
            await shard.close()


def open_counts(
    url: str,
    functions_url: str = "",
    *,
    timeout: float = 0.15,
    pause: float = 2.0,
    clock: Callable[[], float] | None = None,
) -> RedisCounts:
    """Return the counts on one server or a cluster; they connect on first use. Tests give a ``clock`` in seconds.

    ``functions_url`` is the same server or cluster as a user that may load functions, if ``url`` is none.

    Raises:
        Refused: ``invalid``; the URL cannot be used.
    """
    address = read_address(url)
    (loader, *_) = read_address(functions_url or url).nodes
    if address.is_cluster:
        return RedisCounts(_Cluster(address.nodes, loader, timeout, pause), clock)
    return RedisCounts(_OneServer(address.nodes[0], loader, timeout, pause), clock)


def _standing(reply: Any) -> Standing | None:
    if reply is None:
        return None
    used, wait, pause = map(float, reply)
    return Standing(used, wait / 1000, pause / 1000)


def _tag(use: Use) -> str:
    return _hash(f"{use.budget.name}\0{use.whose}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
