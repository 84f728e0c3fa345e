"""Which event calls for which letter."""

from tokenq.contract.events import Event, EventType
from tokenq.contract.words import LetterKind

_KINDS = {
    EventType.TOKEN_GENERATED: LetterKind.ISSUED,
    EventType.TOKEN_TURN_NEAR: LetterKind.NEAR,
    EventType.TOKEN_CALLED: LetterKind.CALLED,
    EventType.TOKEN_SERVED: LetterKind.SERVED,
    EventType.TOKEN_NO_SHOW: LetterKind.MISSED,
}

CALLING_FOR_LETTERS = tuple(str(kind) for kind in _KINDS)
"""The types of events that may call for a letter."""


def kind_for(event: Event) -> str | None:
    """Which letter an event calls for, if any; the department may have switched it off."""
    if event.event_type == EventType.TOKEN_CALLED and event.data.get("served"):
        return None  # called and served in one step: nobody is on the way
    return _KINDS.get(EventType(event.event_type)) if event.event_type in EventType.__members__ else None
