"""Group commit: requests that queue up while one batch is in flight become the next batch.

There is no timer: a lone request is a batch of one, forty at once share one transaction and one fsync. One task per
process runs the batches; it alone changes Postgres and Redis, and it is never cancelled, so a caller that disconnects
cannot interrupt a transaction.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from tokenq.contract.problems import Reason, Refused, refuse
from tokenq.contract.reasons.queue import CounterReason, TokenReason
from tokenq.contract.reasons.system import RequestReason, StoreReason
from tokenq_server.services.batch import Batch
from tokenq_server.services.command_handlers import departments_of, handler_of
from tokenq_server.services.crash_points import reach, reach_answered
from tokenq_server.services.ports import DEADLOCK, LOCKED, Advance, Guard, LedgerDown, LedgerRefused
from tokenq_server.services.requests import Answer, Outcome, Request

logger = logging.getLogger(__name__)

MAX_QUEUED = 2048
MAX_BATCH = 256

_Waiting = tuple[Request, "asyncio.Future[Answer]"]

_CONSTRAINTS: Mapping[str, Reason] = {
    "token_at_counter": CounterReason.BUSY_BY_NOW,
    "token_live_user": TokenReason.SOME_USER_WAITS,
    "token_live_number": TokenReason.SOME_NUMBER_TAKEN,
    LOCKED: StoreReason.BUSY,
    DEADLOCK: StoreReason.CROWDED,
}
_LAST_TRIES, _LAST_PAUSE = 3, 0.6
"""At the end; seconds, longer than a line that failed is left alone."""
_WORTH_ANOTHER_TRY = frozenset({"idempotency_pkey", "token_live_number", DEADLOCK})
"""Conflicts with what another process has just committed: a retry finds it and answers accordingly."""


class GroupCommit:
    """Collects requests from any number of callers and executes them in batches."""

    def __init__(
        self,
        batch: Batch,
        on_commit: Sequence[Callable[[], None]] = (),
        guard: Guard | None = None,
    ) -> None:
        self._batch = batch
        self._guard = guard
        self._on_commit = on_commit
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    @property
    def queued(self) -> int:
        """The number of requests waiting for the next batch."""
        return len(self._queue)

    def start(self) -> None:
        """Start to execute requests."""
        self._task = asyncio.create_task(self._run(), name="group-commit")

    async def close(self) -> None:
        """Execute the accepted requests, accept no more, and stop."""
        self._closing = True
        self._wake.set()
        if self._task:
            await self._task

    async def submit(self, request: Request) -> Answer:
        """Execute one request; returns after its commit.

        Raises:
            Refused: the request was refused and changed nothing, or the server cannot take it now.
        """
        handler_of(request.command).may_ask(request.command)
        if self._closing or len(self._queue) >= MAX_QUEUED:
            raise refuse(RequestReason.OVERLOADED, {"retryAfter": 1})
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append((request, future))
        self._wake.set()
        return await future

    async def _run(self) -> None:
        while not (self._closing and not self._queue):
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                taken = [self._queue.popleft() for _ in range(min(MAX_BATCH, len(self._queue)))]
                await self._carry_out(taken)
        await self._leave_lines_in_step()

    async def _leave_lines_in_step(self) -> None:
        """After an orderly end Redis has seen everything: by that, an older database is recognised later."""
        for _ in range(_LAST_TRIES):
            if not self._batch.lines_behind:
                return
            await asyncio.sleep(_LAST_PAUSE)
            try:
                await self._batch.catch_up()
            except (LedgerDown, LedgerRefused, Refused):
                break
            except Exception:
                logger.exception("the waiting lines were not updated")
                break
        if behind := sorted(self._batch.lines_behind):
            logger.warning("waiting lines are behind at the end", extra={"departments": behind})

    async def _carry_out(self, taken: list[_Waiting], *, is_last_try: bool = False) -> None:
        try:
            await self._pass_guard()
            outcomes, steps = await self._batch.commit([request for request, _ in taken])
        except LedgerDown:
            logger.warning("database lost", extra={"requests": len(taken)})
            self._answer(taken, [_unavailable()] * len(taken))
        except Refused as refusal:
            self._answer(taken, [refusal] * len(taken))
        except LedgerRefused as refusal:
            await self._retry_commit(taken, refusal.constraint, is_last_try=is_last_try)
        except Exception:
            logger.exception("batch failed", extra={"requests": len(taken)})
            await self._retry_commit(taken, None, is_last_try=is_last_try)
        else:
            await self._follow_up(taken, outcomes, steps)

    async def _pass_guard(self) -> None:
        """Run the check that must pass once before the first commit. Raises LedgerDown or Refused."""
        if self._guard is not None:
            await self._guard()
            self._guard = None

    async def _follow_up(self, taken: list[_Waiting], outcomes: list[Outcome], steps: list[Advance]) -> None:
        """Answer after the commit. Whatever fails here, every caller gets an answer and the next batch runs."""
        requests = [request for request, _ in taken]
        try:
            reach("after_commit", requests)
            self._answer(taken, outcomes)
            for tell in self._on_commit:
                tell()
            await reach_answered("after_ack", requests)
            await self._batch.update_line(steps)
            reach("line_told", requests)
        except Exception:
            logger.exception("could not finish a committed batch")
            self._answer(taken, [_unavailable()] * len(taken))

    async def _retry_commit(self, taken: list[_Waiting], constraint: str | None, *, is_last_try: bool) -> None:
        """Retry after a failed commit. One bad request or one locked department must not fail the others."""
        parts = _by_departments(taken) if constraint == LOCKED else [[waiting] for waiting in taken]
        if len(parts) > 1:
            for part in parts:
                await self._carry_out(part)
            return
        if constraint in _WORTH_ANOTHER_TRY and not is_last_try:
            await self._carry_out(taken, is_last_try=True)
            return
        logger.warning("request refused by the database", extra={"constraint": constraint})
        reason = _CONSTRAINTS.get(constraint or "", RequestReason.NOT_CARRIED_OUT)
        self._answer(taken, [refuse(reason)] * len(taken))

    def _answer(self, taken: list[_Waiting], outcomes: list[Outcome] | list[Refused]) -> None:
        """Answer the callers that have no answer yet and still wait."""
        for (_, future), outcome in zip(taken, outcomes, strict=True):
            with contextlib.suppress(asyncio.InvalidStateError):
                if isinstance(outcome, Refused):
                    future.set_exception(outcome)
                    # Without a reader, the loop would log an exception that was never retrieved.
                    future.exception()
                else:
                    future.set_result(outcome)


def _by_departments(taken: list[_Waiting]) -> list[list[_Waiting]]:
    """Group the requests that need the same rows."""
    groups: dict[tuple[str, ...], list[_Waiting]] = {}
    for waiting in taken:
        groups.setdefault(departments_of(waiting[0].command), []).append(waiting)
    return list(groups.values())


def _unavailable() -> Refused:
    return refuse(StoreReason.IN_DOUBT, {"retryAfter": 2})
