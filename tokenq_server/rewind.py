"""``tokenq server rewind``: the database was restored from a back-up, while Redis and the topic know more.

Every missing seq becomes an entry ``LOG_REWOUND``, so the log stays gapless and readers, who drop what they have
seen, take what comes next. Numbers and token ids that were given out are not given again; who waited is put back in
line as far as the topic tells; readers are told what changed for them.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from tokenq.contract.events import Event
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.adapters.postgres import rewinding as store
from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.postgres.ledger import PostgresLedger, PostgresTransaction
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.bootstrap import open_topic
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.counters import Counters
from tokenq_server.domain.department import Department
from tokenq_server.domain.floor import Floor
from tokenq_server.domain.rewinding import highest_number, put_right, tales
from tokenq_server.rebuild import rebuild
from tokenq_server.services.ports import LedgerDown, LedgerRefused, LineDown, LineState, Wanted
from tokenq_server.services.publishing import Cursor, PublishFailed, Tail, event_id_of
from tokenq_server.services.rewinding import Behind, compare, refusal, suspects
from tokenq_server.settings import ServerSettings

logger = logging.getLogger(__name__)

_NOTHING = Tail({}, set())


async def refuse_if_behind(settings: ServerSettings) -> None:
    """Do not go on where a restored database has forgotten what others know. What is away is not asked.

    Raises:
        Refused: ``log_behind``.
    """
    try:
        behind = await look(settings, must_know=False)
    except LedgerDown:
        return
    if behind and settings.kafka_embedded:
        # The topic of 'tokenq up' begins anew each time; what Redis knows needs nobody's decision.
        await rewind(settings)
    elif behind:
        raise refusal(behind)


async def look(settings: ServerSettings, *, must_know: bool = True) -> list[Behind]:
    """The departments of which the topic or Redis knows more than the log.

    Raises:
        Refused: ``unavailable``; the topic must be read, and cannot be.
        LedgerDown: Postgres is away, or has no tables yet.
    """
    log = PostgresEventLog(settings.database_url.get_secret_value(), "tokenq-rewind")
    try:
        cursors = await log.cursors()
        tail = await _tail(settings, cursors, must_know=must_know)
        lines = {name: state.at for name, state in (await _lines(settings, dict.fromkeys(cursors, date.min))).items()}
        ids = await log.event_ids(suspects(cursors, tail))
        return compare({name: seq for name, seq in (await log.heads()).items() if name in cursors}, tail, ids, lines)
    finally:
        await log.close()


async def shown(settings: ServerSettings) -> list[dict[str, Any]]:
    """What :func:`look` finds, for the command line. Raises Refused."""
    try:
        return [_view(one) for one in await look(settings)]
    except LedgerDown as error:
        raise _away("database") from error


def _view(one: Behind) -> dict[str, Any]:
    return {
        "departmentId": one.department_id,
        "logAt": one.log_at,
        "topicAt": one.topic_at,
        "redisAt": one.redis_at,
        "isForked": one.is_forked,
    }


async def rewind(settings: ServerSettings) -> dict[str, Any]:
    """Carry it out, in one transaction for all affected departments; answers what was done.

    Raises:
        Refused: a store that is needed is away, or a department is busy.
    """
    log = PostgresEventLog(settings.database_url.get_secret_value(), "tokenq-rewind")
    ledger = PostgresLedger(settings.database_url.get_secret_value(), with_email=settings.events_email == "plain")
    try:
        await log.take_over(patience=10.0)  # no relay may publish meanwhile
        cursors = await log.cursors()
        behind = await look(settings)
        told = await open_topic(settings).events_after(_offsets(cursors)) if behind else []
        done = await _write(settings, ledger, cursors, behind, told) if behind else {}
    except (LedgerDown, PublishFailed) as error:
        raise _away("database" if isinstance(error, LedgerDown) else "broker") from error
    except LedgerRefused as error:
        raise refuse(
            ProblemCode.UNAVAILABLE, "A relay or an API is at work on this database.", "Stop both and try again."
        ) from error
    finally:
        await ledger.close()
        await log.close()
    done["linesRebuilt"] = await _lines_rebuilt(settings)
    return {"departments": [_view(one) for one in behind], **done}


async def _lines_rebuilt(settings: ServerSettings) -> bool:
    """All of them: a Redis from another time may hold as many people, but others."""
    try:
        return await rebuild(settings) == 0
    except Refused:
        logger.warning("Redis is away; run 'tokenq server rebuild' when it is back")
        return False


@dataclass(frozen=True)
class _Known:
    """What others know of one department beyond its log."""

    behind: Behind
    cursor: Cursor
    told: dict[int, Event]
    line: LineState | None


async def _write(
    settings: ServerSettings,
    ledger: PostgresLedger,
    cursors: dict[str, Cursor],
    behind: Sequence[Behind],
    told: Sequence[Event],
) -> dict[str, Any]:
    names = sorted(one.department_id for one in behind)
    async with ledger.open() as transaction:
        locked = await transaction.lock(names)
        days = {
            name: business_day(locked.now, one.timezone, one.rollover_hour, standing.day)
            for name, (one, standing) in locked.departments.items()
        }
        lines = await _lines(settings, days)
        floors: dict[str, Floor] = {}
        lost: list[Event] = []
        overwritten: dict[str, set[int]] = {}
        taken: set[tuple[str, int]] = set()
        counters = Counters()
        for one in behind:
            name = one.department_id
            if name not in locked.departments:
                continue
            mine = {event.seq: event for event in told if event.department_id == name}
            known = _Known(one, cursors[name], mine, lines.get(name))
            department, standing = locked.departments[name]
            floor = floors[name] = Floor(department, standing, locked.now, counters)
            forgotten, forked = await _forgotten(transaction, known, standing.last_seq)
            lost += forgotten
            if forked:
                overwritten[name] = forked
            await _reach(transaction, floor, department, days[name], known, forgotten)
            if floor.day_is_over:
                floor.turn_day(await transaction.leftovers(name))
            taken |= await store.numbers_taken(transaction, name, days[name])
            last_no = max(floor.standing.last_no, highest_number(lost, name, days[name]))
            if known.line is not None:
                last_no = max(last_no, known.line.last_no)
            floor.standing = replace(floor.standing, last_no=last_no)
        by_token = tales(lost)
        touched = {token_id for ids in overwritten.values() for token_id in ids}
        users = [(e.department_id, e.user_id) for e in lost if e.user_id is not None and e.department_id in floors]
        loaded = await transaction.load(Wanted(token_ids=[*by_token, *touched], users=users))
        for token in loaded.tokens:
            counters.seat(token)
            if token.department_id in floors:
                floors[token.department_id].know([token])
        tokens = {
            token.token_id: floors[token.department_id].tokens[token.token_id]
            if token.department_id in floors
            else token
            for token in loaded.tokens
        }
        mended = put_right(floors, tokens, by_token, overwritten, taken)
        last_id = max([*(event.token_id for event in told), *(i for line in lines.values() for i in line.token_ids), 0])
        published = {one.department_id: one.topic_at for one in behind}
        held = await store.move_on(transaction, published, last_id, names)
        await transaction.commit(list(floors.values()), [])
    for floor in floors.values():
        logger.warning("log rewound", extra={"department": floor.id, "seq": floor.standing.last_seq})
    return {
        "waitingAgain": mended.waiting_again,
        "ended": mended.ended,
        "toldAgain": mended.told_again,
        "notRestored": mended.not_restored,
        "lettersHeld": held,
    }


async def _forgotten(transaction: PostgresTransaction, known: _Known, head: int) -> tuple[list[Event], set[int]]:
    """The events that the log does not have, and the tokens of entries that the topic has something else for."""
    kept = {
        row["seq"]: row for row in await store.entries(transaction, known.behind.department_id, known.cursor.seq, head)
    }
    forgotten, forked = [], set()
    for seq, event in sorted(known.told.items()):
        if seq > head:
            forgotten.append(event)
        elif seq in kept and event_id_of(kept[seq]["payload"]) != event.event_id:
            forgotten.append(event)
            forked.add(int(kept[seq]["token_id"]))
    return forgotten, forked - {0}


async def _reach(
    transaction: PostgresTransaction,
    floor: Floor,
    department: Department,
    day: date,
    known: _Known,
    forgotten: Sequence[Event],
) -> None:
    """Let the log end past everything that others have seen, each step explained by an entry."""
    head, one = floor.standing.last_seq, known.behind
    target = max(head, one.topic_at, one.redis_at)
    by_seq = {event.seq: event for event in forgotten}
    steps: dict[int, dict[str, Any]] = {seq: _lost(by_seq.get(seq)) for seq in range(head + 1, target + 1)}
    steps[target + 1] = {"from": head, "to": target}
    await store.fill(transaction, department, day, floor.now, steps)
    floor.standing = replace(floor.standing, last_seq=target + 1)


def _lost(event: Event | None) -> dict[str, Any]:
    if event is None:
        return {}
    return {"eventType": event.event_type, "tokenId": event.token_id, "displayNumber": event.display_number}


async def _tail(settings: ServerSettings, cursors: dict[str, Cursor], *, must_know: bool) -> Tail:
    topic: KafkaTopic = open_topic(settings)
    if not must_know and settings.kafka_embedded:
        return _NOTHING  # it began anew with everything else
    try:
        if must_know:
            await topic.open()  # a topic that is missing is made, and knows nothing
        await topic.ping()
        return await topic.read_back(_offsets(cursors))
    except PublishFailed as error:
        if must_know:
            raise _away("broker") from error
        return _NOTHING
    finally:
        await topic.close()


def _offsets(cursors: dict[str, Cursor]) -> dict[int, int]:
    offsets: dict[int, int] = {}
    for cursor in cursors.values():
        if cursor.partition is not None and cursor.offset is not None:
            offsets[cursor.partition] = max(offsets.get(cursor.partition, -1), cursor.offset)
    return offsets


async def _lines(settings: ServerSettings, days: dict[str, date]) -> dict[str, LineState]:
    """What Redis holds, as far as it can be asked."""
    line = open_line(settings.redis_url.get_secret_value(), timeout=1.0)
    found: dict[str, LineState] = {}
    try:
        for name, day in days.items():
            found[name] = await line.state(name, day)
    except LineDown:
        logger.info("Redis is away")
    finally:
        await line.close()
    return found


def _away(store_name: str) -> Refused:
    return refuse(
        ProblemCode.UNAVAILABLE, f"The {store_name} is away.", "Start it and try again; 'tokenq doctor' helps."
    )
