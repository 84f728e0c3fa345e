"""The one transaction of a rewind: logs and numbers go past what others have seen, and the sessions are reconciled."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tokenq.contract.events import Event
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.counters import Counters
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.divergence import Divergence
from tokenq_server.domain.token import Token
from tokenq_server.recovery.detection import line_states
from tokenq_server.recovery.ports import Stores, Transaction
from tokenq_server.recovery.session_reconciliation import Reconciled, reconcile_floors
from tokenq_server.recovery.token_history import highest_number, histories
from tokenq_server.services.ports import LineState, LoadPlan, Locked
from tokenq_server.services.publishing import Cursor

logger = logging.getLogger(__name__)

_LAST_TOKEN_ID = 2**53 - 1
"""No place has given out so many: what is beyond is forged, and would leave no id for anybody else."""


@dataclass
class Reconciliation:
    """One rewind: what is told by the topic, and what becomes of the departments that lack it."""

    stores: Stores
    cursors: Mapping[str, Cursor]
    told: Sequence[Event]
    sessions: dict[str, DepartmentSession] = field(default_factory=dict)
    lost: list[Event] = field(default_factory=list)
    overwritten: dict[str, set[int]] = field(default_factory=dict)
    taken: set[tuple[str, int]] = field(default_factory=set)

    async def carry_out(self, found: Sequence[Divergence]) -> dict[str, Any]:
        """Reconcile all of them together or none; answers what was done.

        Raises:
            Refused: ``unavailable``; Redis, which alone knows some of the numbers, cannot be asked any more.
            LedgerDown: Postgres is away.
            LedgerRefused: somebody else holds a department, or Postgres refuses what would be written.
        """
        names = sorted(one.department_id for one in found)
        async with self.stores.ledger.open() as transaction:
            locked = await transaction.lock(names, with_archived=True)
            held_by_redis = await line_states(self.stores.line, _days(locked), self.stores.patience)
            affected = [one for one in found if one.department_id in locked.departments]
            _refuse_unknown_numbers(affected, held_by_redis)
            for one in affected:
                await self._move_past(transaction, locked, one, held_by_redis.get(one.department_id))
            done = await self._reconcile_floors(transaction)
            ids = [event.token_id for event in self.told]
            ids += [token_id for line in held_by_redis.values() for token_id in line.token_ids]
            ids = [token_id for token_id in ids if token_id <= _LAST_TOKEN_ID]
            published = {one.department_id: one.topic_at for one in affected}
            letters = await transaction.move_on(published, max(ids, default=0), names)
            await transaction.commit(list(self.sessions.values()), [])
        for session in self.sessions.values():
            logger.warning("log rewound", extra={"department": session.id, "seq": session.head.last_seq})
        return {
            "waitingAgain": done.waiting_again,
            "ended": done.ended,
            "toldAgain": done.told_again,
            "notRestored": done.not_restored,
            "lettersHeld": letters,
        }

    async def _move_past(
        self, transaction: Transaction, locked: Locked, one: Divergence, line: LineState | None
    ) -> None:
        """Let a department's log and numbers go past everything that others have seen, and its day be today."""
        name = one.department_id
        department, head = locked.departments[name]
        session = self.sessions[name] = DepartmentSession(department, head, locked.now, Counters())
        day = _days(locked)[name]
        forgotten = await self._forgotten(transaction, one, head.last_seq)
        steps = _steps(forgotten, head.last_seq, max(head.last_seq, one.topic_at, one.redis_at))
        await transaction.append_rewound(department, day, session.now, steps)
        session.head = replace(head, last_seq=max(steps))
        if session.day_is_over:
            session.roll_over(await transaction.leftovers(name))
        self.lost += forgotten
        self.taken |= await transaction.numbers_taken(name, day)
        numbers = [session.head.last_no, highest_number(forgotten, name, day), line.last_no if line else 0]
        session.head = replace(session.head, last_no=max(numbers))

    async def _forgotten(self, transaction: Transaction, one: Divergence, head: int) -> list[Event]:
        """The events that the log lacks, also those in whose place it has others."""
        name = one.department_id
        kept = {entry.seq: entry for entry in await transaction.entries(name, self.cursors[name].seq, head)}
        mine = {event.seq: event for event in self.told if event.department_id == name}
        forked = {seq for seq, event in mine.items() if seq in kept and kept[seq].event_id != event.event_id}
        if one.is_forked or forked:
            self.overwritten[name] = {kept[seq].token_id for seq in forked} - {0}
        return [event for seq, event in sorted(mine.items()) if seq > head or seq in forked]

    async def _reconcile_floors(self, transaction: Transaction) -> Reconciled:
        lost = histories(self.lost)
        touched = {token_id for ids in self.overwritten.values() for token_id in ids}
        users = [(one.department_id, one.user_id) for one in self.lost if one.user_id is not None]
        loaded = await transaction.load(LoadPlan(token_ids=sorted({*lost, *touched}), users=users))
        known: dict[int, Token] = {}
        for token in loaded.tokens:
            known[token.token_id] = token
            if session := self.sessions.get(token.department_id):
                session.counters.occupy(token)
                session.load([token])
                known[token.token_id] = session.tokens[token.token_id]  # turning the day may have changed it
        return reconcile_floors(self.sessions, known, lost, self.overwritten, self.taken)


def _refuse_unknown_numbers(found: Sequence[Divergence], held_by_redis: Mapping[str, LineState]) -> None:
    """What Redis alone has seen, only Redis can tell: without it, numbers would be given out twice."""
    for one in found:
        if one.redis_at > one.log_at and one.department_id not in held_by_redis:
            extra = {"departments": [one.department_id]}
            raise refuse(StoreReason.REDIS_SILENT, extra, department=one.department_id)


def _days(locked: Locked) -> dict[str, Any]:
    return {
        name: business_day(locked.now, one.timezone, one.rollover_hour, head.day)
        for name, (one, head) in locked.departments.items()
    }


def _steps(forgotten: Sequence[Event], head: int, target: int) -> dict[int, dict[str, Any]]:
    """What each new entry says: of those that are missing, what stood there; at the end, what happened."""
    by_seq = {event.seq: event for event in forgotten}
    return {seq: _quoted(by_seq.get(seq)) for seq in range(head + 1, target + 1)} | {
        target + 1: {"from": head, "to": target}
    }


def _quoted(event: Event | None) -> dict[str, Any]:
    if event is None:
        return {}
    of_token = {"tokenId": event.token_id, "displayNumber": event.display_number} if event.token_id else {}
    return {"eventType": event.event_type, **of_token}
