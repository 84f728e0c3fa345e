"""Questions of the same moment are asked together, and each gets its own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from tokenq_server.services.together import Together


class Store:
    """Doubles numbers, one request at a time; remembers what was asked together."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.fault: Exception | None = None

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.asked.append(list(numbers))
        await self.open.wait()
        if self.fault:
            raise self.fault
        return [2 * number for number in numbers]


async def test_a_lone_question_is_asked_at_once() -> None:
    store = Store()
    assert await Together(store, 8)(1) == 2
    assert store.asked == [[1]]


async def test_those_that_come_meanwhile_are_asked_together_up_to_the_most() -> None:
    store = Store()
    store.open.clear()
    double = Together(store, 3)
    asking = [asyncio.create_task(double(number)) for number in range(1)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking += [asyncio.create_task(double(number)) for number in range(1, 6)]
    await asyncio.sleep(0)
    store.open.set()
    assert await asyncio.gather(*asking) == [0, 2, 4, 6, 8, 10]
    assert store.asked == [[0], [1, 2, 3], [4, 5]]


async def test_a_failure_is_heard_by_all_who_were_asked_together_and_by_nobody_else() -> None:
    store = Store()
    double = Together(store, 8)
    store.fault = RuntimeError("away")
    failed = await asyncio.gather(double(1), double(2), return_exceptions=True)
    assert [str(error) for error in failed] == ["away", "away"]
    store.fault = None
    assert await double(3) == 6


async def test_who_gives_up_takes_the_answer_from_nobody() -> None:
    store = Store()
    store.open.clear()
    double = Together(store, 8)
    first, second = asyncio.create_task(double(1)), asyncio.create_task(double(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    store.open.set()
    assert await second == 4
    with pytest.raises(asyncio.CancelledError):
        await first
