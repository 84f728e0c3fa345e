"""One batch of commands: lock, load, ask Redis, execute, write, commit, answer, update Redis.

The order of these steps is the heart of the product. Nothing is answered before the commit; Redis is asked before it
and updated after it, so if anything fails in between, Redis is merely behind and catches up from the log.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from tokenq.contract.enums import TokenState
from tokenq.contract.events import EventType
from tokenq_server.domain.commands import Command, Housekeep
from tokenq_server.domain.counters import Counters
from tokenq_server.domain.department import DepartmentHead
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.divergence import Divergence, diverged
from tokenq_server.domain.estimate import Forecast
from tokenq_server.domain.token import Token
from tokenq_server.services.command_handlers import departments_of, handler_of, tokens_issued_by
from tokenq_server.services.crash_points import reach
from tokenq_server.services.execution import execute, load_plan
from tokenq_server.services.last_seen import LastSeen
from tokenq_server.services.metrics import Metrics
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
"""A queue further behind than this many log entries is rebuilt rather than replayed."""


class Batch:
    """Runs batches of requests on a ledger and a waiting line, one at a time."""

    def __init__(
        self,
        ledger: Ledger,
        line: WaitingLine,
        counts: Metrics,
        forecast_of: Callable[[str], Forecast | None] = lambda _: None,
        on_first_call: Callable[[str], object] = lambda _: None,
    ) -> None:
        """``on_first_call`` gets the branch of a department that a counter calls from though none was open."""
        self._ledger = ledger
        self._line = line
        self._counts = counts
        self._forecast_of = forecast_of
        self._on_first_call = on_first_call
        self.last_seen = LastSeen()
        self.lines_behind: set[str] = set()
        """The departments whose line in Redis has missed something, as far as this process knows."""

    async def commit(self, requests: Sequence[Request]) -> tuple[list[Outcome], list[Advance]]:
        """Execute the requests in one transaction.

        Returns an outcome per request, and the updates for Redis now that they are committed.

        Raises:
            LedgerDown: whether anything was committed is unknown; repeat with the same keys.
            LedgerRefused: nothing was committed.
        """
        began = time.perf_counter()
        async with self._ledger.open() as transaction:
            names = {name for request in requests for name in departments_of(request.command)}
            locked = await transaction.lock(sorted(names))
            reach("locked", requests)
            counters = Counters()
            sessions = {
                name: DepartmentSession(department, head, locked.now, counters, self._forecast_of(name))
                for name, (department, head) in locked.departments.items()
            }
            before = {name: session.head for name, session in sessions.items()}
            plan = load_plan(requests, sessions)
            loaded = await transaction.load(plan)
            _load_sessions(loaded, sessions, counters)
            for session in sessions.values():
                if session.day_is_over:
                    session.roll_over(await transaction.leftovers(session.id))
            await _skip_taken_numbers(transaction, plan, loaded, sessions)
            reach("loaded", requests)
            divergences = await self._load_heads(transaction, requests, sessions, before)
            reach("line_asked", requests)
            outcomes, kept = _execute(requests, sessions, loaded, divergences)
            changed = [
                session
                for name, session in sessions.items()
                if session.head != before[name] and name not in divergences
            ]
            reach("before_commit", requests)
            if changed or kept:
                # Whether a commit that fails was carried out is unknown: until Redis has heard of it, it is behind.
                self.lines_behind.update(session.id for session in changed)
                await transaction.commit(changed, kept, counters.opened if changed else ())
                self.last_seen.note(token for session in changed for token in session.changed.values())
        self._count(requests, changed, time.perf_counter() - began)
        self._tell_first_calls(changed)
        return outcomes, [_advance(session, before[session.id]) for session in changed]

    async def update_line(self, steps: Sequence[Advance]) -> None:
        """Update Redis with what was committed. If that fails, the next command replays it from the log."""
        if not steps:
            return
        try:
            heads = await self._line.advance(steps)
        except LineDown:
            heads = [None] * len(steps)
        for step, at in zip(steps, heads, strict=True):
            (self.lines_behind.discard if at == step.new else self.lines_behind.add)(step.department_id)
            if at not in (None, step.new):
                self._counts.line_gaps.inc()

    async def catch_up(self) -> None:
        """Let the waiting lines that missed something learn it from the log. Raises as ``commit``."""
        _, steps = await self.commit([Request(Housekeep(name)) for name in sorted(self.lines_behind)])
        await self.update_line(steps)

    async def _load_heads(
        self,
        transaction: Transaction,
        requests: Sequence[Request],
        sessions: dict[str, DepartmentSession],
        before: dict[str, DepartmentHead],
    ) -> dict[str, Divergence]:
        """Load the heads that Redis proposes; return the departments of which Redis knows more than their log."""
        divergences: dict[str, Divergence] = {}
        commands = _by_department(requests)
        asks = [_ask(session, before[name].last_seq, commands[name]) for name, session in sessions.items()]
        for ask, answer in zip(asks, await self._ask(transaction, asks), strict=True):
            session = sessions[ask.department_id]
            (self.lines_behind.discard if answer else self.lines_behind.add)(session.id)
            if answer and answer.at > ask.last_seq:
                # Redis is updated after the commit, and this batch holds the row: the database must have gone back in
                # time.
                divergences[session.id] = Divergence(session.id, ask.last_seq, redis_at=answer.at)
                logger.error("log is behind", extra={"department": session.id, "at": answer.at, "seq": ask.last_seq})
                continue
            if ask.numbers and not (answer and session.accept_number(answer.first_no)):
                self._counts.number_fallbacks.inc()
            if not ask.heads:
                continue
            heads = await transaction.tokens(answer.heads) if answer and answer.heads is not None else []
            if _are_enough(heads, ask, session):
                session.load_heads(heads)
            else:
                self._counts.line_fallbacks.inc()
                session.load_heads(await transaction.heads(ask.department_id, ask.heads))
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
        """Catch up one department; ``None`` if its server is unavailable while others answer."""
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

    def _tell_first_calls(self, sessions: Sequence[DepartmentSession]) -> None:
        """A call opens its counter. Until the next forecast, customers would be told that none is open."""
        for session in sessions:
            forecast = self._forecast_of(session.id)
            is_none_open = forecast is not None and not forecast.counters_open
            if is_none_open and any(record.event_type is EventType.TOKEN_CALLED for record in session.records):
                self._on_first_call(session.department.branch_id)

    def _count(self, requests: Sequence[Request], sessions: list[DepartmentSession], seconds: float) -> None:
        self._counts.batch_requests.observe(len(requests))
        self._counts.batch_seconds.observe(seconds)
        for session in sessions:
            for record in session.records:
                self._counts.committed(session.id, record)


def _execute(
    requests: Sequence[Request],
    sessions: dict[str, DepartmentSession],
    loaded: Loaded,
    divergences: Mapping[str, Divergence],
) -> tuple[list[Outcome], list[IdempotencyRecord]]:
    """Execute the requests, but refuse those for a department whose log has diverged."""
    if not divergences:
        return execute(requests, sessions, loaded)
    concerned = [
        [divergences[name] for name in departments_of(request.command) if name in divergences] for request in requests
    ]
    healthy = [request for request, diverging in zip(requests, concerned, strict=True) if not diverging]
    outcomes, kept = execute(healthy, sessions, loaded)
    others = iter(outcomes)
    return [diverged(diverging) if diverging else next(others) for diverging in concerned], kept


def _load_sessions(loaded: Loaded, sessions: dict[str, DepartmentSession], counters: Counters) -> None:
    counters.load(loaded.counters)
    for token in loaded.tokens:
        counters.occupy(token)
        if session := sessions.get(token.department_id):
            session.load([token])


async def _skip_taken_numbers(
    transaction: Transaction, plan: LoadPlan, loaded: Loaded, sessions: Mapping[str, DepartmentSession]
) -> None:
    """Load the numbers that must not be issued (rarely any).

    If numbers are skipped, their replacements are checked as well.
    """
    for session in sessions.values():
        session.load_taken_numbers(number for name, number in loaded.taken_numbers if name == session.id)
        needed = seen = plan.new_tokens[session.id]
        while needed and seen < needed + len(session.taken_numbers):
            further = session.next_numbers(2 * (needed + len(session.taken_numbers)))[seen:]
            seen += len(further)
            session.load_taken_numbers(await transaction.taken_numbers(session.id, further))


def _by_department(requests: Sequence[Request]) -> Mapping[str, list[Command]]:
    found: dict[str, list[Command]] = defaultdict(list)
    for request in requests:
        for name in departments_of(request.command):
            found[name].append(request.command)
    return found


def _ask(session: DepartmentSession, last_seq: int, mine: Sequence[Command]) -> Ask:
    return Ask(
        department_id=session.id,
        day=session.head.day,
        last_no=session.head.last_no,
        last_seq=last_seq,
        waiting=session.head.waiting,
        numbers=sum(map(tokens_issued_by, mine)),
        heads=len(mine) if any(handler_of(command).looks_at_heads(command) for command in mine) else 0,
    )


def _is_behind(answer: LineAnswer | None, ask: Ask) -> bool:
    return answer is not None and answer.at < ask.last_seq


def _are_enough(heads: Sequence[Token], ask: Ask, session: DepartmentSession) -> bool:
    """Whether as many tokens per class wait as expected: a queue with a wrong member proposes too few."""
    waiting = (
        token for token in heads if token.department_id == ask.department_id and token.state is TokenState.WAITING
    )
    counts = Counter(token.priority for token in waiting)
    return all(counts[name] == min(ask.heads, count) for name, count in session.head.waiting.items())


def _advance(session: DepartmentSession, before: DepartmentHead) -> Advance:
    changes = [
        LineChange(record.joins, LineEntry(record.token.token_id, record.token.priority, record.token.place))
        for record in session.records
        if record.joins is not None
    ]
    head = session.head
    name = session.id
    return Advance(name, head.day, before.last_seq, head.last_seq, changes, head.last_no)
