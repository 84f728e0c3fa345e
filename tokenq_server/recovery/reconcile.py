"""The transaction of a rewind: moves logs and numbers past what others have seen, and reconciles the sessions."""

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
"""No real system has issued this many ids: anything beyond is forged, and would leave none for others."""


@dataclass
class Reconciliation:
    """One rewind: the lost events from the topic, and their effect on the departments."""

    stores: Stores
    cursors: Mapping[str, Cursor]
    topic_events: Sequence[Event]
    sessions: dict[str, DepartmentSession] = field(default_factory=dict)
    lost: list[Event] = field(default_factory=list)
    overwritten: dict[str, set[int]] = field(default_factory=dict)
    taken: set[tuple[str, int]] = field(default_factory=set)

    async def carry_out(self, divergences: Sequence[Divergence]) -> dict[str, Any]:
        """Reconcile all departments together or none; return a summary.

        Raises:
            Refused: ``unavailable``; Redis, which alone knows some of the numbers, cannot be read any more.
        """
        names = sorted(divergence.department_id for divergence in divergences)
        async with self.stores.ledger.open() as transaction:
            locked = await transaction.lock(names, with_archived=True)
            held_by_redis = await line_states(self.stores.line, _days(locked), self.stores.patience)
            affected = [divergence for divergence in divergences if divergence.department_id in locked.departments]
            _refuse_unknown_numbers(affected, held_by_redis)
            for divergence in affected:
                await self._move_past(transaction, locked, divergence, held_by_redis.get(divergence.department_id))
            done = await self._reconcile_floors(transaction)
            ids = [event.token_id for event in self.topic_events]
            ids += [token_id for line in held_by_redis.values() for token_id in line.token_ids]
            ids = [token_id for token_id in ids if token_id <= _LAST_TOKEN_ID]
            published = {divergence.department_id: divergence.topic_at for divergence in affected}
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
        self, transaction: Transaction, locked: Locked, divergence: Divergence, line: LineState | None
    ) -> None:
        """Move a department's log and numbers past everything that others have seen, and its day to today."""
        name = divergence.department_id
        department, head = locked.departments[name]
        session = self.sessions[name] = DepartmentSession(department, head, locked.now, Counters())
        day = _days(locked)[name]
        missing = await self._missing_events(transaction, divergence, head.last_seq)
        steps = _steps(missing, head.last_seq, max(head.last_seq, divergence.topic_at, divergence.redis_at))
        await transaction.append_rewound(department, day, session.now, steps)
        session.head = replace(head, last_seq=max(steps))
        if session.day_is_over:
            session.roll_over(await transaction.leftovers(name))
        self.lost += missing
        self.taken |= await transaction.numbers_taken(name, day)
        numbers = [session.head.last_no, highest_number(missing, name, day), line.last_no if line else 0]
        session.head = replace(session.head, last_no=max(numbers))

    async def _missing_events(self, transaction: Transaction, divergence: Divergence, head: int) -> list[Event]:
        """Return the events missing from the log, including those whose seqs it has used for others."""
        name = divergence.department_id
        kept = {entry.seq: entry for entry in await transaction.entries(name, self.cursors[name].seq, head)}
        mine = {event.seq: event for event in self.topic_events if event.department_id == name}
        forked = {seq for seq, event in mine.items() if seq in kept and kept[seq].event_id != event.event_id}
        if divergence.is_forked or forked:
            self.overwritten[name] = {kept[seq].token_id for seq in forked} - {0}
        return [event for seq, event in sorted(mine.items()) if seq > head or seq in forked]

    async def _reconcile_floors(self, transaction: Transaction) -> Reconciled:
        lost = histories(self.lost)
        touched = {token_id for ids in self.overwritten.values() for token_id in ids}
        users = [(event.department_id, event.user_id) for event in self.lost if event.user_id is not None]
        loaded = await transaction.load(LoadPlan(token_ids=sorted({*lost, *touched}), users=users))
        tokens: dict[int, Token] = {}
        for token in loaded.tokens:
            tokens[token.token_id] = token
            if session := self.sessions.get(token.department_id):
                session.counters.occupy(token)
                session.load([token])
                tokens[token.token_id] = session.tokens[token.token_id]  # the roll-over may have changed it
        return reconcile_floors(self.sessions, tokens, lost, self.overwritten, self.taken)


def _refuse_unknown_numbers(divergences: Sequence[Divergence], held_by_redis: Mapping[str, LineState]) -> None:
    """Refuse if Redis, which alone knows the latest numbers, is unavailable: they would be issued twice."""
    for divergence in divergences:
        if divergence.redis_at > divergence.log_at and divergence.department_id not in held_by_redis:
            extra = {"departments": [divergence.department_id]}
            raise refuse(StoreReason.REDIS_SILENT, extra, department=divergence.department_id)


def _days(locked: Locked) -> dict[str, Any]:
    return {
        name: business_day(locked.now, department.timezone, department.rollover_hour, head.day)
        for name, (department, head) in locked.departments.items()
    }


def _steps(missing: Sequence[Event], head: int, target: int) -> dict[int, dict[str, Any]]:
    """The data of each new entry: for missing events, what was there; for the last one, what happened."""
    by_seq = {event.seq: event for event in missing}
    return {seq: _event_fields(by_seq.get(seq)) for seq in range(head + 1, target + 1)} | {
        target + 1: {"from": head, "to": target}
    }


def _event_fields(event: Event | None) -> dict[str, Any]:
    if event is None:
        return {}
    of_token = {"tokenId": event.token_id, "displayNumber": event.display_number} if event.token_id else {}
    return {"eventType": event.event_type, **of_token}
