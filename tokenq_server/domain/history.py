"""A day's log read as visits: what became of each token in one department, without undone moves."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tokenq.contract.enums import LIVE
from tokenq.contract.events import Event, EventType
from tokenq.contract.verbs import STATE_AFTER, VERBS

_ENTERS = {EventType.TOKEN_GENERATED} | {row.event for row in VERBS.values() if row.joins_queue}
_ENDS = {row.event for row in VERBS.values() if row.leaves_counter}
_FINAL = {event for event, state in STATE_AFTER.items() if state not in LIVE}
_ROLLBACK = {str(verb): str(row.event) for verb, row in VERBS.items()}


@dataclass(frozen=True)
class Entry:
    """One log entry, with its time to the microsecond."""

    event: Event
    at: datetime


@dataclass
class Service:
    """One stay at a counter: the call, the start of service if any, and the end."""

    counter_id: str
    called_at: datetime
    last_call_at: datetime
    waited: float
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end: str | None = None

    @property
    def occupied(self) -> float | None:
        """Seconds from the call to the end."""
        return (self.ended_at - self.called_at).total_seconds() if self.ended_at else None


@dataclass
class Visit:
    """One token in one department on one day."""

    token_id: int
    priority: str
    came_at: datetime
    estimate: dict[str, Any] | None = None
    is_transferred_in: bool = False
    services: list[Service] = field(default_factory=list)
    end: str | None = None


def visits(log: Iterable[Entry], department_id: str) -> list[Visit]:
    """Return the visits in a department's log, sorted by arrival."""
    entries: dict[int, list[Entry]] = {}
    for entry in log:
        if entry.event.token_id:
            _append(entries.setdefault(entry.event.token_id, []), entry)
    all_visits = [_visit(of_token, department_id) for of_token in entries.values()]
    return sorted((visit for visit in all_visits if visit), key=lambda visit: (visit.came_at, visit.token_id))


def _append(history: list[Entry], entry: Entry) -> None:
    """Append an entry to a token's history; an undo removes the move that it undid."""
    if entry.event.event_type != EventType.TOKEN_REVERTED:
        history.append(entry)
        return
    undone = _ROLLBACK.get(str(entry.event.data.get("undone")))
    for index in range(len(history) - 1, -1, -1):
        if history[index].event.event_type == undone:
            del history[index]
            return


def _visit(entries: list[Entry], department_id: str) -> Visit | None:
    visit: Visit | None = None
    waits_since: datetime | None = None
    for entry in entries:
        event, kind = entry.event, entry.event.event_type
        if visit is None:
            visit = _begin(entry, department_id)
            waits_since = entry.at
            continue
        visit.priority = event.priority
        current = visit.services[-1] if visit.services and visit.services[-1].end is None else None
        if kind == EventType.TOKEN_CALLED:
            waited = (entry.at - (waits_since or entry.at)).total_seconds()
            visit.services.append(Service(event.counter_id or "", entry.at, entry.at, waited))
        elif kind == EventType.TOKEN_RECALLED and current:
            current.last_call_at = entry.at
        elif kind == EventType.TOKEN_SERVICE_STARTED and current:
            current.started_at = entry.at
        if kind in _ENDS and current:
            current.ended_at, current.end = entry.at, kind
        waits_since = entry.at if kind in _ENTERS else waits_since
        visit.end = kind if kind in _FINAL or _is_transfer_out(event, department_id) else None
    return visit


def _is_transfer_out(event: Event, department_id: str) -> bool:
    return event.event_type == EventType.TOKEN_TRANSFERRED and event.data.get("to") != department_id


def _begin(entry: Entry, department_id: str) -> Visit:
    event = entry.event
    estimate = event.data.get("estimate")
    return Visit(
        token_id=event.token_id,
        priority=event.priority,
        came_at=entry.at,
        estimate=estimate if isinstance(estimate, dict) else None,
        is_transferred_in=event.event_type == EventType.TOKEN_TRANSFERRED and event.data.get("to") == department_id,
    )
