"""How the topic is fetched: how long a broker may take over one answer, and what is done about unreadable batches."""

UNREADABLE_BATCH = frozenset({"_BAD_COMPRESSION", "_BAD_MSG"})
"""Names of the library's errors for a batch that nobody can unpack, however often it is fetched."""

_RECORDS_A_MILLISECOND = 100
_LONGEST = 1_000


def fitting_wait(records: int, usual: int) -> int:
    """What to allow for a partition of so many records, in milliseconds, where ``usual`` is enough for a short one.

    The memory-only broker looks through the whole partition for each answer, and adds records to it only until this
    time is over. With 20 ms an answer from a log of 60 000 holds a few records, and reading it takes minutes; with
    this rule a second or two. Apache Kafka answers at once whenever there is anything, whatever it is allowed.
    """
    return max(usual, min(records // _RECORDS_A_MILLISECOND, _LONGEST))


class Leaps:
    """Where readers go on behind unreadable batches.

    The library tells where such a batch begins, but not where it ends. Usually it holds few records, so the next
    offsets are tried one by one; behind :data:`_STEPS` of them, ever more at once, or a batch of a million could stop a
    reader.
    """

    _STEPS = 64

    def __init__(self) -> None:
        self._at: dict[int, tuple[int, int]] = {}

    def behind(self, partition: int, offset: int, end: int) -> int:
        """Return the next offset to read after an error at this one; at most ``end``, if that is known (not negative).

        An error at an offset that was left behind is of the same batch.
        """
        target, tries = self._at.get(partition, (0, 0))
        if offset >= target:
            target, tries = offset, 0
        target += 1 if tries < self._STEPS else 2 ** min(tries - self._STEPS + 1, 20)
        if end >= 0:
            target = max(min(target, end), offset + 1)
        self._at[partition] = target, tries + 1
        return target
