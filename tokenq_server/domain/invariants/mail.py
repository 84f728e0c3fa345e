"""Notifications checked against the log: M1, M2, M3, M4 and M6."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from tokenq.contract.events import BadEvent, from_wire
from tokenq.contract.notifications import EMAIL
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.domain.notification_rules import OVERTAKABLE, kind_for


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A notification in the queue, with its log entry and its token's address (``None``: it has none).

    ``dead_letters`` counts its entries in the dead-letter queue. ``is_edited``: the token's address was corrected or
    removed after the entry, so that the notification may have been sent to the address before, or overtaken; or that it
    cannot be known any more. ``is_deleted``: the entry was, as too old.
    """

    department_id: str
    seq: int
    kind: str
    channel: str
    token_id: int
    recipient: str
    state: str
    sent_at: datetime | None
    ambiguous: int
    dead_letters: int
    payload: str | None
    email: str | None
    is_edited: bool = False
    is_deleted: bool = False

    @property
    def line(self) -> tuple[int, str, str]:
        """Notifications with the same value are sent in order."""
        return self.token_id, self.channel, self.department_id

    @property
    def name(self) -> str:
        """Its name in sentences."""
        name = f"Letter {self.department_id}.{self.seq}.{self.kind}"
        return name if self.channel == EMAIL else f"{name} ({self.channel})"


@dataclass(frozen=True, slots=True)
class Mailable:
    """An entry whose token has an address; ``has_letter``: the queue has an e-mail for it."""

    department_id: str
    seq: int
    payload: str
    has_letter: bool


class Letters:
    """Checks the notifications of the queue, which come by token, channel, department and seq."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._last: LetterRow | None = None
        self._before: LetterRow | None = None
        """The last one that was not overtaken: one that is not sent has no place in the order."""

    def take(self, row: LetterRow) -> None:
        """Check the next one."""
        last, self._last = self._last, row
        _check_letter(row, self._tally)
        if last and last.name == row.name:
            self._tally.blame("M2", row.department_id, f"{row.name} is in the queue more than once.")
        if row.state == "overtaken":
            return
        before, self._before = self._before, row
        if before and before.name != row.name and before.line == row.line:
            _check_pair(before, row, self._tally)


def check_mailables(
    entries: Iterable[Mailable],
    is_wanted: Callable[[str, int, str], bool],
    tally: Tally,
) -> None:
    """Check that every entry that requires a notification has one (M1).

    ``is_due(department, seq, kind)`` says whether it should exist by now.
    """
    for entry in entries:
        kind = _kind(entry.payload)
        if kind is None or not is_wanted(entry.department_id, entry.seq, kind):
            continue
        sentence = f"Entry {entry.seq} requires a notification ({kind}), but has none."
        tally.check("M1", entry.department_id, entry.has_letter, sentence)


def _check_letter(row: LetterRow, tally: Tally) -> None:
    if not row.is_deleted:
        expected = _kind(row.payload) if row.payload else None
        sentence = f"{row.name} exists, but its entry requires {expected or 'none'}."
        tally.check("M2", row.department_id, expected == row.kind, sentence)
        if row.channel == EMAIL:
            sentence = f"{row.name} goes to an address other than its token's."
            tally.check("M6", row.department_id, row.is_edited or row.recipient == row.email, sentence)
    if row.state == "overtaken":
        may_be = row.kind in OVERTAKABLE or (row.channel == EMAIL and (row.is_edited or row.is_deleted))
        sentence = f"{row.name} was not sent as overtaken, but what it says stays true."
        tally.check("M1", row.department_id, may_be, sentence)
    if row.state in ("dead", "dropped"):
        sentence = f"{row.name} is {row.state}, but not in the dead-letter queue."
        tally.check("M4", row.department_id, row.dead_letters > 0, sentence)


def _check_pair(before: LetterRow, row: LetterRow, tally: Tally) -> None:
    if before.dead_letters or row.sent_at is None:
        # A failed notification holds up no other, and may be sent by hand much later.
        return
    is_sent_first = before.sent_at is not None and before.sent_at <= row.sent_at
    tally.check("M3", row.department_id, is_sent_first, f"{row.name} was sent before {before.name}.")


def _kind(payload: str) -> str | None:
    try:
        return kind_for(from_wire(json.loads(payload)))
    except (BadEvent, ValueError, RecursionError):
        return None
