"""Detecting divergence: whether the topic or Redis is ahead of a department's log in the database."""

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
    """Return the departments for which the topic or Redis is ahead of the log.

    Raises:
        Refused: ``unavailable``; the topic must be read, and cannot be.
    """
    cursors = await stores.log.cursors()
    if not cursors:
        return []  # no department yet
    tail = await _tail(stores, cursors, must_know=must_know)
    states = await line_states(stores.line, dict.fromkeys(cursors, date.min), stores.patience)
    ids = await stores.log.event_ids(suspects(cursors, tail))
    heads = await stores.log.heads()  # read last: what other stores have seen was in the log earlier
    published = {name: seq for name, seq in heads.items() if name in cursors}
    return compare(published, tail, ids, {name: state.at for name, state in states.items()})


def suspects(cursors: Mapping[str, Cursor], tail: Tail) -> dict[str, int]:
    """Return the departments whose topic is ahead of the recorded cursor, with the topic's highest seq."""
    return {name: tail.found[name] for name, cursor in cursors.items() if tail.found.get(name, 0) > cursor.seq}


def compare(
    heads: Mapping[str, int], tail: Tail, ids: Mapping[str, str], lines: Mapping[str, int] | None = None
) -> list[Divergence]:
    """Return the departments whose log has diverged.

    ``heads`` must be read after the topic and Redis, which only contain what was in the log earlier. ``ids`` are the
    log's event ids at the topic's highest seqs, ``lines`` the seqs of the queues in Redis.
    """
    divergences: list[Divergence] = []
    for name, head in sorted(heads.items()):
        topic_at, redis_at = tail.found.get(name, 0), (lines or {}).get(name, 0)
        is_forked = bool(tail.ids.get(name)) and ids.get(name, tail.ids.get(name)) != tail.ids.get(name)
        if max(topic_at, redis_at) > head or is_forked:
            divergences.append(Divergence(name, head, topic_at, max(redis_at, 0), is_forked, tail.spots.get(name)))
    return divergences


async def line_states(line: WaitingLine, days: Mapping[str, date], patience: float) -> dict[str, LineState]:
    """Return what Redis contains for these departments and days; departments it cannot answer for are missing.

    Retries for ``patience`` seconds: a Redis that is merely busy must not count as empty.
    """
    give_up = time.monotonic() + patience
    states = await _states(line, days)
    while len(states) < len(days) and time.monotonic() < give_up:
        await asyncio.sleep(_PAUSE)
        states |= await _states(line, {name: day for name, day in days.items() if name not in states})
    if silent := [name for name in days if name not in states]:
        logger.info("Redis is unavailable", extra={"departments": silent})
    return states


async def _states(line: WaitingLine, days: Mapping[str, date]) -> dict[str, LineState]:
    """Return the queues that answer now; others may be on other servers."""
    states: dict[str, LineState] = {}
    for name, day in days.items():
        with suppress(LineDown):
            states[name] = await line.state(name, day)
    return states


async def _tail(stores: Stores, cursors: Mapping[str, Cursor], *, must_know: bool) -> Tail:
    if not must_know:
        return await _tail_if_it_answers(stores, cursors)
    try:
        await stores.topic.open()  # a missing topic is created, and is empty
        await stores.topic.ping()
        return await stores.topic.read_back(cursors)
    except PublishFailed as error:
        raise refuse(StoreReason.BROKER_NEEDED) from error


async def _tail_if_it_answers(stores: Stores, cursors: Mapping[str, Cursor]) -> Tail:
    if stores.is_embedded:
        return _NOTHING  # the embedded topic started empty with everything else
    try:
        await stores.topic.ping()
        return await stores.topic.read_back(cursors, stores.patience)
    except PublishFailed:
        return _NOTHING
