"""Lost events (those missing from a restored database), grouped by token."""

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
    """The lost events of event token: ``shown`` is the state in which readers show it, by department (``None``: gone).

    ``events`` is their number: the claim version cannot have grown by more.
    """

    last: Event
    events: int = 0
    born: Event | None = None
    is_near_told: bool = False
    shown: dict[str, TokenState | None] = field(default_factory=dict)

    @property
    def end(self) -> TokenState | None:
        """Its final state, if it reached one."""
        return next((state for state in self.shown.values() if state is not None and state not in LIVE), None)


def histories(lost: Iterable[Event]) -> dict[int, TokenHistory]:
    """Group lost events, each department's in order, by token."""
    histories_by_id: dict[int, TokenHistory] = {}
    for event in _in_time(lost):
        if event.token_id == 0:
            continue
        history = histories_by_id.setdefault(event.token_id, TokenHistory(event))
        history.last = event
        history.events += 1
        if event.event_type == EventType.TOKEN_GENERATED:
            history.born = event
        if event.event_type == EventType.TOKEN_TURN_NEAR:
            history.is_near_told = True
        elif (state := _state_after(event)) is not None:
            history.shown[event.department_id] = None if _leaves(event) else state
    return histories_by_id


def _in_time(lost: Iterable[Event]) -> list[Event]:
    """Sort by time, keeping each department's order even if its clock was set back."""
    latest: dict[str, datetime] = {}
    timed: list[tuple[datetime, Event]] = []
    for event in lost:
        name = event.department_id
        latest[name] = max(latest.get(name, event.timestamp), event.timestamp)
        timed.append((latest[name], event))
    return [event for _, event in sorted(timed, key=itemgetter(0))]


def highest_number(lost: Iterable[Event], department_id: str, day: date) -> int:
    """Return the highest number issued in a department on that day according to the events; 0 if none."""
    born = (
        event
        for event in lost
        if event.event_type == EventType.TOKEN_GENERATED and event.department_id == department_id
    )
    return max((event.token_no for event in born if event.business_day == day.isoformat()), default=0)


def _leaves(event: Event) -> bool:
    """Whether a token goes to another department; a change of class uses the same key for classes."""
    to = event.data.get("to")
    return event.event_type in _BETWEEN_DEPARTMENTS and isinstance(to, str) and to != event.department_id


def _state_after(event: Event) -> TokenState | None:
    if event.event_type == EventType.TOKEN_REVERTED:
        state = event.data.get("state")
        return TokenState(state) if isinstance(state, str) and state in _WORDS else None
    return STATE_AFTER.get(EventType(event.event_type)) if event.event_type in EventType.__members__ else None
