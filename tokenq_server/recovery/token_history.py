"""What lost events tell of each token: the events that a restored database has forgotten, folded by token."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import itemgetter

from tokenq.contract.enums import LIVE, TokenState
from tokenq.contract.events import Event, EventType
from tokenq.contract.verbs import STATE_AFTER

_WORDS = frozenset(map(str, TokenState))
_BETWEEN_DEPARTMENTS = frozenset({EventType.TOKEN_TRANSFERRED, EventType.TOKEN_REVERTED})


@dataclass
class TokenHistory:
    """What lost events tell of one token: ``shown`` is the state readers show it in, by department (None: gone).

    ``events`` is how many there are: its claim version cannot have grown by more.
    """

    last: Event
    events: int = 0
    born: Event | None = None
    is_near_told: bool = False
    shown: dict[str, TokenState | None] = field(default_factory=dict)

    @property
    def end(self) -> TokenState | None:
        """The final state it came to, if it did."""
        return next((state for state in self.shown.values() if state is not None and state not in LIVE), None)


def histories(lost: Iterable[Event]) -> dict[int, TokenHistory]:
    """Fold lost events, each department's in order, by token."""
    found: dict[int, TokenHistory] = {}
    for event in _in_time(lost):
        if event.token_id == 0:
            continue
        history = found.setdefault(event.token_id, TokenHistory(event))
        history.last = event
        history.events += 1
        if event.event_type == EventType.TOKEN_GENERATED:
            history.born = event
        if event.event_type == EventType.TOKEN_TURN_NEAR:
            history.is_near_told = True
        elif (state := _told(event)) is not None:
            history.shown[event.department_id] = None if _leaves(event) else state
    return found


def _in_time(lost: Iterable[Event]) -> list[Event]:
    """By when they happened; a department's stay in their order, also where its clock was set back."""
    latest: dict[str, datetime] = {}
    timed: list[tuple[datetime, Event]] = []
    for event in lost:
        name = event.department_id
        latest[name] = max(latest.get(name, event.timestamp), event.timestamp)
        timed.append((latest[name], event))
    return [event for _, event in sorted(timed, key=itemgetter(0))]


def highest_number(lost: Iterable[Event], department_id: str, day: date) -> int:
    """The highest number that was given out in a department on that day, as the events tell; 0 if none."""
    born = (one for one in lost if one.event_type == EventType.TOKEN_GENERATED and one.department_id == department_id)
    return max((one.token_no for one in born if one.business_day == day.isoformat()), default=0)


def _leaves(event: Event) -> bool:
    """Whether a token goes to another department; a change of class names classes under the same word."""
    to = event.data.get("to")
    return event.event_type in _BETWEEN_DEPARTMENTS and isinstance(to, str) and to != event.department_id


def _told(event: Event) -> TokenState | None:
    if event.event_type == EventType.TOKEN_REVERTED:
        state = event.data.get("state")
        return TokenState(state) if isinstance(state, str) and state in _WORDS else None
    return STATE_AFTER.get(EventType(event.event_type)) if event.event_type in EventType.__members__ else None
