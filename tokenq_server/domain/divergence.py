"""Divergence: after a restore, others know more of a department's log than the log itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import StoreReason


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
    reason = StoreReason.BEHIND_REDIS if first.topic_at < first.redis_at else StoreReason.BEHIND_TOPIC
    return refuse(
        StoreReason.FORKED if first.is_forked else reason,
        {"departments": [each.department_id for each in found]},
        department=first.department_id,
        more=f" (and {len(found) - 1} more)" if len(found) > 1 else "",
        log=first.log_at,
        topic=first.topic_at,
        redis=first.redis_at,
        spot=f" (partition {first.spot[0]}, offset {first.spot[1]})" if first.spot else "",
    )
