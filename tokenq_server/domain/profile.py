"""Work profiles: which of several departments a counter serves next."""

from collections.abc import Sequence
from datetime import datetime

from tokenq_server.domain.policy import Choice, Policy


def first_of_profile(choices: Sequence[tuple[Choice, Policy]], now: datetime, *, is_ordered: bool = True) -> int:
    """Return the index of the choice that a counter takes; ``choices`` are its departments', in profile order.

    The first department goes first, but tokens past their department's maximum wait go before that, longest wait first,
    so a work profile starves nobody. If the departments are unordered, the longest wait goes first.
    """
    if not is_ordered:
        return min(range(len(choices)), key=lambda index: choices[index][0].waiting.since)
    overdue = [
        (choice.waiting.since, index)
        for index, (choice, policy) in enumerate(choices)
        if now - choice.waiting.since > policy.max_wait
    ]
    return min(overdue)[1] if overdue else 0
