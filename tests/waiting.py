"""Waiting for something to become true, with a deadline instead of a sleep."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_PAUSE = 0.01


def _late() -> str:
    return "it did not become true in time"


def until(holds: Callable[[], object], explain: Callable[[], str] = _late, seconds: float = 30.0) -> None:
    """Return when it holds; fail with the explanation after that time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, explain()
        time.sleep(_PAUSE)


async def eventually(
    holds: Callable[[], object],
    explain: Callable[[], str] = _late,
    seconds: float = 30.0,
    *,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """The same for coroutines."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, explain()
        await pause(_PAUSE)
