"""One department: its log replayed and held against its tokens, and its line in Redis against who waits."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from tokenq.contract.events import EventType
from tokenq_server.domain.invariants.department_head import LineCopy, Seqs, check_counts, check_line, check_line_rests
from tokenq_server.domain.invariants.entries import Stored, read_entry
from tokenq_server.domain.invariants.lives import Life, Travels, compare
from tokenq_server.domain.invariants.numbering import Numbers
from tokenq_server.domain.invariants.replay import Replay
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.services.verification.ports import Held, Snapshot, Strictness

Thing = TypeVar("Thing")

_COMPARED_AT_ONCE = 5_000
_OF_A_WHOLE_LOG = ("N2", "N8", "S1", "S2", "S3", "S4", "S5", "S7", "L2", "L3", "K4", "M1")


class Reading:
    """The replay of one department, in pieces: only tokens to which something can still happen are kept in memory.

    A log that was rewound is replayed from the first day after that: it begins with an empty line.
    """

    def __init__(self, snapshot: Snapshot, held: Held, tally: Tally) -> None:
        self._snapshot = snapshot
        self._held = held
        self._tally = tally
        self._seqs = Seqs(held.id, tally)
        self._forgotten_day = held.rewound[1] if held.rewound else date.min
        self._numbers = Numbers(held.id, tally, held.day_at, held.changed_seq, self._forgotten_day)
        self._replay = Replay(held.id, tally, is_partial=held.rewound is not None, old_seq=held.rewritten_seq)
        self._has_begun = held.rewound is None
        self._over: list[Life] = []

    async def run(self, travels: Travels, tell: Callable[[str], None]) -> None:
        """Check everything; tokens that were in other departments too are left to ``travels``."""
        async for piece in self._snapshot.log(self._held.id):
            for stored in piece:
                self._take(stored)
            tell(f"{self._held.id}: entry {piece[-1].seq} of {self._held.head.last_seq}")
            await self._compare_over()
        for life in self._replay.rest():
            if life.others:
                travels.add(self._held.id, life)
            else:
                self._over.append(life)
        await self._compare_over()
        await self._end()

    def _take(self, stored: Stored) -> None:
        self._seqs.take(stored.seq)
        entry = read_entry(self._held.id, stored, self._tally)
        if entry is None:
            return
        if stored.event_type == EventType.TOKEN_GENERATED:
            self._has_begun |= entry.seq > self._held.rewound_seq and entry.day > self._forgotten_day
            if entry.day > self._numbers.day:
                self._over += self._replay.over(entry.day)
            self._numbers.issued(entry)
        if self._has_begun:
            self._replay.take(entry)

    async def _compare_over(self) -> None:
        over, self._over = self._over, []
        for some in _pieces(over):
            rows = await self._snapshot.rows([life.token_id for life in some])
            for life in some:
                compare(self._held.id, life, rows.get(life.token_id), self._tally)

    async def _end(self) -> None:
        head = self._held.head
        async for rows in self._snapshot.numbers(self._held.id):
            for day, number in rows:
                self._numbers.row(day, number)
        self._numbers.end(head.day, head.last_no)
        self._seqs.end(head.last_seq)
        if self._held.rewound:
            self._tally.skip(_OF_A_WHOLE_LOG, _rewound(self._held))
        else:
            check_counts(self._held.id, head, self._replay.line, self._tally)


def _rewound(held: Held) -> str:
    """A restored database has forgotten how those days went; what was told again since is no move of the table."""
    day = held.rewound[1] if held.rewound else None
    return f"the log of {held.id} was rewound on {day}, and is replayed from the day after"


async def check_travels(snapshot: Snapshot, travels: Travels, tally: Tally) -> None:
    """Hold the tokens that were in several departments against their rows."""
    for some in _pieces(travels.token_ids):
        rows = await snapshot.rows(some)
        for token_id in some:
            travels.compare(token_id, rows.get(token_id), tally)


async def check_copy(
    snapshot: Snapshot, held: Held, copy: LineCopy | None, day: date, strictness: Strictness, tally: Tally
) -> None:
    """Hold a department's line, copied on ``day`` before the snapshot was taken, against who waits."""
    if copy is None:
        _without_line(held, strictness, tally)
    elif day != held.head.day:
        tally.skip(["R1"], f"a business day began in {held.id} meanwhile")
    else:
        since = await snapshot.since(held.id, copy.seq)
        check_line(held.id, copy, since, await snapshot.waiting(held.id), held.head.last_seq, tally)
        # Nobody is in a deleted department, and nobody tells its line of the deletion.
        if strictness.at_rest and not held.is_archived:
            check_line_rests(held.id, copy, held.head, tally)


def _without_line(held: Held, strictness: Strictness, tally: Tally) -> None:
    """Redis may know nothing of a department: the next command there builds its line. At rest that has happened."""
    if strictness.at_rest and any(held.head.waiting.values()):
        tally.check("R3", held.id, False, "Redis knows nothing of the department, in which people wait.")
    elif held.head.day > date.min:
        tally.skip(["R1"], f"Redis knows nothing of {held.id} yet; the next command there builds its line")


def _pieces(things: Sequence[Thing]) -> list[Sequence[Thing]]:
    return [things[start : start + _COMPARED_AT_ONCE] for start in range(0, len(things), _COMPARED_AT_ONCE)]
