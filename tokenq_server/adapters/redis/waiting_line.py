"""The queues on one Redis: small server-side functions that take the expected value.

Only the group-commit task may use it: a cancelled call would leave its reply for the next caller.
"""

import asyncio
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from redis.exceptions import NoPermissionError, RedisError, ResponseError

from tokenq_server.adapters.redis.address import connect
from tokenq_server.adapters.redis.functions import Library, is_unknown
from tokenq_server.adapters.redis.values import DAMAGED, MIDDLE, WIDTH, copy_of, token_id_of
from tokenq_server.domain.invariants.department_head import LineCopy
from tokenq_server.domain.policy import RANK
from tokenq_server.services.ports import Advance, Ask, LineAnswer, LineDown, LineEntry, LineState

_MOST_VALUES = 900
"""Values of one call: hosted servers limit the arguments of a command. Divisible by two and three."""
_FUNCTIONS = Library("tokenq.lua")


class RedisLine:
    """One queue per department; keys ``tq:{DEPT}:…`` share a slot.

    ``functions_url`` is the same server as a user that may load functions, if ``url`` is none.
    """

    def __init__(self, url: str, *, functions_url: str = "", timeout: float = 0.15, pause: float = 0.5) -> None:
        self._redis = connect(url, timeout)
        self._functions_url = functions_url or url
        self._timeout = timeout
        self._pause = pause
        self._down_until = 0.0

    async def ask(self, asks: Sequence[Ask]) -> list[LineAnswer]:
        """Answer every ask in one round trip."""
        calls = [("ask", keys(ask.department_id, ask.day, "meta", "ctr", "q"), _ask_values(ask)) for ask in asks]
        replies = await self._call(calls)
        return [_answer(*reply) for reply in replies]

    async def advance(self, steps: Sequence[Advance]) -> list[int]:
        """Apply each step whose ``prev`` matches the queue's seq."""
        calls, advances = [], []
        for step in steps:
            key_names = keys(step.department_id, step.day, "meta", "ctr", "q")
            changes: list[Any] = []
            for change in step.changes:
                changes += ["+" if change.joins else "-", _score(change.entry), _member(change.entry)]
            if len(changes) > _MOST_VALUES:
                (aside,) = keys(step.department_id, step.day, f"changes:{secrets.token_hex(4)}")
                calls += [("collect", [aside], chunk) for chunk in _chunks(changes)]
                key_names, changes = [*key_names, aside], []
            advances.append(len(calls))
            calls.append(("advance", key_names, [step.prev, step.new, step.last_no, *changes]))
        replies = await self._call(calls)
        return [int(replies[index]) for index in advances]

    async def install(self, ask: Ask, entries: Sequence[LineEntry]) -> None:
        """Replace a department's queue."""
        # A unique name: a late part of a rebuild that timed out must not get into this one.
        attempt = f"q:new:{secrets.token_hex(4)}"
        meta, counter, line, staged = keys(ask.department_id, ask.day, "meta", "ctr", "q", attempt)
        for chunk in _chunks([value for entry in entries for value in (_score(entry), _member(entry))]):
            await self._call([("stage", [staged], chunk)])
        await self._call([("install", [meta, counter, line, staged], [ask.last_no, ask.last_seq])])

    async def state(self, department_id: str, day: date) -> LineState:
        """Return the queue's state in one round trip."""
        meta, counter, line = keys(department_id, day, "meta", "ctr", "q")
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hget(meta, "seq")
        pipeline.get(counter)
        pipeline.zrange(line, 0, -1)
        try:
            seq, last_no, members = await self._run(pipeline.execute())
            return LineState(int(seq or -1), int(last_no or 0), [int(member) for member in members])
        except (ResponseError, ValueError) as error:
            raise LineDown from error

    async def copy(self, department_id: str, day: date) -> LineCopy | None:
        """Return an atomic copy of the queue, or ``None`` if Redis has none. Raises LineDown.

        Used to look for damage: members with a score outside every class are included, unreadable values described.
        """
        meta, counter, line = keys(department_id, day, "meta", "ctr", "q")
        transaction = self._redis.pipeline(transaction=True)
        transaction.hget(meta, "seq")
        transaction.get(counter)
        transaction.zrange(line, 0, -1, withscores=True)
        try:
            seq, last_no, members = await self._run(transaction.execute(raise_on_error=False))
        except ResponseError as error:
            raise LineDown from error
        return copy_of((meta, counter, line), seq, last_no, members)

    async def try_functions(self) -> None:
        """Call a function as every batch does; it is loaded if it is missing. Raises LineDown."""
        await self._call([("collect", keys("doctor", "0", secrets.token_hex(4)), ["x"])])

    async def ping(self) -> None:
        """Return if Redis answers."""
        try:
            await self._redis.ping()
        except (RedisError, OSError, TimeoutError) as error:
            raise LineDown from error

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _call(self, calls: Sequence[tuple[str, list[str], list[Any]]]) -> list[Any]:
        try:
            return list(await self._run(self._pipeline(calls)))
        except ResponseError as error:
            if not is_unknown(error):
                raise LineDown from error
        try:
            await self._run(_FUNCTIONS.load(self._functions_url, self._timeout))
            return list(await self._run(self._pipeline(calls)))
        except NoPermissionError as error:
            self._down_until = time.monotonic() + self._pause
            raise LineDown from error
        except ResponseError as error:
            raise LineDown from error

    async def _pipeline(self, calls: Sequence[tuple[str, list[str], list[Any]]]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for function, keys, values in calls:
            pipeline.fcall(_FUNCTIONS.name(function), len(keys), *keys, *values)
        return list(await pipeline.execute())

    async def _run(self, work: Any) -> Any:
        """Await Redis, but not again shortly after a failure: a row lock must not wait for a dead Redis twice."""
        if time.monotonic() < self._down_until:
            if asyncio.iscoroutine(work):
                work.close()
            raise LineDown
        try:
            return await work
        except ResponseError:
            raise
        except (RedisError, OSError, TimeoutError) as error:
            self._down_until = time.monotonic() + self._pause
            raise LineDown from error


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _MOST_VALUES):
        yield values[start : start + _MOST_VALUES]


def keys(department_id: str, day: Any, *names: str) -> list[str]:
    """Return the key names of a department's queue."""
    tag = f"tq:{{{department_id}}}"
    return [f"{tag}:{name}" if name == "meta" else f"{tag}:{day}:{name}" for name in names]


def _ask_values(ask: Ask) -> list[Any]:
    return [ask.last_no, ask.last_seq, ask.numbers, ask.heads, *(ask.waiting.get(name, 0) for name in RANK)]


def _answer(first: int, at: int, in_step: int, *members: str) -> LineAnswer:
    """Read a reply. What the functions cannot judge counts as damaged, too: a member that is no token's id."""
    ids = [token_id for member in members if (token_id := token_id_of(member)) is not None]
    if len(ids) < len(members):
        return LineAnswer(first, DAMAGED, None)
    return LineAnswer(first, at, ids if in_step else None)


def _score(entry: LineEntry) -> int:
    return RANK[entry.priority] * WIDTH + MIDDLE + entry.place


def _member(entry: LineEntry) -> str:
    return f"{entry.token_id:019d}"
