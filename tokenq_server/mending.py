"""The one transaction of a rewind: logs and numbers go past what others have seen, and the floors are put right."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tokenq.contract.events import Event
from tokenq.contract.problems import ProblemCode, refuse
from tokenq_server.adapters.postgres import rewinding as store
from tokenq_server.adapters.postgres.ledger import PostgresLedger, PostgresTransaction
from tokenq_server.behind import lines
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.counters import Counters
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.rewinding import Mended, highest_number, put_right, tales
from tokenq_server.domain.token import Token
from tokenq_server.services.ports import LineState, LoadPlan, Locked
from tokenq_server.services.publishing import Cursor, event_id_of
from tokenq_server.services.rewinding import Behind
from tokenq_server.settings import ServerSettings

logger = logging.getLogger(__name__)

_LAST_TOKEN_ID = 2**53 - 1
"""No place has given out so many: what is beyond is forged, and would leave no id for anybody else."""


@dataclass
class Mending:
    """One rewind: what is told by the topic, and what becomes of the departments that lack it."""

    settings: ServerSettings
    cursors: Mapping[str, Cursor]
    told: Sequence[Event]
    floors: dict[str, Floor] = field(default_factory=dict)
    lost: list[Event] = field(default_factory=list)
    overwritten: dict[str, set[int]] = field(default_factory=dict)
    taken: set[tuple[str, int]] = field(default_factory=set)

    async def carry_out(self, ledger: PostgresLedger, behind: Sequence[Behind]) -> dict[str, Any]:
        """Mend all of them together or none; answers what was done.

        Raises:
            Refused: ``unavailable``; Redis, which alone knows some of the numbers, cannot be asked any more.
            LedgerDown: Postgres is away.
            LedgerRefused: somebody else holds a department, or Postgres refuses what would be written.
        """
        names = sorted(one.department_id for one in behind)
        async with ledger.open() as transaction:
            locked = await transaction.lock(names, with_archived=True)
            held_by_redis = await lines(self.settings, _days(locked))
            affected = [one for one in behind if one.department_id in locked.departments]
            _refuse_unknown_numbers(affected, held_by_redis)
            for one in affected:
                await self._move_past(transaction, locked, one, held_by_redis.get(one.department_id))
            mended = await self._put_right(transaction)
            ids = [event.token_id for event in self.told]
            ids += [token_id for line in held_by_redis.values() for token_id in line.token_ids]
            ids = [token_id for token_id in ids if token_id <= _LAST_TOKEN_ID]
            published = {one.department_id: one.topic_at for one in affected}
            letters = await store.move_on(transaction, published, max(ids, default=0), names)
            await transaction.commit(list(self.floors.values()), [])
        for floor in self.floors.values():
            logger.warning("log rewound", extra={"department": floor.id, "seq": floor.standing.last_seq})
        return {
            "waitingAgain": mended.waiting_again,
            "ended": mended.ended,
            "toldAgain": mended.told_again,
            "notRestored": mended.not_restored,
            "lettersHeld": letters,
        }

    async def _move_past(
        self, transaction: PostgresTransaction, locked: Locked, one: Behind, line: LineState | None
    ) -> None:
        """Let a department's log and numbers go past everything that others have seen, and its day be today."""
        name = one.department_id
        department, standing = locked.departments[name]
        floor = self.floors[name] = Floor(department, standing, locked.now, Counters())
        day = _days(locked)[name]
        forgotten = await self._forgotten(transaction, one, standing.last_seq)
        steps = _steps(forgotten, standing.last_seq, max(standing.last_seq, one.topic_at, one.redis_at))
        await store.fill(transaction, department, day, floor.now, steps)
        floor.standing = replace(standing, last_seq=max(steps))
        if floor.day_is_over:
            floor.turn_day(await transaction.leftovers(name))
        self.lost += forgotten
        self.taken |= await store.numbers_taken(transaction, name, day)
        numbers = [floor.standing.last_no, highest_number(forgotten, name, day), line.last_no if line else 0]
        floor.standing = replace(floor.standing, last_no=max(numbers))

    async def _forgotten(self, transaction: PostgresTransaction, one: Behind, head: int) -> list[Event]:
        """The events that the log lacks, also those in whose place it has others."""
        name = one.department_id
        kept = {row["seq"]: row for row in await store.entries(transaction, name, self.cursors[name].seq, head)}
        mine = {event.seq: event for event in self.told if event.department_id == name}
        forked = {seq for seq, event in mine.items() if seq in kept and _is_other(kept[seq]["payload"], event)}
        if one.is_forked or forked:
            self.overwritten[name] = {int(kept[seq]["token_id"]) for seq in forked} - {0}
        return [event for seq, event in sorted(mine.items()) if seq > head or seq in forked]

    async def _put_right(self, transaction: PostgresTransaction) -> Mended:
        lost = tales(self.lost)
        touched = {token_id for ids in self.overwritten.values() for token_id in ids}
        users = [(one.department_id, one.user_id) for one in self.lost if one.user_id is not None]
        loaded = await transaction.load(LoadPlan(token_ids=sorted({*lost, *touched}), users=users))
        known: dict[int, Token] = {}
        for token in loaded.tokens:
            known[token.token_id] = token
            if floor := self.floors.get(token.department_id):
                floor.counters.seat(token)
                floor.know([token])
                known[token.token_id] = floor.tokens[token.token_id]  # turning the day may have changed it
        return put_right(self.floors, known, lost, self.overwritten, self.taken)


def _refuse_unknown_numbers(behind: Sequence[Behind], held_by_redis: Mapping[str, LineState]) -> None:
    """What Redis alone has seen, only Redis can tell: without it, numbers would be given out twice."""
    for one in behind:
        if one.redis_at > one.log_at and one.department_id not in held_by_redis:
            raise refuse(
                ProblemCode.UNAVAILABLE,
                f"Redis cannot tell any more what it holds of {one.department_id}, and the database has forgotten it.",
                "Start it and try again. If it is lost, empty it: numbers may then be given out a second time.",
                departments=[one.department_id],
            )


def _days(locked: Locked) -> dict[str, Any]:
    return {
        name: business_day(locked.now, one.timezone, one.rollover_hour, standing.day)
        for name, (one, standing) in locked.departments.items()
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


def _is_other(payload: str, event: Event) -> bool:
    return event_id_of(payload) != event.event_id
