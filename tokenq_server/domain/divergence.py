"""Divergence: after a restore, others know more of a department's log than the log itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenq.contract.advice import Action, advise
from tokenq.contract.problems import ProblemCode, Refused, refuse

HINT = advise(Action.REWIND)


@dataclass(frozen=True)
class Divergence:
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


def diverged(found: Sequence[Divergence]) -> Refused:
    """Why nothing starts on such a database."""
    first = found[0]
    spot = f" (partition {first.spot[0]}, offset {first.spot[1]})" if first.spot else ""
    known = f"the topic knows {first.topic_at}{spot}"
    if first.topic_at < first.redis_at:
        known = f"Redis knows {first.redis_at}"
    if first.is_forked:
        known = f"the topic tells something else under the same numbers{spot}"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return refuse(
        ProblemCode.LOG_BEHIND,
        f"The database has forgotten what was told already: in {first.department_id}{more} "
        f"its log ends at {first.log_at}, {known}.",
        HINT,
        departments=[one.department_id for one in found],
    )
