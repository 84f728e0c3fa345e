"""What many ask of a store at the same moment, asked together.

There is no timer: a lone question is asked at once; those that come while it is under way are the next ones, all at
once. So nobody waits for company, and under load a round trip serves many.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Together(Generic[Question, Answer]):
    """Asks ``work``, which gets questions and returns as many answers, in order; at most ``most`` at once."""

    def __init__(self, work: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]], most: int) -> None:
        self._work, self._most = work, most
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, question: Question) -> Answer:
        """Return the answer. Raises what ``work`` raises, which all hear who were asked about together."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._task is None:
            # Its own task: whoever began it may give up, and the others still get their answers.
            self._task = asyncio.create_task(self._run(), name="together")
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._ask(asked)
        finally:
            self._task = None

    async def _ask(self, asked: Sequence[tuple[Question, "asyncio.Future[Answer]"]]) -> None:
        waiting = [future for _, future in asked]
        try:
            answers = await self._work([question for question, _ in asked])
        except Exception as error:
            for future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for future, answer in zip(waiting, answers, strict=True):
            if not future.done():
                future.set_result(answer)
