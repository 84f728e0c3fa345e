"""How long a broker may take over one answer, so that a long log comes in few answers."""

_RECORDS_A_MILLISECOND = 100
_LONGEST = 1_000


def fitting_wait(records: int, usual: int) -> int:
    """What to allow for a partition of so many records, in milliseconds, where ``usual`` is enough for a short one.

    The memory-only broker looks through the whole partition for each answer, and adds records to it only until this
    time is over. With 20 ms an answer from a log of 60 000 holds a few records, and reading it takes minutes; with
    this rule a second or two. Apache Kafka answers at once whenever there is anything, whatever it is allowed.
    """
    return max(usual, min(records // _RECORDS_A_MILLISECOND, _LONGEST))
