"""Hand-written fakes of the ports. Each runs through the same behaviour suite as the real adapter."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from tokenq.contract.enums import Priority
from tokenq.contract.events import from_wire
from tokenq_server.adapters.channels.email import Email, EmailChannel, Mailer
from tokenq_server.domain.policy import RANK
from tokenq_server.domain.record import Record
from tokenq_server.recovery.contiguous_tail import ContiguousTail, TailRecord
from tokenq_server.services.notifications import Attempt, Channels, Verdict
from tokenq_server.services.ports import Advance, Ask, LedgerDown, LineAnswer, LineDown, LineEntry, LineState
from tokenq_server.services.publishing import Cursor, Entry, PublishFailed, Tail, event_id_of, offsets


class _Count:
    def __init__(self, seen: "Counter[str]", name: str) -> None:
        self._seen, self._name = seen, name

    def inc(self, amount: float = 1) -> None:
        self._seen[self._name] += int(amount)

    def observe(self, amount: float) -> None:
        self.inc()


class CountedCounts:
    """Records counts by name."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def committed(self, department_id: str, record: Record) -> None:
        self.seen["events"] += 1

    @property
    def batch_requests(self) -> _Count:
        return _Count(self.seen, "batch_requests")

    @property
    def batch_seconds(self) -> _Count:
        return _Count(self.seen, "batch_seconds")

    @property
    def number_fallbacks(self) -> _Count:
        return _Count(self.seen, "number_fallbacks")

    @property
    def line_gaps(self) -> _Count:
        return _Count(self.seen, "line_gaps")

    @property
    def line_fallbacks(self) -> _Count:
        return _Count(self.seen, "line_fallbacks")

    @property
    def line_replays(self) -> _Count:
        return _Count(self.seen, "line_replays")

    @property
    def line_rebuilds(self) -> _Count:
        return _Count(self.seen, "line_rebuilds")


class MemoryLine:
    """A waiting line in memory."""

    def __init__(self) -> None:
        self.is_down = False
        self._seq: dict[str, int] = {}
        self._last_no: dict[str, int] = {}
        self._line: dict[str, dict[int, LineEntry]] = {}

    async def ask(self, asks: Sequence[Ask]) -> list[LineAnswer]:
        await self.ping()
        return [self._answer(ask) for ask in asks]

    async def advance(self, steps: Sequence[Advance]) -> list[int]:
        await self.ping()
        return [self._step(step) for step in steps]

    async def install(self, ask: Ask, entries: Sequence[LineEntry]) -> None:
        await self.ping()
        self._line[ask.department_id] = {entry.token_id: entry for entry in entries}
        self._seq[ask.department_id] = ask.last_seq
        self._last_no[ask.department_id] = ask.last_no

    async def state(self, department_id: str, day: date) -> LineState:
        await self.ping()
        last_no = self._last_no.get(department_id, 0)
        return LineState(self._seq.get(department_id, -1), last_no, list(self._line.get(department_id, {})))

    async def ping(self) -> None:
        if self.is_down:
            raise LineDown

    async def close(self) -> None:
        return

    def _answer(self, ask: Ask) -> LineAnswer:
        at = self._seq.get(ask.department_id, -1)
        if at <= ask.last_seq:
            self._last_no[ask.department_id] = ask.last_no + ask.numbers
        if at == ask.last_seq and self._counts(ask.department_id) != {name: ask.waiting.get(name, 0) for name in RANK}:
            at = -2
        if at != ask.last_seq:
            return LineAnswer(ask.last_no + 1, at, None)
        heads: list[int] = []
        for priority in RANK:
            entries = [entry for entry in self._line.get(ask.department_id, {}).values() if entry.priority is priority]
            entries.sort(key=lambda entry: (entry.place, entry.token_id))
            heads += [entry.token_id for entry in entries[: ask.heads]]
        return LineAnswer(ask.last_no + 1, at, heads)

    def _counts(self, department_id: str) -> dict[Priority, int]:
        classes = [entry.priority for entry in self._line.get(department_id, {}).values()]
        return {name: classes.count(name) for name in RANK}

    def _step(self, step: Advance) -> int:
        at = self._seq.get(step.department_id, -1)
        if at != step.prev:
            return at
        line = self._line.setdefault(step.department_id, {})
        for change in step.changes:
            if change.joins:
                line[change.entry.token_id] = change.entry
            else:
                line.pop(change.entry.token_id, None)
        self._seq[step.department_id] = step.new
        self._last_no[step.department_id] = step.last_no
        return step.new


@dataclass
class MemoryLog:
    """An outbox in memory; ``loses_cursor_once`` is a crash between publishing and moving the cursor."""

    entries: list[Entry]
    positions: dict[str, Cursor] = field(default_factory=dict)
    loses_cursor_once: bool = False

    async def take_over(self) -> None:
        return

    async def heads(self) -> dict[str, int]:
        heads = dict.fromkeys((entry.department_id for entry in self.entries), 0)
        for entry in self.entries:
            heads[entry.department_id] = max(heads[entry.department_id], entry.seq)
        return heads

    async def event_ids(self, positions: Mapping[str, int]) -> dict[str, str]:
        return {
            entry.department_id: event_id_of(entry.payload)
            for entry in self.entries
            if positions.get(entry.department_id) == entry.seq
        }

    async def cursors(self) -> dict[str, Cursor]:
        return {name: self.positions.get(name, Cursor(0)) for name in {entry.department_id for entry in self.entries}}

    async def refill_starts(self) -> dict[str, int]:
        return {}

    async def set_cursors(self, cursors: dict[str, Cursor]) -> None:
        if self.loses_cursor_once:
            self.loses_cursor_once = False
            raise LedgerDown
        self.positions |= cursors

    async def unpublished(self, limit: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.seq > self.positions.get(entry.department_id, Cursor(0)).seq][
            :limit
        ]

    async def growth(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        return


@dataclass
class MemoryTopic:
    """A topic in memory with one partition; ``fails`` makes the next publish fail after that many records."""

    records: list[Entry] = field(default_factory=list)
    fails_after: int | None = None

    async def open(self) -> None:
        return

    async def read_back(self, cursors: Mapping[str, Cursor], patience: float | None = None) -> Tail:
        ends = offsets(cursors)
        lost = {number for number, offset in ends.items() if offset >= len(self.records)}
        found = ContiguousTail(cursors)
        start = 0 if lost else ends.get(0, -1) + 1
        for offset, entry in enumerate(self.records[start:], start):
            wire = {"eventType": "X", "tokenId": 1, "departmentId": entry.department_id, "seq": entry.seq}
            event = from_wire(wire | {"eventId": event_id_of(entry.payload)})
            found.take(TailRecord(event, 0, offset), is_lost=bool(lost))
        return found.tail(lost)

    async def publish(self, entries: Sequence[Entry]) -> dict[str, Cursor]:
        cursors = {}
        for index, entry in enumerate(entries):
            if self.fails_after is not None and index >= self.fails_after:
                self.fails_after = None
                raise PublishFailed("told to fail")
            self.records.append(entry)
            cursors[entry.department_id] = Cursor(entry.seq, 0, len(self.records) - 1)
        return cursors

    def abort(self) -> None:
        return

    async def close(self) -> None:
        return


@dataclass
class ScriptedMailer:
    """A mailer that returns the given answers, then always SENT."""

    answers: list[Attempt] = field(default_factory=list)
    emails: list[Email] = field(default_factory=list)

    async def send(self, email: Email) -> Attempt:
        self.emails.append(email)
        return self.answers.pop(0) if self.answers else Attempt(Verdict.SENT)

    async def close(self) -> None:
        return


def by_email(mailer: Mailer | None = None) -> Channels:
    """E-mail as the only channel."""
    return (EmailChannel(mailer or ScriptedMailer(), "queue@office.example"),)


BY_EMAIL = by_email()
"""A channel that sends nothing."""
