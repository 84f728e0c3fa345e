"""Noticing that the database went back in time: others know more of a department's log than the log does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq_server.services.publishing import Cursor, Tail

HINT = "If it was restored from a back-up, run 'tokenq server rewind': it shows what is missing, asks, and mends it."


@dataclass(frozen=True)
class Behind:
    """A department whose log ends before what the topic or Redis has seen of it.

    ``topic_at`` and ``redis_at`` are 0 where they know nothing. ``is_forked``: the log went on since, so that it and
    the topic tell different things under the same seq. ``spot`` is the partition and the offset of the topic's last.
    """

    department_id: str
    log_at: int
    topic_at: int = 0
    redis_at: int = 0
    is_forked: bool = False
    spot: tuple[int, int] | None = None


def suspects(cursors: Mapping[str, Cursor], tail: Tail) -> dict[str, int]:
    """Departments of which the topic holds more than was noted as published, with its highest seq."""
    return {name: tail.found[name] for name, cursor in cursors.items() if tail.found.get(name, 0) > cursor.seq}


def compare(
    heads: Mapping[str, int], tail: Tail, ids: Mapping[str, str], lines: Mapping[str, int] | None = None
) -> list[Behind]:
    """The departments whose log is behind.

    ``heads`` must be read after the topic and the lines: nothing gets there before it is in the log. ``ids`` are the
    event ids of the log's entries at the topic's highest seqs, ``lines`` where the lines in Redis stand.
    """
    found = []
    for name, head in sorted(heads.items()):
        topic_at, redis_at = tail.found.get(name, 0), (lines or {}).get(name, 0)
        is_forked = bool(tail.ids.get(name)) and ids.get(name, tail.ids.get(name)) != tail.ids.get(name)
        if max(topic_at, redis_at) > head or is_forked:
            found.append(Behind(name, head, topic_at, max(redis_at, 0), is_forked, tail.spots.get(name)))
    return found


def refusal(behind: Sequence[Behind]) -> Refused:
    """Why nothing starts on such a database."""
    first = behind[0]
    spot = f" (partition {first.spot[0]}, offset {first.spot[1]})" if first.spot else ""
    known = f"the topic knows {first.topic_at}{spot}"
    if first.topic_at < first.redis_at:
        known = f"Redis knows {first.redis_at}"
    if first.is_forked:
        known = f"the topic tells something else under the same numbers{spot}"
    more = f" (and {len(behind) - 1} more)" if len(behind) > 1 else ""
    return refuse(
        ProblemCode.LOG_BEHIND,
        f"The database has forgotten what was told already: in {first.department_id}{more} "
        f"its log ends at {first.log_at}, {known}.",
        HINT,
        departments=[one.department_id for one in behind],
    )
