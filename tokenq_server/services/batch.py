"""One batch of commands: lock, load, ask the line, let the commands act, write, commit, answer, let Redis follow.

The order of these steps is the heart of the product. Nothing is answered before the commit; Redis is asked
before it and told after it, so whatever dies in between, Redis is only behind and catches up by the log.
"""

import json
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.words import TokenState
from tokenq_server.domain.commands import CallNext, CallToken, Command, Issue, MoveToken, ServeNext, Tidy
from tokenq_server.domain.department import Standing
from tokenq_server.domain.floor import Counters, Floor
from tokenq_server.domain.refusals import unknown_department
from tokenq_server.domain.token import Token
from tokenq_server.services.counting import Counts
from tokenq_server.services.ports import (
    Advance,
    Ask,
    Contact,
    Ledger,
    LineAnswer,
    LineChange,
    LineDown,
    LineEntry,
    Loaded,
    Remembered,
    Transaction,
    WaitingLine,
    Wanted,
)
from tokenq_server.services.views import token_view

logger = logging.getLogger(__name__)

_REPLAY_LIMIT = 5_000
"""A line further behind than this many log entries is rebuilt rather than replayed."""


@dataclass(frozen=True)
class Request:
    """A command, who sends it and, where repeating must be harmless, under which key.

    ``shows_person`` tells whether name and address are for the sender's eyes.
    """

    command: Command
    principal: str = ""
    key: str | None = None
    fingerprint: bytes = b""
    shows_person: bool = True


@dataclass(frozen=True)
class Reply:
    """What the caller gets: a status and a JSON body. ``replayed`` marks an answer given before."""

    status: int
    body: str
    replayed: bool = False


Outcome = Reply | Refused


class Batch:
    """Runs batches of requests on a ledger and a waiting line, one at a time."""

    def __init__(self, ledger: Ledger, line: WaitingLine, counts: Counts) -> None:
        self._ledger = ledger
        self._line = line
        self._counts = counts

    async def commit(self, requests: Sequence[Request]) -> tuple[list[Outcome], list[Advance]]:
        """Carry out the requests in one transaction.

        Answers an outcome per request, and what the line has to be told now that it is committed.

        Raises:
            LedgerDown: whether anything was committed is unknown; the same keys will tell.
            LedgerRefused: nothing was committed.
        """
        async with self._ledger.open() as transaction:
            locked = await transaction.lock(sorted({request.command.department_id for request in requests}))
            counters: Counters = {}
            floors = {
                name: Floor(department, standing, locked.now, counters)
                for name, (department, standing) in locked.departments.items()
            }
            before = {name: floor.standing for name, floor in floors.items()}
            loaded = await transaction.load(_wanted(requests, floors))
            self._take_in(loaded, floors, counters)
            for floor in floors.values():
                if floor.day_is_over:
                    floor.turn_day(await transaction.leftovers(floor.department.department_id))
            await self._line_up(transaction, requests, floors, before)
            outcomes, remembered = _act(requests, floors, loaded)
            changed = [floor for floor in floors.values() if floor.standing != before[floor.department.department_id]]
            if changed or remembered:
                await transaction.commit(changed, remembered)
            self._count(changed)
        return outcomes, [_advance(floor, before[floor.department.department_id]) for floor in changed]

    async def tell_line(self, steps: Sequence[Advance]) -> None:
        """Let Redis follow what was committed. What it misses now it learns from the log at the next command."""
        if not steps:
            return
        with suppress(LineDown):
            for step, at in zip(steps, await self._line.advance(steps), strict=True):
                if at != step.new:
                    self._counts.line_gaps.inc()

    def _take_in(self, loaded: Loaded, floors: dict[str, Floor], counters: Counters) -> None:
        for token in loaded.tokens:
            if token.is_at_counter and token.counter_id:
                counters[token.branch_id, token.counter_id] = token
            if floor := floors.get(token.department_id):
                floor.know([token])

    async def _line_up(
        self,
        transaction: Transaction,
        requests: Sequence[Request],
        floors: dict[str, Floor],
        before: dict[str, Standing],
    ) -> None:
        asks = [_ask(floor, before[name].last_seq, requests) for name, floor in floors.items()]
        for ask, answer in zip(asks, await self._ask(transaction, asks), strict=True):
            floor = floors[ask.department_id]
            if not ask.heads:
                continue
            heads = await transaction.tokens(answer.heads) if answer and answer.heads is not None else []
            if _are_enough(heads, ask, floor):
                floor.line_up(heads)
            else:
                self._counts.line_fallbacks.inc()
                floor.line_up(await transaction.heads(ask.department_id, ask.heads))

    async def _ask(self, transaction: Transaction, asks: list[Ask]) -> Sequence[LineAnswer | None]:
        try:
            answers = await self._line.ask(asks)
            behind = [index for index, ask in enumerate(asks) if answers[index].at != ask.last_seq]
            for index in behind:
                await self._catch_up(transaction, asks[index], answers[index].at)
            again = await self._line.ask([replace(asks[index], numbers=0) for index in behind]) if behind else []
        except LineDown:
            return [None] * len(asks)
        for index, answer in zip(behind, again, strict=True):
            answers[index] = answer
        return answers

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
                self._counts.events.labels(floor.department.department_id, str(record.event_type)).inc()


def _wanted(requests: Sequence[Request], floors: dict[str, Floor]) -> Wanted:
    wanted = Wanted(new_tokens=sum(isinstance(request.command, Issue) for request in requests))
    for request in requests:
        command = request.command
        if request.key is not None:
            wanted.keys.append((request.principal, request.key))
        if isinstance(command, CallToken | MoveToken):
            wanted.token_ids.append(command.token_id)
        if isinstance(command, CallNext | CallToken | ServeNext) and (floor := floors.get(command.department_id)):
            wanted.counters.append((floor.department.branch_id, command.counter_id))
        if isinstance(command, Issue) and command.user_id is not None:
            wanted.users.append((command.department_id, command.user_id))
    return wanted


def _ask(floor: Floor, last_seq: int, requests: Sequence[Request]) -> Ask:
    mine = [r.command for r in requests if r.command.department_id == floor.department.department_id]
    needs_heads = any(isinstance(command, CallNext | ServeNext | MoveToken) for command in mine)
    return Ask(
        department_id=floor.department.department_id,
        day=floor.standing.day,
        last_no=floor.standing.last_no,
        last_seq=last_seq,
        waiting=floor.standing.waiting,
        numbers=sum(isinstance(command, Issue) for command in mine),
        heads=len(mine) if needs_heads else 0,
    )


def _are_enough(heads: Sequence[Token], ask: Ask, floor: Floor) -> bool:
    """Whether these are as many of each class as must be there: a line with a stranger in it proposes too few."""
    here = [one for one in heads if one.department_id == ask.department_id and one.state is TokenState.WAITING]
    found = Counter(one.priority for one in here)
    return all(found[name] == min(ask.heads, count) for name, count in floor.standing.waiting.items())


def _act(
    requests: Sequence[Request], floors: dict[str, Floor], loaded: Loaded
) -> tuple[list[Outcome], list[Remembered]]:
    known = {(kept.principal, kept.key): kept for kept in loaded.remembered}
    new_ids = iter(loaded.new_ids)
    outcomes: list[Outcome] = []
    fresh: list[Remembered] = []
    for request in requests:
        try:
            kept = known.get((request.principal, request.key or ""))
            if kept is not None:
                outcomes.append(_replay(kept, request))
                continue
            new_id = next(new_ids) if isinstance(request.command, Issue) else 0
            token, position = _carry_out(request.command, floors, loaded.contacts, new_id)
            reply = _reply(request, token, position)
            outcomes.append(reply)
            if request.key is not None:
                kept = Remembered(request.principal, request.key, request.fingerprint, reply.status, reply.body)
                known[request.principal, request.key] = kept
                fresh.append(kept)
        except Refused as refusal:
            outcomes.append(refusal)
    return outcomes, fresh


def _replay(kept: Remembered, request: Request) -> Reply:
    if kept.fingerprint != request.fingerprint:
        raise refuse(
            ProblemCode.IDEMPOTENCY_MISMATCH,
            "This idempotency key was used for another request.",
            "Use a new key for a new request, and the same key only to repeat the same one.",
        )
    return Reply(kept.status, kept.body, replayed=True)


def _carry_out(
    command: Command, floors: dict[str, Floor], contacts: dict[int, Contact], new_id: int
) -> tuple[Token | None, int | None]:
    floor = floors.get(command.department_id)
    if floor is None:
        raise unknown_department(command.department_id)
    match command:
        case Issue():
            token = floor.issue(_with_contact(command, contacts), new_id)
            return token, floor.position_of(token)
        case CallNext():
            return floor.call_next(command), None
        case CallToken():
            return floor.call_token(command), None
        case ServeNext():
            return floor.serve_next(command), None
        case MoveToken():
            return floor.move(command), None
        case Tidy():
            return None, None


def _with_contact(command: Issue, contacts: dict[int, Contact]) -> Issue:
    if command.user_id is None:
        return command
    contact = contacts.get(command.user_id)
    if contact is None:
        raise refuse(
            ProblemCode.UNKNOWN_USER, f"There is no user {command.user_id}.", "List them with 'tokenq user list'."
        )
    return replace(command, name=command.name or contact.name, email=command.email or contact.email)


def _reply(request: Request, token: Token | None, position: int | None) -> Reply:
    if token is None:
        return Reply(204, "")
    view = token_view(token, position, shows_person=request.shows_person)
    status = 201 if isinstance(request.command, Issue) else 200
    return Reply(status, json.dumps(view, ensure_ascii=False, separators=(",", ":")))


def _advance(floor: Floor, before: Standing) -> Advance:
    changes = [
        LineChange(record.joins, LineEntry(record.token.token_id, record.token.priority, record.token.place))
        for record in floor.records
        if record.joins is not None
    ]
    standing = floor.standing
    name = floor.department.department_id
    return Advance(name, standing.day, before.last_seq, standing.last_seq, changes, standing.last_no)
