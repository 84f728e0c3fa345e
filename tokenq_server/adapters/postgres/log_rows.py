"""Rows of the log: each has its wire event, and what followers need besides it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from tokenq.contract.events import Event, EventType, to_wire
from tokenq_server.domain.department import Department
from tokenq_server.domain.record import Record
from tokenq_server.json_text import json_text
from tokenq_server.services.event_ids import new_event_id

LOG_COLUMNS = (
    "department_id",
    "seq",
    "event_type",
    "token_id",
    "payload",
    "joins",
    "priority",
    "place",
    "at",
    "note",
)

# Of an entry "e": whether it corrected or removed its token's address. The payload is not cast to JSON: a damaged one
# would end the statement.
ADDRESS_EDITED = """e.event_type = 'TOKEN_EDITED' AND e.payload ~ '"fields": ?[[][^]]*"email"'"""


def token_entry(branch_id: str, record: Record, *, with_email: bool) -> dict[str, Any]:
    """Return the row of a token's event."""
    token = record.token
    event = Event(
        event_type=record.event_type,
        event_id=new_event_id(record.at),
        seq=record.seq,
        timestamp=record.at,
        branch_id=branch_id,
        department_id=token.department_id,
        business_day=token.day.isoformat(),
        token_id=token.token_id,
        token_no=token.number,
        display_number=token.display,
        priority=str(token.priority),
        user_id=token.user_id,
        email=token.email if with_email else None,
        counter_id=token.counter_id,
        actor=record.actor,
        data=record.data,
    )
    return _row(event, record.at, record.joins, token.place, record.note)


def department_entry(
    department: Department,
    day: date,
    seq: int,
    at: datetime,
    event_type: EventType,
    actor: str,
    data: Mapping[str, Any],
    *,
    counter_id: str | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """Return the row of an event about a department, one of its counters, or its log. ``note`` is free text."""
    event = Event(
        event_type=event_type,
        event_id=new_event_id(at),
        seq=seq,
        timestamp=at,
        branch_id=department.branch_id,
        department_id=department.department_id,
        business_day=day.isoformat(),
        token_id=0,
        token_no=0,
        display_number="",
        counter_id=counter_id,
        actor=actor,
        data=dict(data),
    )
    return _row(event, at, joins=None, place=0, note=note)


def _row(event: Event, at: datetime, joins: bool | None, place: int, note: str | None) -> dict[str, Any]:
    return {
        "department_id": event.department_id,
        "seq": event.seq,
        "event_type": event.event_type,
        "token_id": event.token_id,
        "payload": json_text(to_wire(event)),
        "joins": joins,
        "priority": event.priority,
        "place": place,
        "at": at,
        "note": note,
    }
