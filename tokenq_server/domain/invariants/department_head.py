"""The row that orders a department, and its queue in Redis, checked against the tokens that wait: L1, S7, R1 and R3."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tokenq.contract.enums import Priority
from tokenq_server.domain.department import DepartmentHead
from tokenq_server.domain.invariants.prefix_queue import PrefixQueue
from tokenq_server.domain.invariants.tally import Tally

Place = tuple[str, float]
"""Class and sort key as found: Redis may contain values that tokenq never wrote."""


class Seqs:
    """The numbering of one department's log (L1). Up to ``floor``, entries are deleted."""

    def __init__(self, department_id: str, tally: Tally, floor: int = 0) -> None:
        self._id = department_id
        self._tally = tally
        self._last = floor

    def take(self, seq: int) -> None:
        """Check the next entry's seq."""
        self._tally.check("L1", self._id, seq == self._last + 1, f"Entry {self._last} is followed by {seq}.")
        self._last = seq

    def end(self, last_seq: int) -> None:
        """Check the end of the log against the department's row."""
        sentence = f"The department is at seq {last_seq}, but its log ends with {self._last}."
        self._tally.check("L1", self._id, self._last == last_seq, sentence)


def check_counts(department_id: str, head: DepartmentHead, line: PrefixQueue, tally: Tally) -> None:
    """Check the row's count of waiting tokens per class against the log."""
    for priority in Priority:
        counted, real = head.waiting.get(priority, 0), line.count(priority)
        sentence = f"{counted} of class {priority} are counted as waiting, {real} are waiting by the log."
        tally.check("S7", department_id, counted == real, sentence)


@dataclass(frozen=True)
class LineCopy:
    """A department's queue in Redis, read in one step: its seq, its counter, and its members.

    ``None`` is a value that cannot be read; ``damage`` says in sentences which values these are.
    """

    seq: int | None
    last_no: int | None
    members: Mapping[int, Place]
    damage: tuple[str, ...] = ()


def check_line(
    department_id: str,
    copy: LineCopy,
    since: Iterable[tuple[int, bool | None, Place]],
    waiting: Mapping[int, Place],
    last_seq: int,
    tally: Tally,
) -> None:
    """Check that the copy, brought up to date by later entries (token, effect, sort key), matches the waiting tokens
    (R1).

    The copy was read before the log, so it cannot be ahead of it.
    """
    tally.look("R1")
    if copy.seq is None:
        return
    if copy.seq > last_seq:
        tally.blame("R1", department_id, f"Redis is at seq {copy.seq}, ahead of the log's {last_seq}.")
        return
    line = dict(copy.members)
    for token_id, joins, place in since:
        if joins:
            line[token_id] = place
        elif joins is False:
            line.pop(token_id, None)
    tally.look("R1", len(waiting))
    for token_id in sorted(line.keys() | waiting.keys()):
        held, real = line.get(token_id), waiting.get(token_id)
        if held != real:
            sentence = f"Token {token_id} is {_described(held)} in Redis, and {_described(real)} in the database."
            tally.blame("R1", department_id, sentence)


def check_line_rests(department_id: str, copy: LineCopy, head: DepartmentHead, tally: Tally) -> None:
    """With nothing in flight, Redis has caught up (R3). What cannot be read is damage, and told as such."""
    sentence = f"Redis is at seq {copy.seq}, the log at {head.last_seq}."
    tally.check("R3", department_id, copy.seq in (None, head.last_seq), sentence)
    sentence = f"The last number is {copy.last_no} in Redis and {head.last_no} in the department's row."
    tally.check("R3", department_id, copy.last_no in (None, head.last_no), sentence)


def _described(place: Place | None) -> str:
    return f"{place[0]} at {place[1]}" if place else "not in the queue"
