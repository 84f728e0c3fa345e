"""Numbers and days: N1, N2, N3 and N9."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime

from tokenq_server.domain.invariants.entries import LogEntry
from tokenq_server.domain.invariants.tally import Tally


class Numbers:
    """The numbers of one department, in log order and in the order of the ledger's rows.

    ``day_at`` returns the business day of a time under the current settings, which have applied since ``settled_seq``.
    Up to ``incomplete_day`` numbers may be missing: a restored database does not reissue the ones it has lost, and old
    entries may be deleted.
    """

    def __init__(
        self,
        department_id: str,
        tally: Tally,
        day_at: Callable[[datetime], date],
        settled_seq: int = 0,
        incomplete_day: date = date.min,
    ) -> None:
        self._id = department_id
        self._tally = tally
        self._day_at = day_at
        self._settled_seq = settled_seq
        self._incomplete_day = incomplete_day
        self.day = date.min
        self._last = 0
        self._rows_day = date.min
        self._rows_last = 0
        self._difference: Counter[date] = Counter()
        self._skipped: set[tuple[date, int]] = set()

    def issued(self, entry: LogEntry) -> None:
        """Check the next TOKEN_GENERATED of the log."""
        number, day = entry.event.token_no, entry.day
        self._difference[day] += 1
        self._check_day(entry)
        if day != self.day:
            self.day, self._last = day, 0
        where = f"Entry {entry.seq} issues number {number} of {day} after number {self._last}."
        # Numbers carried by live tokens are skipped, and the entry says how many.
        skipped = _count(entry.event.data.get("skipped"))
        self._skipped |= {(day, number - back) for back in range(1, min(skipped, number) + 1)}
        if day > self._incomplete_day:
            self._tally.check("N2", self._id, number <= self._last + 1 + skipped, where)
        self._tally.check("N3", self._id, number > self._last, where)
        self._last = number

    def _check_day(self, entry: LogEntry) -> None:
        self._tally.look("N9")
        if entry.day < self.day:
            self._tally.blame("N9", self._id, f"Entry {entry.seq} is dated {entry.day}, after {self.day} had begun.")
        elif entry.seq > self._settled_seq and entry.day != max(self._day_at(entry.stored.at), self.day):
            real = self._day_at(entry.stored.at)
            self._tally.blame(
                "N9", self._id, f"Entry {entry.seq} is dated {entry.day}, when it was {real} at the branch."
            )

    def row(self, day: date, number: int) -> None:
        """Check the next token of the ledger, by day and number."""
        self._difference[day] -= 1
        if not self._difference[day]:
            del self._difference[day]
        if day != self._rows_day:
            self._rows_day, self._rows_last = day, 0
        self._tally.check("N1", self._id, number != self._rows_last, f"Number {number} of {day} was issued twice.")
        if day > self._incomplete_day:
            gap = f"Numbers between {self._rows_last} and {number} of {day} are missing."
            missing = {(day, skipped) for skipped in range(self._rows_last + 1, number)}
            self._tally.check("N2", self._id, missing <= self._skipped, gap)
        self._rows_last = number

    def end(self, day: date, last_no: int) -> None:
        """Compare both counts with each other and with the last number in the department's row."""
        for other, count in self._difference.items():
            if count and other > self._incomplete_day:
                kind = "entries without a token" if count > 0 else "tokens without an entry"
                self._tally.blame("L2", self._id, f"The log of {other} has {abs(count)} {kind}.")
        if day <= self._incomplete_day:
            return
        last = self._rows_last if self._rows_day == day else 0
        sentence = f"The department has issued {last_no} numbers on {day}, but the last token has number {last}."
        self._tally.check("N2", self._id, last == last_no and self._rows_day <= day, sentence)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
