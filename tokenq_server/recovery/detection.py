"""Detecting divergence: whether the topic or Redis knows more of a department's log than the database does."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import date

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import StoreReason
from tokenq_server.domain.divergence import Divergence
from tokenq_server.recovery.ports import Stores
from tokenq_server.services.ports import LineDown, LineState, WaitingLine
from tokenq_server.services.publishing import Cursor, PublishFailed, Tail

logger = logging.getLogger(__name__)

_NOTHING = Tail({}, set())

_PAUSE = 0.2


async def detect(stores: Stores, *, must_know: bool = True) -> list[Divergence]:
    """The departments of which the topic or Redis knows more than the log.

    Raises:
        Refused: ``unavailable``; the topic must be read, and cannot be.
        LedgerDown: Postgres is away, or has no tables yet.
    """
    cursors = await stores.log.cursors()
    if not cursors:
        return []  # no department yet
    tail = await _tail(stores, cursors, must_know=must_know)
    states = await line_states(stores.line, dict.fromkeys(cursors, date.min), stores.patience)
    ids = await stores.log.event_ids(suspects(cursors, tail))
    heads = await stores.log.heads()  # read last: whatever others know was in the log before
    known = {name: seq for name, seq in heads.items() if name in cursors}
    return compare(known, tail, ids, {name: state.at for name, state in states.items()})


def suspects(cursors: Mapping[str, Cursor], tail: Tail) -> dict[str, int]:
    """Departments of which the topic holds more than was noted as published, with its highest seq."""
    return {name: tail.found[name] for name, cursor in cursors.items() if tail.found.get(name, 0) > cursor.seq}


def compare(
    heads: Mapping[str, int], tail: Tail, ids: Mapping[str, str], lines: Mapping[str, int] | None = None
) -> list[Divergence]:
    """The departments whose log has diverged.

    ``heads`` must be read after the topic and the lines: nothing gets there before it is in the log. ``ids`` are the
    event ids of the log's entries at the topic's highest seqs, ``lines`` where the lines in Redis stand.
    """
    found = []
    for name, head in sorted(heads.items()):
        topic_at, redis_at = tail.found.get(name, 0), (lines or {}).get(name, 0)
        is_forked = bool(tail.ids.get(name)) and ids.get(name, tail.ids.get(name)) != tail.ids.get(name)
        if max(topic_at, redis_at) > head or is_forked:
            found.append(Divergence(name, head, topic_at, max(redis_at, 0), is_forked, tail.spots.get(name)))
    return found


async def line_states(line: WaitingLine, days: Mapping[str, date], patience: float) -> dict[str, LineState]:
    """What Redis holds of these departments on these days: of those that it cannot tell of, nothing.

    They are asked for again for ``patience`` seconds: a Redis that is just busy must not pass for one that knows
    nothing.
    """
    give_up = time.monotonic() + patience
    found = await _states(line, days)
    while len(found) < len(days) and time.monotonic() < give_up:
        await asyncio.sleep(_PAUSE)
        found |= await _states(line, {name: day for name, day in days.items() if name not in found})
    if silent := [name for name in days if name not in found]:
        logger.info("Redis cannot be asked", extra={"departments": silent})
    return found


async def _states(line: WaitingLine, days: Mapping[str, date]) -> dict[str, LineState]:
    """The lines that answer now; one that does not says nothing of the others, which may be on other servers."""
    found: dict[str, LineState] = {}
    for name, day in days.items():
        with suppress(LineDown):
            found[name] = await line.state(name, day)
    return found


async def _tail(stores: Stores, cursors: Mapping[str, Cursor], *, must_know: bool) -> Tail:
    if not must_know:
        return await _tail_if_it_answers(stores, cursors)
    try:
        await stores.topic.open()  # a topic that is missing is made, and knows nothing
        await stores.topic.ping()
        return await stores.topic.read_back(cursors)
    except PublishFailed as error:
        raise refuse(StoreReason.BROKER_NEEDED) from error


async def _tail_if_it_answers(stores: Stores, cursors: Mapping[str, Cursor]) -> Tail:
    if stores.is_embedded:
        return _NOTHING  # it began anew with everything else
    try:
        await stores.topic.ping()
        return await stores.topic.read_back(cursors, stores.patience)
    except PublishFailed:
        return _NOTHING
