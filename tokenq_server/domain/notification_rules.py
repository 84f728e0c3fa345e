"""Which event calls for which letter."""

from tokenq.contract.events import Event
from tokenq.contract.notifications import RULES, LetterKind

NOTIFYING_EVENTS = tuple(str(rule.event) for rule in RULES.values())
"""The types of events that may call for a letter."""


def kind_for(event: Event) -> LetterKind | None:
    """Which letter an event calls for, if any; the department may have switched it off."""
    for kind, rule in RULES.items():
        if rule.event == event.event_type and not (rule.unless and event.data.get(rule.unless)):
            return kind
    return None
