"""What the board knows: a fold over events, without any drawing.

Per department only ``seq`` above the highest seen counts, so a repeated event changes nothing and the
order between departments does not matter. Names, users and addresses never enter this state. What an event
of an unknown type did is not known; that there was one is part of the picture.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tokenq.board.department_setup import Place, place_from
from tokenq.board.picture import Call, DepartmentPicture, Picture
from tokenq.contract.enums import AT_COUNTER, TokenState
from tokenq.contract.events import Event, EventType
from tokenq.contract.names import DEPARTMENT_ID
from tokenq.contract.verbs import KEEPS_STATE, STATE_AFTER
from tokenq.zones import local

RECENT_CALLS = 24
"""How many of its last calls each department remembers."""

_EXPIRY_NOTICE = timedelta(hours=12)
"""How long after the end of a day the board says that its numbers have expired."""
_QUIET_NIGHT = timedelta(hours=4)
_DAY_BEGINS_AT = 4
_MOST_UNKNOWN = 8
_TYPE_LENGTH = 40
_LEAVES_ALL_AS_IT_IS = KEEPS_STATE | {EventType.TOKEN_TURN_NEAR, EventType.LOG_REWOUND}
_OF_COUNTERS = frozenset({EventType.COUNTER_OPENED, EventType.COUNTER_PAUSED, EventType.COUNTER_CLOSED})
_VALID_ID = re.compile(DEPARTMENT_ID)
_DONE = frozenset({TokenState.SERVED, TokenState.NO_SHOW})
_STATES = {str(state): state for state in TokenState}


@dataclass(slots=True)
class _Department:
    last_event_at: datetime
    business_day: str = ""
    seen: int = 0
    gaps: int = 0
    waiting: set[int] = field(default_factory=set)
    at_counters: dict[int, Call] = field(default_factory=dict)
    recent: dict[int, Call] = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    paused: set[str] = field(default_factory=set)
    unknown_events: set[str] = field(default_factory=set)
    expired: set[int] = field(default_factory=set)
    expired_at: datetime | None = None
    is_gone: bool = False


class Fold:
    """The state after all events applied so far; ``only`` limits it to these departments (empty: all)."""

    def __init__(self, only: Iterable[str] = ()) -> None:
        self._only = frozenset(only)
        self._departments: dict[str, _Department] = {}

    def apply(self, event: Event) -> Call | None:
        """Take one event in; the answer is the call that it makes or repeats, if it does."""
        if (self._only and event.department_id not in self._only) or not _VALID_ID.match(event.department_id):
            return None
        department = self._departments.get(event.department_id)
        if department is None:
            department = self._departments[event.department_id] = _Department(event.timestamp)
        if event.seq <= department.seen:
            return None
        if department.seen and event.seq > department.seen + 1:
            department.gaps += 1
        department.seen = event.seq
        if event.business_day > department.business_day:
            _begin_day(department, event.business_day)
        department.last_event_at = event.timestamp
        if event.event_type in _LEAVES_ALL_AS_IT_IS:
            return None
        if event.token_id == 0:
            _set_up(department, event)
            return None
        return _move(department, event)

    @property
    def gaps(self) -> int:
        """How often a department's numbering jumped: events that never came."""
        return sum(department.gaps for department in self._departments.values())

    def picture(self, now: datetime) -> Picture:
        """What to show at the local time ``now``; departments whose business day is over show nothing."""
        shown = {key: value for key, value in sorted(self._departments.items()) if _is_shown(value, now)}
        calls = [call for department in shown.values() for call in department.recent.values()]
        return Picture(
            tuple(_department_picture(key, value, now) for key, value in shown.items()),
            tuple(sorted(calls, key=_newest_first)),
            self.gaps,
            _zone_of(shown.values()),
            tuple(sorted(self._only - {key for key, value in self._departments.items() if not value.is_gone})),
            tuple(sorted({name for department in shown.values() for name in department.unknown_events})),
        )


def _begin_day(department: _Department, day: str) -> None:
    """Forget yesterday's calls, but for who is at a counter: the end of a day takes nobody away from there."""
    department.business_day = day
    department.recent = {token: call for token, call in department.recent.items() if token in department.at_counters}
    department.paused.clear()
    department.unknown_events.clear()


def _set_up(department: _Department, event: Event) -> None:
    """Take in what is told of the department itself or of a counter."""
    if event.event_type == EventType.DEPARTMENT_CHANGED:
        department.is_gone = event.data.get("archived") is True
        if not department.is_gone:
            department.place = place_from(event.data.get("settings"))
    elif event.event_type not in _OF_COUNTERS or not event.counter_id:
        _note_unknown(department, event)
    elif event.event_type == EventType.COUNTER_PAUSED:
        department.paused.add(event.counter_id)
    else:
        department.paused.discard(event.counter_id)


def _note_unknown(department: _Department, event: Event) -> None:
    """Keep the first few types that were not understood; a stranger can make up any number of them."""
    if len(department.unknown_events) < _MOST_UNKNOWN:
        department.unknown_events.add(event.event_type[:_TYPE_LENGTH])


def _move(department: _Department, event: Event) -> Call | None:
    token = event.token_id
    state = _state_after(department, event)
    if state is None:
        _note_unknown(department, event)
        return None
    before = department.at_counters.pop(token, None)
    department.waiting.discard(token)
    department.expired.discard(token)
    if state is TokenState.EXPIRED:
        _note_expired(department, event)
    if state is TokenState.WAITING:
        department.waiting.add(token)
    if state in AT_COUNTER:
        return _come_to_counter(department, event, state, before)
    if state in _DONE and token in department.recent:
        department.recent[token] = replace(department.recent[token], state=state)
    else:
        department.recent.pop(token, None)
    return None


def _note_expired(department: _Department, event: Event) -> None:
    """Keep who expired at this end of a day, and forget those of earlier ones."""
    if not _is_recent(department.expired_at, event.timestamp):
        department.expired.clear()
    department.expired.add(event.token_id)
    department.expired_at = event.timestamp


def _is_recent(expired_at: datetime | None, now: datetime) -> bool:
    return expired_at is not None and now - expired_at < _EXPIRY_NOTICE


def _come_to_counter(department: _Department, event: Event, state: TokenState, before: Call | None) -> Call | None:
    known = department.recent.get(event.token_id)
    is_undo = event.event_type == EventType.TOKEN_REVERTED
    if known and (is_undo or state is TokenState.SERVING):
        # The same call as before, neither newer nor repeated.
        call = replace(known, state=state, counter=event.counter_id or known.counter)
        department.recent[call.token_id] = call
    else:
        call = _call(event, state, before)
        if state is TokenState.CALLED:
            _remember(department, call)
    department.at_counters[call.token_id] = call
    department.paused.discard(call.counter)
    return call if state is TokenState.CALLED and not is_undo else None


def _state_after(department: _Department, event: Event) -> TokenState | None:
    if event.event_type == EventType.TOKEN_TRANSFERRED:
        # Published under both departments: the one that has the token loses it, the other one gets it.
        here = event.token_id in department.waiting or event.token_id in department.at_counters
        leaves = here if not isinstance(event.data.get("to"), str) else event.data["to"] != event.department_id
        return TokenState.CANCELLED if leaves else TokenState.WAITING
    if event.event_type == EventType.TOKEN_REVERTED:
        leaves = isinstance(event.data.get("to"), str) and event.data["to"] != event.department_id
        return TokenState.CANCELLED if leaves else _STATES.get(str(event.data.get("state")))
    try:
        return STATE_AFTER.get(EventType(event.event_type))
    except ValueError:
        return None


def _call(event: Event, state: TokenState, before: Call | None) -> Call:
    if before is not None and state is TokenState.SERVING:
        return replace(before, state=state)
    number = event.data.get("call")
    times = number if isinstance(number, int) and number > 0 else 1 if before is None else before.times + 1
    return Call(
        event_id=event.event_id,
        department_id=event.department_id,
        seq=event.seq,
        token_id=event.token_id,
        number=event.display_number,
        counter=event.counter_id or (before.counter if before else ""),
        at=event.timestamp,
        times=times,
        state=state,
    )


def _remember(department: _Department, call: Call) -> None:
    department.recent.pop(call.token_id, None)
    department.recent[call.token_id] = call
    if len(department.recent) > RECENT_CALLS:
        department.recent.pop(next(iter(department.recent)))


def _zone_of(departments: Iterable[_Department]) -> str:
    zones = {department.place.timezone for department in departments} - {""}
    return zones.pop() if len(zones) == 1 else ""


def _is_shown(department: _Department, now: datetime) -> bool:
    return not department.is_gone and bool(department.seen) and not _is_over(department, now)


def _is_over(department: _Department, now: datetime) -> bool:
    here = local(now, department.place.timezone)
    is_another_day = department.business_day < here.date().isoformat() and here.hour >= _DAY_BEGINS_AT
    return is_another_day and now - department.last_event_at > _QUIET_NIGHT


def _department_picture(department_id: str, department: _Department, now: datetime) -> DepartmentPicture:
    return DepartmentPicture(
        department_id,
        department.business_day,
        len(department.waiting),
        tuple(sorted(department.at_counters.values(), key=_newest_first)),
        tuple(sorted(department.recent.values(), key=_newest_first)),
        department.last_event_at,
        department.place.name,
        department.place.is_closed_at(now),
        department.place.hours_on(now),
        tuple(sorted(department.paused)),
        len(department.expired) if _is_recent(department.expired_at, now) else 0,
    )


def _newest_first(call: Call) -> tuple[float, str, int]:
    return (-call.at.timestamp(), call.department_id, -call.seq)
