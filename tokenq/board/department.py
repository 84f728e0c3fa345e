"""One department as a board knows it: who waits, who is at which counter, its setup. Pure.

Names, users and addresses never enter this state. What an event of an unknown type did is not known; that there was one
is part of the picture.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tokenq.board.department_setup import Place, place_from
from tokenq.board.moments import moment_of
from tokenq.board.picture import Call, DepartmentPicture
from tokenq.contract.board_views import RECENT_CALLS
from tokenq.contract.enums import AT_COUNTER, TokenState
from tokenq.contract.events import Event, EventType
from tokenq.contract.verbs import KEEPS_STATE, STATE_AFTER
from tokenq.zones import local

_EXPIRY_NOTICE = timedelta(hours=12)
"""How long after the end of a day the board says that its numbers have expired."""
_QUIET_NIGHT = timedelta(hours=4)
_DAY_BEGINS_AT = 4
_MOST_UNKNOWN = 8
_TYPE_LENGTH = 40
_LEAVES_ALL_AS_IT_IS = KEEPS_STATE | {EventType.TOKEN_TURN_NEAR, EventType.LOG_REWOUND}
_OF_COUNTERS = frozenset({EventType.COUNTER_OPENED, EventType.COUNTER_PAUSED, EventType.COUNTER_CLOSED})
_DONE = frozenset({TokenState.SERVED, TokenState.NO_SHOW})
_STATES = {str(state): state for state in TokenState}


@dataclass(slots=True)
class Department:
    """A department after all events up to number ``seen``; ``first`` is the first of them that was known."""

    last_event_at: datetime
    business_day: str = ""
    first: int = 0
    seen: int = 0
    is_incomplete: bool = False
    waiting: set[int] = field(default_factory=set)
    at_counters: dict[int, Call] = field(default_factory=dict)
    recent: dict[int, Call] = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    paused: set[str] = field(default_factory=set)
    unknown_events: set[str] = field(default_factory=set)
    expired: set[int] = field(default_factory=set)
    expired_at: datetime | None = None
    is_gone: bool = False

    def take(self, event: Event) -> Call | None:
        """Take the next event in, whatever its number; return the call that it makes or repeats, if it does."""
        self.first = self.first or event.seq
        self.seen = event.seq
        if event.business_day > self.business_day:
            _begin_day(self, event.business_day)
        self.last_event_at = event.timestamp
        if event.event_type in _LEAVES_ALL_AS_IT_IS:
            return None
        if event.token_id == 0:
            _set_up(self, event)
            return None
        return _move(self, event)

    def is_shown(self, now: datetime) -> bool:
        """Whether it exists and its business day is not over."""
        return not self.is_gone and bool(self.seen) and not self._is_over(now)

    def picture(self, department_id: str, now: datetime) -> DepartmentPicture:
        """What to show of it at ``now``."""
        return DepartmentPicture(
            department_id,
            self.business_day,
            len(self.waiting),
            tuple(sorted(self.at_counters.values(), key=newest_first)),
            tuple(sorted(self.recent.values(), key=newest_first)),
            self.last_event_at,
            self.place.name,
            self.place.is_closed_at(now),
            self.place.hours_on(now),
            tuple(sorted(self.paused)),
            len(self.expired) if _is_recent(self.expired_at, now) else 0,
            self.place.counter_words,
        )

    def _is_over(self, now: datetime) -> bool:
        here = local(now, self.place.timezone)
        is_another_day = self.business_day < here.date().isoformat() and here.hour >= _DAY_BEGINS_AT
        return is_another_day and now - self.last_event_at > _QUIET_NIGHT


def newest_first(call: Call) -> tuple[float, str, int]:
    """Sort key of calls: the newest first."""
    return (-call.at.timestamp(), call.department_id, -call.seq)


def _begin_day(department: Department, day: str) -> None:
    """Forget yesterday's calls, but for who is at a counter: the end of a day takes nobody away from there."""
    department.business_day = day
    department.recent = {token: call for token, call in department.recent.items() if token in department.at_counters}
    department.paused.clear()
    department.unknown_events.clear()
    department.is_incomplete = False


def _set_up(department: Department, event: Event) -> None:
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


def _note_unknown(department: Department, event: Event) -> None:
    """Keep the first few types that were not understood; a stranger can make up any number of them."""
    if len(department.unknown_events) < _MOST_UNKNOWN:
        department.unknown_events.add(event.event_type[:_TYPE_LENGTH])


def _move(department: Department, event: Event) -> Call | None:
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


def _note_expired(department: Department, event: Event) -> None:
    """Keep who expired at this end of a day, and forget those of earlier ones."""
    if not _is_recent(department.expired_at, event.timestamp):
        department.expired.clear()
    department.expired.add(event.token_id)
    department.expired_at = event.timestamp


def _is_recent(expired_at: datetime | None, now: datetime) -> bool:
    return expired_at is not None and now - expired_at < _EXPIRY_NOTICE


def _come_to_counter(department: Department, event: Event, state: TokenState, before: Call | None) -> Call | None:
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


def _state_after(department: Department, event: Event) -> TokenState | None:
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
        at=moment_of(event.timestamp, event.event_id),
        times=times,
        state=state,
    )


def _remember(department: Department, call: Call) -> None:
    department.recent.pop(call.token_id, None)
    department.recent[call.token_id] = call
    if len(department.recent) > RECENT_CALLS:
        department.recent.pop(next(iter(department.recent)))
