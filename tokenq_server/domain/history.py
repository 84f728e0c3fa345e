"""The log read as visits: what became of each token, without undone moves.

A visit is a token's whole life within the given departments' logs; a leg is one wait-and-service in one department.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import dropwhile
from typing import Any

from tokenq.contract.enums import LIVE, TokenState
from tokenq.contract.events import Event, EventType
from tokenq.contract.verbs import KEEPS_STATE, STATE_AFTER, VERBS, Verb

_ENTERS = {EventType.TOKEN_GENERATED} | {row.event for row in VERBS.values() if row.joins_queue}
_LEAVES_COUNTER = {row.event for row in VERBS.values() if row.leaves_counter}
_BRINGS_NOBODY = KEEPS_STATE | {EventType.TOKEN_TURN_NEAR}
_TRANSFERRED = VERBS[Verb.TRANSFER].event
_ROLLBACK = {str(verb): str(row.event) for verb, row in VERBS.items()}
_STATES: dict[str, TokenState] = {str(event): state for event, state in STATE_AFTER.items()}
_END_BY_STATE = {state: event for event, state in _STATES.items() if state not in LIVE}


@dataclass(frozen=True)
class Entry:
    """One log entry, with its time to the microsecond."""

    event: Event
    at: datetime


@dataclass
class Service:
    """One stay at a counter: the call, the start of service if any, and the end.

    ``waited`` is the time in the queue before the call, in whole seconds; ``recalls`` counts further calls during the
    stay. ``operator`` called, ``ended_by`` ended it.
    """

    counter_id: str
    operator: str
    called_at: datetime
    last_call_at: datetime
    waited: int
    recalls: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end: str | None = None
    ended_by: str = ""

    @property
    def occupied(self) -> int | None:
        """Seconds from the call to the end."""
        return seconds_between(self.called_at, self.ended_at) if self.ended_at else None


@dataclass
class Leg:
    """One token in one department, from entering its queue.

    ``end`` is the event that ended it there, ``None`` while the token is live there. ``waited`` is the time in the
    queue since the last call, up to the last time it left the queue.
    """

    department_id: str
    came_at: datetime
    is_transferred_in: bool = False
    estimate: dict[str, Any] | None = None
    services: list[Service] = field(default_factory=list)
    end: str | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    waited: int = 0
    joined_at: datetime | None = None

    @property
    def last_service(self) -> Service | None:
        """The stay at a counter during which the leg ended, if it ended there."""
        last = self.services[-1] if self.services else None
        return last if last and last.end and (last.end, last.ended_at) == (self.end, self.ended_at) else None

    def waits_at(self, now: datetime) -> int:
        """Seconds in the queue since the last call, up to ``now``."""
        return self.waited + (seconds_between(self.joined_at, now) if self.joined_at else 0)


@dataclass
class Visit:
    """One token in the departments of a report, with its legs in order; ``priority`` is its last class."""

    token_id: int
    priority: str
    legs: list[Leg]

    @property
    def came_at(self) -> datetime:
        """When it came."""
        return self.legs[0].came_at

    @property
    def services(self) -> list[Service]:
        """All stays at counters, in order."""
        return [service for leg in self.legs for service in leg.services]


def visits(log: Iterable[Entry], *departments: str) -> list[Visit]:
    """Return the visits in these departments' logs, sorted by arrival. Each department's entries are in log order."""
    histories: dict[int, dict[str, list[Entry]]] = {}
    for entry in log:
        event = entry.event
        if event.token_id and event.department_id in departments:
            _append(histories.setdefault(event.token_id, {}).setdefault(event.department_id, []), entry)
    found = [visit for token_id, history in histories.items() if (visit := _visit(token_id, history))]
    return sorted(found, key=lambda visit: (visit.came_at, visit.token_id))


def seconds_between(start: datetime, end: datetime) -> int:
    """Whole seconds from ``start`` to ``end``, rounded half up; never negative."""
    return max(int((end - start).total_seconds() + 0.5), 0)


def _append(history: list[Entry], entry: Entry) -> None:
    """Append an entry to a token's history; an undo removes the move that it undid.

    What a recovery found out about a token is logged as an undo without such a move, and is kept.
    """
    undone = _ROLLBACK.get(str(entry.event.data.get("undone")))
    if entry.event.event_type != EventType.TOKEN_REVERTED or undone is None:
        history.append(entry)
        return
    for index in range(len(history) - 1, -1, -1):
        if history[index].event.event_type == undone:
            del history[index]
            return


def _visit(token_id: int, history: dict[str, list[Entry]]) -> Visit | None:
    legs = [leg for name, entries in history.items() for leg in _legs(entries, name)]
    if not legs:
        return None
    legs.sort(key=lambda leg: (leg.came_at, leg.is_transferred_in))
    last = max((entry for entries in history.values() for entry in entries), key=lambda entry: entry.at)
    return Visit(token_id, last.event.priority, legs)


def _legs(entries: list[Entry], department_id: str) -> list[Leg]:
    """Split a token's history in a department; what happened in a stay that was undone begins no leg."""
    legs: list[Leg] = []
    for entry in dropwhile(lambda entry: entry.event.event_type in _BRINGS_NOBODY, entries):
        is_in = _is_transfer(entry.event) and entry.event.data.get("to") == department_id
        if not legs or is_in:
            estimate = entry.event.data.get("estimate")
            given = estimate if isinstance(estimate, dict) else None
            legs.append(Leg(department_id, entry.at, is_in, given, joined_at=entry.at))
        _apply(legs[-1], entry, department_id)
    return legs


def _apply(leg: Leg, entry: Entry, department_id: str) -> None:
    event, kind = entry.event, entry.event.event_type
    service = leg.services[-1] if leg.services and leg.services[-1].end is None else None
    leaves = _is_transfer(event) and event.data.get("to") != department_id
    if kind == EventType.TOKEN_CALLED:
        leg.services.append(Service(event.counter_id or "", event.actor, entry.at, entry.at, leg.waits_at(entry.at)))
        leg.waited, leg.joined_at = 0, None
    elif kind == EventType.TOKEN_RECALLED and service:
        service.last_call_at, service.recalls = entry.at, service.recalls + 1
    elif kind == EventType.TOKEN_SERVICE_STARTED and service:
        service.started_at = entry.at
    if kind in _LEAVES_COUNTER and service:
        service.ended_at, service.end, service.ended_by = entry.at, kind, event.actor
    if kind in _ENTERS and not leaves:
        leg.joined_at = entry.at
    _end(leg, entry, _TRANSFERRED if leaves else _end_by(event))


def _end(leg: Leg, entry: Entry, end: str | None) -> None:
    """End the leg, or reopen it if the event leads to a live state; other events change nothing."""
    if end is not None:
        leg.end, leg.ended_at, leg.ended_by = end, entry.at, entry.event.actor
        leg.waited, leg.joined_at = leg.waits_at(entry.at), None
    elif _state_after(entry.event) in LIVE:
        leg.end, leg.ended_at, leg.ended_by = None, None, ""


def _end_by(event: Event) -> str | None:
    state = _state_after(event)
    return _END_BY_STATE.get(state) if state else None


def _state_after(event: Event) -> TokenState | None:
    """The state that an event leads to; a recovery's entry states it."""
    if event.event_type == EventType.TOKEN_REVERTED:
        state = str(event.data.get("state"))
        return TokenState(state) if state in set(TokenState) else None
    return _STATES.get(event.event_type)


def _is_transfer(event: Event) -> bool:
    """Whether the token changed departments, also by a recovery."""
    return event.event_type == _TRANSFERRED or (
        event.event_type == EventType.TOKEN_REVERTED and "to" in event.data and "from" in event.data
    )
