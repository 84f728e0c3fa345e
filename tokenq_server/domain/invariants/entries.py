"""The input of the checks as plain values: log entries, tokens, records and notifications."""

import json
from dataclasses import dataclass
from datetime import date, datetime

from tokenq.contract.enums import Priority, TokenState
from tokenq.contract.events import BadEvent, Event, EventType, from_wire
from tokenq_server.domain.invariants.tally import Tally


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the log. ``joins``: the token joins the queue (True), leaves it (False) or neither."""

    seq: int
    event_type: str
    token_id: int
    payload: str
    joins: bool | None
    priority: Priority
    place: int
    at: datetime


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A row of the log with its parsed event."""

    stored: Stored
    event: Event
    day: date

    @property
    def seq(self) -> int:
        """Its position in the log."""
        return self.stored.seq


@dataclass(frozen=True, slots=True)
class TokenRow:
    """The fields of a token that its log determines, as stored in the ledger."""

    token_id: int
    department_id: str
    issued_in: str
    day: date
    number: int
    state: TokenState
    priority: Priority
    place: int
    counter_id: str | None
    claim_version: int
    user_id: int | None


def read_entry(department_id: str, stored: Stored, tally: Tally) -> LogEntry | None:
    """Parse a row's event; return ``None`` and record a violation of L4 if it is invalid or another row's."""
    tally.look("L4")
    try:
        event = from_wire(json.loads(stored.payload))
        day = date.fromisoformat(event.business_day)
        EventType(event.event_type)
    except (BadEvent, ValueError, RecursionError) as error:
        tally.blame("L4", department_id, f"Entry {stored.seq} cannot be read: {error}")
        return None
    identity = (event.department_id, event.seq, event.event_type, event.token_id)
    if identity != (department_id, stored.seq, stored.event_type, stored.token_id):
        sentence = f"Entry {stored.seq} ({stored.event_type}) contains the event of {event.department_id} {event.seq}."
        tally.blame("L4", department_id, sentence)
        return None
    return LogEntry(stored, event, day)
