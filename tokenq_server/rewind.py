"""``tokenq server rewind``: the database was restored from a back-up, while Redis and the topic know more.

Every missing seq becomes an entry ``LOG_REWOUND``, so the log stays gapless and readers, who drop what they have
seen, take what comes next. Numbers and token ids that were given out are not given again; who waited is put back in
line as far as the topic tells; readers are told what changed for them.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from tokenq.contract.events import Event
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq_server.adapters.postgres import rewinding as store
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.ledger import PostgresLedger, PostgresTransaction
from tokenq_server.behind import away, lines, look
from tokenq_server.bootstrap import open_topic
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.counters import Counters
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.rewinding import Mended, highest_number, put_right, tales
from tokenq_server.domain.token import Token
from tokenq_server.rebuild import rebuild
from tokenq_server.services.evidence import MAX_GAP
from tokenq_server.services.ports import LedgerDown, LedgerRefused, LineState, Locked, Wanted
from tokenq_server.services.publishing import Cursor, PublishFailed, event_id_of
from tokenq_server.services.rewinding import Behind, refusal
from tokenq_server.settings import ServerSettings

logger = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds to wait for a relay to give its place up."""

_LAST_TOKEN_ID = 2**53 - 1
"""No place has given out so many: what is beyond is forged, and would leave no id for anybody else."""


async def refuse_if_behind(settings: ServerSettings) -> None:
    """Do not go on where a restored database has forgotten what others know. What is away is not asked.

    Raises:
        Refused: ``log_behind``.
    """
    await guard(settings)


async def guard(settings: ServerSettings) -> Callable[[], Awaitable[None]] | None:
    """Look as :func:`refuse_if_behind` does; answers what must succeed before the first commit, if anything.

    A database that still recovers cannot tell yet. What is answered looks again and raises LedgerDown or Refused.
    """
    try:
        await _make_sure(settings)
    except LedgerDown:
        return partial(_make_sure, settings)
    return None


async def _make_sure(settings: ServerSettings) -> None:
    behind = await look(settings, must_know=False)
    if behind and settings.kafka_embedded:
        # The topic of 'tokenq up' begins anew each time; what Redis knows needs nobody's decision.
        await rewind(settings)
    elif behind:
        raise refusal(behind)


async def shown(settings: ServerSettings) -> list[dict[str, Any]]:
    """The departments that are behind, for the command line. Raises Refused."""
    try:
        return [_view(one) for one in await look(settings)]
    except LedgerDown as error:
        raise away("database") from error


async def rewind(settings: ServerSettings) -> dict[str, Any]:
    """Carry it out, in one transaction for all affected departments; answers what was done.

    Raises:
        Refused: a store that is needed is away, or somebody is at work on the departments.
    """
    dsn = settings.database_url.get_secret_value()
    log, ledger = (
        PostgresEventLog(dsn, "tokenq-rewind"),
        PostgresLedger(dsn, with_email=settings.events_email == "plain"),
    )
    try:
        await log.take_over(_PATIENCE)  # no relay may publish meanwhile
        cursors = await log.cursors()
        behind = await look(settings)
        _refuse_too_far(behind)
        names = [one.department_id for one in behind]
        told = await open_topic(settings).events_after(cursors, names) if behind else []
        done = await _Rewind(settings, cursors, told).carry_out(ledger, behind) if behind else {}
    except (LedgerDown, PublishFailed) as error:
        raise away("database" if isinstance(error, LedgerDown) else "broker") from error
    except LedgerRefused as error:
        raise refuse(
            ProblemCode.UNAVAILABLE, "A relay or an API is at work on this database.", "Stop both and try again."
        ) from error
    finally:
        await ledger.close()
        await log.close()
    return {"departments": [_view(one) for one in behind], **done, "linesRebuilt": await _lines_rebuilt(settings)}


def _refuse_too_far(behind: Sequence[Behind]) -> None:
    """Every missing seq becomes an entry: a number out of nowhere must not fill the log with millions of them."""
    for one in behind:
        missing = max(one.topic_at, one.redis_at) - one.log_at
        if missing > MAX_GAP:
            raise refuse(
                ProblemCode.LOG_BEHIND,
                f"{one.department_id} lacks {missing} events; a rewind fills in {MAX_GAP} at most.",
                "Restore a newer back-up. If Redis is what is wrong, empty it: it is filled again from the database.",
                departments=[one.department_id],
            )


def _view(one: Behind) -> dict[str, Any]:
    return {
        "departmentId": one.department_id,
        "logAt": one.log_at,
        "topicAt": one.topic_at,
        "redisAt": one.redis_at,
        "isForked": one.is_forked,
    }


async def _lines_rebuilt(settings: ServerSettings) -> bool:
    """All of them: a Redis from another time may hold as many people, but others."""
    try:
        return await rebuild(settings) == 0
    except Refused:
        logger.warning("Redis is away; run 'tokenq server rebuild' when it is back")
        return False


@dataclass
class _Rewind:
    """One rewind: what is told by the topic, and what becomes of the departments that lack it."""

    settings: ServerSettings
    cursors: Mapping[str, Cursor]
    told: Sequence[Event]
    floors: dict[str, Floor] = field(default_factory=dict)
    lost: list[Event] = field(default_factory=list)
    overwritten: dict[str, set[int]] = field(default_factory=dict)
    taken: set[tuple[str, int]] = field(default_factory=set)

    async def carry_out(self, ledger: PostgresLedger, behind: Sequence[Behind]) -> dict[str, Any]:
        names = sorted(one.department_id for one in behind)
        async with ledger.open() as transaction:
            locked = await transaction.lock(names, with_archived=True)
            held_by_redis = await lines(self.settings, _days(locked))
            for one in behind:
                if one.department_id in locked.departments:
                    await self._move_past(transaction, locked, one, held_by_redis.get(one.department_id))
            mended = await self._put_right(transaction)
            ids = [event.token_id for event in self.told]
            ids += [token_id for line in held_by_redis.values() for token_id in line.token_ids]
            ids = [token_id for token_id in ids if token_id <= _LAST_TOKEN_ID]
            published = {one.department_id: one.topic_at for one in behind if one.department_id in self.floors}
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
        loaded = await transaction.load(Wanted(token_ids=sorted({*lost, *touched}), users=users))
        known: dict[int, Token] = {}
        for token in loaded.tokens:
            known[token.token_id] = token
            if floor := self.floors.get(token.department_id):
                floor.counters.seat(token)
                floor.know([token])
                known[token.token_id] = floor.tokens[token.token_id]  # turning the day may have changed it
        return put_right(self.floors, known, lost, self.overwritten, self.taken)


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
