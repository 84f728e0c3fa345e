"""Asking the topic and Redis whether they know more of the departments' logs than the database does."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import date

from tokenq_server.adapters.postgres.event_log import PostgresEventLog
from tokenq_server.adapters.redis.opening import open_line
from tokenq_server.bootstrap import open_topic
from tokenq_server.domain.refusals import store_away
from tokenq_server.services.ports import LineDown, LineState, WaitingLine
from tokenq_server.services.publishing import Cursor, PublishFailed, Tail
from tokenq_server.services.rewinding import Behind, compare, suspects
from tokenq_server.settings import ServerSettings

logger = logging.getLogger(__name__)

_NOTHING = Tail({}, set())

_PATIENCE = 5.0
"""Seconds without an answer after which a store that need not be asked is left alone: programs wait to start."""

_PAUSE = 0.2


async def look(settings: ServerSettings, *, must_know: bool = True) -> list[Behind]:
    """The departments of which the topic or Redis knows more than the log.

    Raises:
        Refused: ``unavailable``; the topic must be read, and cannot be.
        LedgerDown: Postgres is away, or has no tables yet.
    """
    log = PostgresEventLog(settings.database_url.get_secret_value(), "tokenq-behind")
    try:
        cursors = await log.cursors()
        if not cursors:
            return []  # no department yet
        tail = await _tail(settings, cursors, must_know=must_know)
        states = await lines(settings, dict.fromkeys(cursors, date.min))
        ids = await log.event_ids(suspects(cursors, tail))
        heads = await log.heads()  # read last: whatever others know was in the log before
        here = {name: seq for name, seq in heads.items() if name in cursors}
        return compare(here, tail, ids, {name: state.at for name, state in states.items()})
    finally:
        await log.close()


async def lines(settings: ServerSettings, days: Mapping[str, date]) -> dict[str, LineState]:
    """What Redis holds of these departments on these days: of those that it cannot tell of, nothing.

    They are asked for again for a while: a Redis that is just busy must not pass for one that knows nothing.
    """
    line = open_line(settings.redis_url.get_secret_value(), timeout=1.0)
    give_up = time.monotonic() + _PATIENCE
    try:
        found = await _states(line, days)
        while len(found) < len(days) and time.monotonic() < give_up:
            await asyncio.sleep(_PAUSE)
            found |= await _states(line, {name: day for name, day in days.items() if name not in found})
    finally:
        await line.close()
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


async def _tail(settings: ServerSettings, cursors: Mapping[str, Cursor], *, must_know: bool) -> Tail:
    if not must_know and settings.kafka_embedded:
        return _NOTHING  # it began anew with everything else
    topic = open_topic(settings) if must_know else open_topic(settings, _PATIENCE)
    try:
        if must_know:
            await topic.open()  # a topic that is missing is made, and knows nothing
        await topic.ping()
        return await topic.read_back(cursors)
    except PublishFailed as error:
        if must_know:
            raise store_away("broker") from error
        return _NOTHING
    finally:
        await topic.close()
