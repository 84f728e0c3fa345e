"""The one table of verbs: what can be done with a token, from which states, and what it leaves behind.

Server, command line, console, board, reports, verification and the diagram in CONTRIBUTING are made from it, or a test
holds them to it. Issuing is no row: it makes the token.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tokenq.contract.enums import LIVE, Role
from tokenq.contract.enums import TokenState as S
from tokenq.contract.events import EventType


class Verb(StrEnum):
    """What can be done with a token; spelled as in the API's paths and the CLI's commands."""

    CALL = "call"
    RECALL = "recall"
    START = "start"
    SERVE = "serve"
    NO_SHOW = "no-show"
    REQUEUE = "requeue"
    PARK = "park"
    RESUME = "resume"
    TRANSFER = "transfer"
    PRIORITY = "priority"
    CANCEL = "cancel"
    REINSTATE = "reinstate"
    UNDO = "undo"
    EXPIRE = "expire"


class Says(StrEnum):
    """What a request for a verb may say beyond the token."""

    REASON = "reason"
    POSITION = "position"
    COUNTER = "counter"


@dataclass(frozen=True)
class Row:
    """A verb's row.

    ``sources`` are the states from which it is possible, ``target`` the state it leads to; ``None`` for the one verb
    that leads back to where the token was. ``event`` is what it leaves in the log. ``help`` says what it is for,
    ``past`` what was done, about a ``number``. ``says`` is what a request may add; ``is_plain`` verbs need nothing
    else, so their route and their command are made from the row. ``has_undo``: it can be taken back.
    ``roles`` are those that may use it at all, where the server's permissions add department, owner and state; what has
    none happens by itself. ``key`` and ``label`` are those of the console, which asks ``doubt`` before it does what is
    not easily made good.
    """

    sources: Collection[S]
    target: S | None
    event: EventType
    help: str
    past: str
    says: frozenset[Says] = frozenset()
    is_plain: bool = True
    has_undo: bool = True
    roles: frozenset[Role] = frozenset({Role.ADMIN, Role.STAFF})
    key: str = ""
    label: str = ""
    doubt: str = ""

    @property
    def is_by_people(self) -> bool:
        """Whether people do it; the others happen by themselves."""
        return bool(self.roles)

    @property
    def leaves_counter(self) -> bool:
        """Whether it takes a token away from the counter that holds it."""
        return bool(_SEATED & set(self.sources)) and self.target is not None and self.target not in _SEATED

    @property
    def joins_line(self) -> bool:
        """Whether waiting begins with it; who waits already and only changes class waits on."""
        return self.target is S.WAITING and set(self.sources) != {S.WAITING}


_WAITING, _CALLED, _SEATED = frozenset({S.WAITING}), frozenset({S.CALLED}), frozenset({S.CALLED, S.SERVING})
_UNCALLED = frozenset({S.WAITING, S.PARKED})
_REASON, _PLACE, _AT = frozenset({Says.REASON}), frozenset({Says.POSITION}), frozenset({Says.COUNTER})

ISSUERS = frozenset({Role.ADMIN, Role.STAFF, Role.DESK, Role.CUSTOMER})
"""The roles that may issue."""

VERBS: Mapping[Verb, Row] = {
    Verb.CALL: Row(
        _WAITING,
        S.CALLED,
        EventType.TOKEN_CALLED,
        "Call the next person, or a certain one, to a counter.",
        "{number} is called to counter {counter}.",
        is_plain=False,
    ),
    Verb.RECALL: Row(
        _CALLED,
        S.CALLED,
        EventType.TOKEN_RECALLED,
        "Call the same person once more.",
        "{number} is called again.",
        _AT,
        has_undo=False,
        key="r",
        label="Recall",
    ),
    Verb.START: Row(
        _CALLED,
        S.SERVING,
        EventType.TOKEN_SERVICE_STARTED,
        "Note that the service has begun.",
        "{number} is being served.",
        _AT,
        key="s",
        label="Start",
    ),
    Verb.SERVE: Row(
        _SEATED,
        S.SERVED,
        EventType.TOKEN_SERVED,
        "Finish a token.",
        "{number} is served.",
        _AT,
        key="v",
        label="Served",
    ),
    Verb.NO_SHOW: Row(
        _CALLED,
        S.NO_SHOW,
        EventType.TOKEN_NO_SHOW,
        "Note that the called person did not come.",
        "{number} did not come.",
        _REASON | _AT,
        key="x",
        label="No-show",
        doubt="Nobody came for {number}?",
    ),
    Verb.REQUEUE: Row(
        _SEATED,
        S.WAITING,
        EventType.TOKEN_REQUEUED,
        "Put a called person back in line.",
        "{number} is back in line.",
        _PLACE | _AT,
        key="b",
        label="Back",
    ),
    Verb.PARK: Row(
        _SEATED,
        S.PARKED,
        EventType.TOKEN_PARKED,
        "Set a called person aside, to come back later.",
        "{number} is parked.",
        _REASON | _AT,
        is_plain=False,
        key="p",
        label="Park",
    ),
    Verb.RESUME: Row(
        frozenset({S.PARKED}),
        S.WAITING,
        EventType.TOKEN_RESUMED,
        "Let a parked person back into the line.",
        "{number} is back in line.",
        key="e",
        label="Resume",
    ),
    Verb.TRANSFER: Row(
        LIVE,
        S.WAITING,
        EventType.TOKEN_TRANSFERRED,
        "Send a person to another department.",
        "{number} waits in {department} now.",
        _REASON,
        is_plain=False,
        key="t",
        label="Transfer",
    ),
    Verb.PRIORITY: Row(
        _WAITING,
        S.WAITING,
        EventType.TOKEN_PRIORITY_CHANGED,
        "Change the class of a person who waits.",
        "{number} is {priority} now.",
        _REASON,
        is_plain=False,
    ),
    Verb.CANCEL: Row(
        _UNCALLED | _CALLED,
        S.CANCELLED,
        EventType.TOKEN_CANCELLED,
        "Take a person out of the line.",
        "{number} is cancelled.",
        _REASON,
        roles=ISSUERS,
        key="c",
        label="Cancel",
        doubt="Cancel {number}?",
    ),
    Verb.REINSTATE: Row(
        frozenset({S.NO_SHOW, S.CANCELLED}),
        S.WAITING,
        EventType.TOKEN_REINSTATED,
        "Return a no-show or cancelled token to the queue.",
        "{number} is back in line.",
        _REASON | _PLACE,
        key="i",
        label="Reinstate",
    ),
    Verb.UNDO: Row(
        frozenset(S) - {S.EXPIRED},
        None,
        EventType.TOKEN_REVERTED,
        "Take the last move of a token back.",
        "{number} is {state} again.",
        has_undo=False,
        key="u",
        label="Undo",
    ),
    Verb.EXPIRE: Row(
        _UNCALLED,
        S.EXPIRED,
        EventType.TOKEN_EXPIRED,
        "The business day is over.",
        "{number} has expired.",
        is_plain=False,
        has_undo=False,
        roles=frozenset(),
    ),
}

STATE_AFTER: Mapping[EventType, S] = {EventType.TOKEN_GENERATED: S.WAITING} | {
    row.event: row.target for row in VERBS.values() if row.target is not None
}
"""The state of a token after each event that tells it; a transfer tells it of the department that it leads to."""


def verbs_from(state: S, *, can_undo: bool = False) -> list[Verb]:
    """The verbs a person may use on a token in ``state``, in the table's order.

    Whether ``undo`` is among them depends on the token's last move, so the caller says it.
    """
    possible = [verb for verb, row in VERBS.items() if state in row.sources and row.is_by_people]
    return possible if can_undo else [verb for verb in possible if verb is not Verb.UNDO]
