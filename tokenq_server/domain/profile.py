"""Work profiles: which of several departments a counter serves next."""

from collections.abc import Sequence
from datetime import datetime

from tokenq_server.domain.policy import Choice, Policy


def first_of_profile(choices: Sequence[tuple[Choice, Policy]], now: datetime, *, is_ordered: bool = True) -> int:
    """The index of the choice that a counter takes; ``choices`` are those of its departments, in its order.

    The first department goes first, but whoever has waited past the maximum of their department goes before that,
    the longest waiting of them first: nobody starves because of a counter's taste. Where the departments have no
    order, who has waited longest of all goes first.
    """
    if not is_ordered:
        return min(range(len(choices)), key=lambda index: choices[index][0].waiting.since)
    overdue = [
        (choice.waiting.since, index)
        for index, (choice, policy) in enumerate(choices)
        if now - choice.waiting.since > policy.max_wait
    ]
    return min(overdue)[1] if overdue else 0
