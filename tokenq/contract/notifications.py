"""The kinds of notifications, one row each. A new kind is a row here and a folder of templates in each channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tokenq.contract.enums import LIVE, TokenState
from tokenq.contract.events import EventType

EMAIL = "email"
"""The default channel."""
WEBHOOK = "webhook"
"""The channel that posts to a gateway, which reaches people as it can."""


class LetterKind(StrEnum):
    """The notifications that a department can send. The name is that of the API's schema."""

    ISSUED = "issued"
    NEAR = "near"
    CALLED = "called"
    SERVED = "served"
    MISSED = "missed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Rule:
    """When the holder of a token gets a notification, in a department that has its kind switched on.

    ``event`` is the type of event that triggers it; ``unless`` names a flag in the event's data that suppresses it.
    ``true_in`` are the states of the token in which what it says is still true: in any other it is overtaken, and not
    sent any more. ``None``: it is true whatever follows, and always sent. One that ``is_local`` speaks of its event's
    department and counter: it is also overtaken when the token is elsewhere, or the event has happened again.
    """

    event: EventType
    unless: str | None = None
    true_in: frozenset[TokenState] | None = None
    is_local: bool = False


RULES: Mapping[LetterKind, Rule] = {
    LetterKind.ISSUED: Rule(EventType.TOKEN_GENERATED, true_in=LIVE),
    LetterKind.NEAR: Rule(EventType.TOKEN_TURN_NEAR, true_in=frozenset({TokenState.WAITING}), is_local=True),
    # Called and served in one step, nobody is on the way.
    LetterKind.CALLED: Rule(
        EventType.TOKEN_CALLED, unless="served", true_in=frozenset({TokenState.CALLED}), is_local=True
    ),
    LetterKind.SERVED: Rule(EventType.TOKEN_SERVED),
    LetterKind.MISSED: Rule(EventType.TOKEN_NO_SHOW, true_in=frozenset({TokenState.NO_SHOW}), is_local=True),
    LetterKind.EXPIRED: Rule(EventType.TOKEN_EXPIRED, true_in=frozenset({TokenState.EXPIRED}), is_local=True),
}
