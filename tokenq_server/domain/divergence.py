"""Divergence: after a restore, the topic or Redis is ahead of a department's log."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import StoreReason


@dataclass(frozen=True)
class Divergence:
    """A department whose log ends before what the topic or Redis has seen of it.

    ``topic_at`` and ``redis_at`` are 0 if unknown. ``is_forked``: the log has continued since, so that it and the topic
    have different events under the same seq. ``spot`` is the partition and offset of the topic's last record.
    """

    department_id: str
    log_at: int
    topic_at: int = 0
    redis_at: int = 0
    is_forked: bool = False
    spot: tuple[int, int] | None = None


def diverged(divergences: Sequence[Divergence]) -> Refused:
    """The refusal to start on a diverged database."""
    first = divergences[0]
    reason = StoreReason.BEHIND_REDIS if first.topic_at < first.redis_at else StoreReason.BEHIND_TOPIC
    return refuse(
        StoreReason.FORKED if first.is_forked else reason,
        {"departments": [divergence.department_id for divergence in divergences]},
        department=first.department_id,
        more=f" (and {len(divergences) - 1} more)" if len(divergences) > 1 else "",
        log=first.log_at,
        topic=first.topic_at,
        redis=first.redis_at,
        spot=f" (partition {first.spot[0]}, offset {first.spot[1]})" if first.spot else "",
    )
