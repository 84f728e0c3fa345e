"""One batch of commands: lock, load, ask the line, let the commands act, write, commit, answer, let Redis follow.

The order of these steps is the heart of the product. Nothing is answered before the commit; Redis is asked
before it and told after it, so whatever dies in between, Redis is only behind and catches up by the log.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from tokenq.contract.words import TokenState
from tokenq_server.domain.commands import Issue
from tokenq_server.domain.counters import Counters
from tokenq_server.domain.department import Standing
from tokenq_server.domain.divergence import Divergence, diverged
from tokenq_server.domain.estimate import Forecast
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.token import Token
from tokenq_server.services.command_handlers import departments_of, handler_of
from tokenq_server.services.counting import Counts
from tokenq_server.services.crash_points import reach
from tokenq_server.services.execution import execute, load_plan
from tokenq_server.services.ports import (
    Advance,
    Ask,
    IdempotencyRecord,
    Ledger,
    LineAnswer,
    LineChange,
    LineDown,
    LineEntry,
    Loaded,
    LoadPlan,
    Transaction,
    WaitingLine,
)
from tokenq_server.services.requests import Outcome, Request

logger = logging.getLogger(__name__)

_REPLAY_LIMIT = 5_000
"""A line further behind than this many log entries is rebuilt rather than replayed."""


class Batch:
    """Runs batches of requests on a ledger and a waiting line, one at a time."""

    def __init__(
        self,
        ledger: Ledger,
        line: WaitingLine,
        counts: Counts,
        forecast_of: Callable[[str], Forecast | None] = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._line = line
        self._counts = counts
        self._forecast_of = forecast_of

    async def commit(self, requests: Sequence[Request]) -> tuple[list[Outcome], list[Advance]]:
        """Carry out the requests in one transaction.

        Answers an outcome per request, and what the line has to be told now that it is committed.

        Raises:
            LedgerDown: whether anything was committed is unknown; the same keys will tell.
            LedgerRefused: nothing was committed.
        """
        async with self._ledger.open() as transaction:
            locked = await transaction.lock(sorted({one for each in requests for one in departments_of(each.command)}))
            reach("locked", requests)
            counters = Counters()
            floors = {
                name: Floor(department, standing, locked.now, counters, self._forecast_of(name))
                for name, (department, standing) in locked.departments.items()
            }
            before = {name: floor.standing for name, floor in floors.items()}
            plan = load_plan(requests, floors)
            loaded = await transaction.load(plan)
            _take_in(loaded, floors, counters)
            for floor in floors.values():
                if floor.day_is_over:
                    floor.turn_day(await transaction.leftovers(floor.id))
            await _leave_out_carried(transaction, plan, loaded, floors)
            reach("loaded", requests)
            divergences = await self._line_up(transaction, requests, floors, before)
            reach("line_asked", requests)
            outcomes, kept = _execute(requests, floors, loaded, divergences)
            changed = [one for one in floors.values() if one.standing != before[one.id] and one.id not in divergences]
            reach("before_commit", requests)
            if changed or kept:
                await transaction.commit(changed, kept, counters.opened if changed else ())
            self._count(changed)
        return outcomes, [_advance(floor, before[floor.id]) for floor in changed]

    async def tell_line(self, steps: Sequence[Advance]) -> None:
        """Let Redis follow what was committed. What it misses now it learns from the log at the next command."""
        if not steps:
            return
        with suppress(LineDown):
            for step, at in zip(steps, await self._line.advance(steps), strict=True):
                if at is not None and at != step.new:
                    self._counts.line_gaps.inc()

    async def _line_up(
        self,
        transaction: Transaction,
        requests: Sequence[Request],
        floors: dict[str, Floor],
        before: dict[str, Standing],
    ) -> dict[str, Divergence]:
        """Bring in whom the line proposes; answers the departments of which Redis knows more than their log does."""
        divergences: dict[str, Divergence] = {}
        asks = [_ask(floor, before[name].last_seq, requests) for name, floor in floors.items()]
        for ask, answer in zip(asks, await self._ask(transaction, asks), strict=True):
            floor = floors[ask.department_id]
            if answer and answer.at > ask.last_seq:
                # Redis is told after the commit, and we hold the row: the database went back in time.
                divergences[floor.id] = Divergence(floor.id, ask.last_seq, redis_at=answer.at)
                logger.error("log is behind", extra={"department": floor.id, "at": answer.at, "seq": ask.last_seq})
                continue
            if ask.numbers and not (answer and floor.hand_out_from(answer.first_no)):
                self._counts.number_fallbacks.inc()
            if not ask.heads:
                continue
            heads = await transaction.tokens(answer.heads) if answer and answer.heads is not None else []
            if _are_enough(heads, ask, floor):
                floor.line_up(heads)
            else:
                self._counts.line_fallbacks.inc()
                floor.line_up(await transaction.heads(ask.department_id, ask.heads))
        return divergences

    async def _ask(self, transaction: Transaction, asks: list[Ask]) -> Sequence[LineAnswer | None]:
        try:
            answers = list(await self._line.ask(asks))
            behind = [index for index, ask in enumerate(asks) if _is_behind(answers[index], ask)]
            for index in behind:
                answers[index] = await self._caught_up(transaction, asks[index], answers[index])
            caught_up = [index for index in behind if answers[index]]
            again = await self._line.ask([asks[index] for index in caught_up]) if caught_up else []
        except LineDown:
            return [None] * len(asks)
        for index, answer in zip(caught_up, again, strict=True):
            answers[index] = answer
        return answers

    async def _caught_up(self, transaction: Transaction, ask: Ask, answer: LineAnswer | None) -> LineAnswer | None:
        """One department's line may be away while the others' answer."""
        with suppress(LineDown):
            await self._catch_up(transaction, ask, answer.at if answer else -1)
            return answer
        return None

    async def _catch_up(self, transaction: Transaction, ask: Ask, at: int) -> None:
        missing = ask.last_seq - at
        if at >= 0 and 0 < missing <= _REPLAY_LIMIT:
            changes = await transaction.changes_since(ask.department_id, at)
            if len(changes) == missing:
                self._counts.line_replays.inc()
                real = [change for change in changes if change]
                step = Advance(ask.department_id, ask.day, at, ask.last_seq, real, ask.last_no)
                await self._line.advance([step])
                return
        self._counts.line_rebuilds.inc()
        logger.warning("waiting line rebuilt", extra={"department": ask.department_id, "at": at, "seq": ask.last_seq})
        await self._line.install(ask, await transaction.waiting(ask.department_id))

    def _count(self, floors: list[Floor]) -> None:
        for floor in floors:
            for record in floor.records:
                self._counts.events.labels(floor.id, str(record.event_type)).inc()


def _execute(
    requests: Sequence[Request], floors: dict[str, Floor], loaded: Loaded, divergences: Mapping[str, Divergence]
) -> tuple[list[Outcome], list[IdempotencyRecord]]:
    """Carry the requests out, but refuse those that touch a department whose log has diverged."""
    if not divergences:
        return execute(requests, floors, loaded)
    concerned = [[divergences[name] for name in departments_of(one.command) if name in divergences] for one in requests]
    healthy = [request for request, found in zip(requests, concerned, strict=True) if not found]
    outcomes, kept = execute(healthy, floors, loaded)
    others = iter(outcomes)
    return [diverged(found) if found else next(others) for found in concerned], kept


def _take_in(loaded: Loaded, floors: dict[str, Floor], counters: Counters) -> None:
    counters.know(loaded.counters)
    for token in loaded.tokens:
        counters.seat(token)
        if floor := floors.get(token.department_id):
            floor.know([token])


async def _leave_out_carried(
    transaction: Transaction, plan: LoadPlan, loaded: Loaded, floors: Mapping[str, Floor]
) -> None:
    """Let the floors know the numbers that they must not give; hardly ever are there any.

    Where some are left out, those that take their places are asked for, too.
    """
    for floor in floors.values():
        floor.know_carried(number for name, number in loaded.carried if name == floor.id)
        needed = seen = plan.new_tokens[floor.id]
        while needed and seen < needed + len(floor.carried):
            further = floor.next_numbers(2 * (needed + len(floor.carried)))[seen:]
            seen += len(further)
            floor.know_carried(await transaction.carried(floor.id, further))


def _ask(floor: Floor, last_seq: int, requests: Sequence[Request]) -> Ask:
    mine = [request.command for request in requests if floor.id in departments_of(request.command)]
    return Ask(
        department_id=floor.id,
        day=floor.standing.day,
        last_no=floor.standing.last_no,
        last_seq=last_seq,
        waiting=floor.standing.waiting,
        numbers=sum(isinstance(command, Issue) for command in mine),
        heads=len(mine) if any(handler_of(command).looks_at_heads(command) for command in mine) else 0,
    )


def _is_behind(answer: LineAnswer | None, ask: Ask) -> bool:
    return answer is not None and answer.at < ask.last_seq


def _are_enough(heads: Sequence[Token], ask: Ask, floor: Floor) -> bool:
    """Whether these are as many of each class as must be there: a line with a stranger in it proposes too few."""
    here = [one for one in heads if one.department_id == ask.department_id and one.state is TokenState.WAITING]
    found = Counter(one.priority for one in here)
    return all(found[name] == min(ask.heads, count) for name, count in floor.standing.waiting.items())


def _advance(floor: Floor, before: Standing) -> Advance:
    changes = [
        LineChange(record.joins, LineEntry(record.token.token_id, record.token.priority, record.token.place))
        for record in floor.records
        if record.joins is not None
    ]
    standing = floor.standing
    name = floor.id
    return Advance(name, standing.day, before.last_seq, standing.last_seq, changes, standing.last_no)
