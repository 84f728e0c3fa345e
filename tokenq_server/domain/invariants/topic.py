"""The topic's records checked against the log: K1 to K5."""

from dataclasses import dataclass, field

from tokenq_server.domain.free_text import is_same_event
from tokenq_server.domain.invariants.tally import Tally


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """A record of the topic. ``department_id`` and ``seq`` are ``None`` and 0 if it cannot be read."""

    partition: int
    offset: int
    value: bytes
    department_id: str | None
    seq: int


@dataclass
class Published:
    """One department's records in offset order.

    ``cursor`` is the last seq that the relay has recorded as published. ``is_whole``: the topic still has its
    beginning. ``refilled_from``: the seq after which a relay refills an emptied topic. Up to ``rewound_seq`` the topic
    may contain events that a restored database has lost, up to ``rewritten_seq`` free text that the log no longer has.
    """

    department_id: str
    tally: Tally
    cursor: int
    is_whole: bool = True
    refilled_from: int = 0
    rewound_seq: int = 0
    rewritten_seq: int = 0
    partition: int | None = None
    first: int = 0
    high: int = 0
    holes: set[int] = field(default_factory=set)
    duplicates: int = 0

    def take(self, record: TopicRecord, payload: bytes | None, *, is_erased: bool = False) -> None:
        """Check the next record against the log entry of its seq (``None``: beyond the log that was read).

        ``is_erased``: a person was erased from the entry.
        """
        self._place(record)
        self._order(record.seq)
        if payload is not None and record.seq > self.rewound_seq:
            sentence = f"Record {record.partition}/{record.offset} differs from log entry {record.seq}."
            may_be_rewritten = record.seq <= self.rewritten_seq
            is_same = is_same_event(record.value, payload, may_be_rewritten=may_be_rewritten, is_erased=is_erased)
            self.tally.check("K4", self.department_id, is_same, sentence)

    def _place(self, record: TopicRecord) -> None:
        if self.partition is None:
            self.partition = record.partition
        sentence = f"Entry {record.seq} is in partition {record.partition}, others in {self.partition}."
        self.tally.check("K5", self.department_id, record.partition == self.partition, sentence)

    def _order(self, seq: int) -> None:
        for code in ("K2", "K3"):
            self.tally.look(code)
        if not self.first:
            self.first = seq
        elif seq > self.high + 1:
            self.holes |= set(range(self.high + 1, seq))
            sentence = f"Entry {seq} follows {self.high}: readers miss the entries in between."
            self.tally.blame("K3", self.department_id, sentence)
        elif seq in self.holes:
            self.holes.discard(seq)
            self.tally.blame("K2", self.department_id, f"Entry {seq} comes after {self.high}.")
        elif seq <= self.high:
            self.duplicates += 1
        self.high = max(self.high, seq)

    def end(self, allowed_duplicates: int | None = None) -> None:
        """Check the end of the topic."""
        if not self.first and (not self.is_whole or self.cursor <= self.refilled_from):
            # Retention may have removed everything of a quiet department, and a refill repeats nothing that is as old.
            return
        published = max(self.cursor - (self.first or 1) + 1, 0)
        self.tally.look("K1", published)
        if self.cursor > self.high:
            sentence = f"The relay has published up to {self.cursor}, but the topic ends with {self.high}."
            self.tally.blame("K1", self.department_id, sentence)
        if self.first > self.refilled_from + 1 and self.is_whole:
            sentence = f"The topic begins with {self.first}; 1 to {self.first - 1} are not in it."
            self.tally.blame("K1", self.department_id, sentence)
        for seq in sorted(self.holes):
            self.tally.blame("K1", self.department_id, f"Entry {seq} is not in the topic.")
        if allowed_duplicates is not None and self.duplicates > allowed_duplicates:
            sentence = f"{self.duplicates} records are in the topic twice."
            self.tally.blame("K4", self.department_id, sentence)
