"""Which event requires which notification."""

from tokenq.contract.events import Event
from tokenq.contract.notifications import RULES, LetterKind

NOTIFYING_EVENTS = tuple(str(rule.event) for rule in RULES.values())
"""The event types that may require a notification."""


OVERTAKABLE = {kind: rule for kind, rule in RULES.items() if rule.true_in is not None}
"""The kinds that are not sent once they are no longer true."""


def kind_for(event: Event) -> LetterKind | None:
    """Return the kind of notification an event requires, if any; the department may have disabled it."""
    for kind, rule in RULES.items():
        if rule.event == event.event_type and not (rule.unless and event.data.get(rule.unless)):
            return kind
    return None
