"""Check one department: its log against its tokens, and its queue in Redis against the waiting tokens."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from tokenq.contract.events import EventType
from tokenq_server.domain.invariants.department_head import LineCopy, Seqs, check_counts, check_line, check_line_rests
from tokenq_server.domain.invariants.entries import Stored, read_entry
from tokenq_server.domain.invariants.numbering import Numbers
from tokenq_server.domain.invariants.replay import Replay
from tokenq_server.domain.invariants.replayed_token import ReplayedToken, TransferredTokens, compare
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.services.verification.ports import DepartmentState, Snapshot, VerifyOptions

Item = TypeVar("Item")

_COMPARED_AT_ONCE = 5_000
_OF_A_WHOLE_LOG = ("N2", "N8", "S1", "S2", "S3", "S4", "S5", "S7", "L2", "L3", "K4", "M1")
_OF_ALL_ENTRIES = ("N2", "N8", "S1", "S2", "S3", "S4", "S5", "L1", "L2", "L3", "K4", "M1", "M2", "M6")


class DepartmentCheck:
    """Replays one department in chunks; only tokens to which something can still happen stay in memory.

    A log that was rewound is replayed from the first day after that, which begins with an empty queue. A log whose
    beginning is deleted is replayed from there: what is live has all its entries, and of the others some are unknown.
    """

    def __init__(self, snapshot: Snapshot, state: DepartmentState, tally: Tally) -> None:
        self._snapshot = snapshot
        self._state = state
        self._tally = tally
        self._seqs = Seqs(state.id, tally, state.log_floor)
        self._lost_day = state.rewound[1] if state.rewound else date.min
        incomplete_day = max(self._lost_day, state.log_floor_day)
        self._numbers = Numbers(state.id, tally, state.day_at, state.changed_seq, incomplete_day)
        self._replay = Replay(
            state.id,
            tally,
            is_partial=state.rewound is not None,
            is_cut=state.log_floor > 0,
            old_seq=state.rewritten_seq,
        )
        self._has_begun = state.rewound is None
        self._over: list[ReplayedToken] = []

    async def run(self, transferred: TransferredTokens, tell: Callable[[str], None]) -> None:
        """Check everything; tokens that were also in other departments are added to ``transferred``."""
        async for piece in self._snapshot.log(self._state.id):
            for stored in piece:
                self._take(stored)
            tell(f"{self._state.id}: entry {piece[-1].seq} of {self._state.head.last_seq}")
            await self._compare_over()
        for token in self._replay.rest():
            if token.others:
                transferred.add(self._state.id, token)
            else:
                self._over.append(token)
        await self._compare_over()
        await self._end()

    def _take(self, stored: Stored) -> None:
        self._seqs.take(stored.seq)
        entry = read_entry(self._state.id, stored, self._tally)
        if entry is None:
            return
        if stored.event_type == EventType.TOKEN_GENERATED:
            self._has_begun |= entry.seq > self._state.rewound_seq and entry.day > self._lost_day
            if entry.day > self._numbers.day:
                self._over += self._replay.over(entry.day)
            self._numbers.issued(entry)
        if self._has_begun:
            self._replay.take(entry)

    async def _compare_over(self) -> None:
        over, self._over = self._over, []
        for chunk in _chunks(over):
            rows = await self._snapshot.rows([token.token_id for token in chunk])
            for token in chunk:
                compare(self._state.id, token, rows.get(token.token_id), self._tally)

    async def _end(self) -> None:
        head = self._state.head
        async for rows in self._snapshot.numbers(self._state.id):
            for day, number in rows:
                self._numbers.row(day, number)
        self._numbers.end(head.day, head.last_no)
        self._seqs.end(head.last_seq)
        if self._state.log_floor:
            self._tally.skip(_OF_ALL_ENTRIES, _deleted(self._state))
        if self._state.rewound:
            self._tally.skip(_OF_A_WHOLE_LOG, _rewound_day(self._state))
        else:
            check_counts(self._state.id, head, self._replay.line, self._tally)


def _rewound_day(state: DepartmentState) -> str:
    """A restored database has lost how those days went; what was logged since follows no table of verbs."""
    day = state.rewound[1] if state.rewound else None
    return f"the log of {state.id} was rewound on {day}, and is replayed from the next day on"


def _deleted(state: DepartmentState) -> str:
    return f"the entries of {state.id} before {state.log_floor + 1} have been deleted, as they were too old to be kept"


async def check_transferred(snapshot: Snapshot, transferred: TransferredTokens, tally: Tally) -> None:
    """Check the tokens that were in several departments against their rows."""
    for chunk in _chunks(transferred.token_ids):
        rows = await snapshot.rows(chunk)
        for token_id in chunk:
            transferred.compare(token_id, rows.get(token_id), tally)


async def check_copy(
    snapshot: Snapshot, state: DepartmentState, copy: LineCopy | None, day: date, options: VerifyOptions, tally: Tally
) -> None:
    """Check a department's queue, copied on ``day`` before the snapshot was taken, against the waiting tokens."""
    for sentence in copy.damage if copy else ():
        tally.blame("R1", state.id, sentence)
    if copy is None:
        _without_line(state, options, tally)
    elif copy.seq is None:
        return  # nothing can be said about its members
    elif day != state.head.day:
        tally.skip(["R1"], f"a business day began in {state.id} meanwhile")
    elif copy.seq < state.log_floor:
        tally.skip(["R1"], f"Redis is behind the kept log of {state.id}; the next command there builds its queue")
    else:
        since = await snapshot.since(state.id, copy.seq)
        check_line(state.id, copy, since, await snapshot.waiting(state.id), state.head.last_seq, tally)
        # A deleted department has no tokens, and its queue is not told of the deletion.
        if options.at_rest and not state.is_archived:
            check_line_rests(state.id, copy, state.head, tally)


def _without_line(state: DepartmentState, options: VerifyOptions, tally: Tally) -> None:
    """Redis may know nothing of a department: the next command there builds its queue. At rest that has happened."""
    if options.at_rest and any(state.head.waiting.values()):
        tally.check("R3", state.id, False, "Redis has no data of the department, which has waiting tokens.")
    elif state.head.day > date.min:
        tally.skip(["R1"], f"Redis has no data of {state.id} yet; the next command there builds its queue")


def _chunks(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[start : start + _COMPARED_AT_ONCE] for start in range(0, len(items), _COMPARED_AT_ONCE)]
