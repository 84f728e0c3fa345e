"""The table of verbs: what can be done with a token, from which states, and which event it leaves.

The server, command line, console, board, reports, verification and the diagram in CONTRIBUTING are derived from it or
checked against it by a test. Issuing has no row, since it creates the token.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tokenq.contract.enums import LIVE, Role
from tokenq.contract.enums import TokenState as S
from tokenq.contract.events import EventType


class Verb(StrEnum):
    """What can be done with a token, spelled as in API paths and CLI commands."""

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
    EDIT = "edit"
    UNDO = "undo"
    EXPIRE = "expire"


class VerbField(StrEnum):
    """Optional fields of a request for a verb, besides the token."""

    REASON = "reason"
    POSITION = "position"
    COUNTER = "counter"


@dataclass(frozen=True)
class Row:
    """A verb's row.

    ``sources`` are the states it is possible from, ``target`` is the state it leads to (``None`` for undo, which
    restores the state before, and for edit, which keeps the state). ``event`` is what it writes to the log. ``help``
    says what it is for, ``past`` what was done to ``{number}``. ``fields`` are the optional request fields;
    ``is_plain`` verbs need nothing else, so their route and command are generated from the row. ``has_undo``: whether
    it can be undone. ``roles`` may use it at all (the server's permissions also check department, owner and state); a
    verb without roles happens automatically.
    ``label`` is what screens call it. ``key`` is the console's, which asks ``confirmation`` before a verb that is hard
    to reverse.
    """

    sources: Collection[S]
    target: S | None
    event: EventType
    help: str
    past: str
    fields: frozenset[VerbField] = frozenset()
    is_plain: bool = True
    has_undo: bool = True
    roles: frozenset[Role] = frozenset({Role.ADMIN, Role.STAFF})
    key: str = ""
    label: str = ""
    confirmation: str = ""

    @property
    def is_by_people(self) -> bool:
        """Whether people use it; the others happen automatically."""
        return bool(self.roles)

    @property
    def leaves_counter(self) -> bool:
        """Whether it moves a token away from the counter that holds it."""
        return bool(_SEATED & set(self.sources)) and self.target is not None and self.target not in _SEATED

    @property
    def joins_queue(self) -> bool:
        """Whether a wait begins with it; changing the class of a waiting token does not start a new wait."""
        return self.target is S.WAITING and set(self.sources) != {S.WAITING}


_WAITING, _CALLED, _SEATED = frozenset({S.WAITING}), frozenset({S.CALLED}), frozenset({S.CALLED, S.SERVING})
_UNCALLED = frozenset({S.WAITING, S.PARKED})
_REASON, _PLACE, _AT = frozenset({VerbField.REASON}), frozenset({VerbField.POSITION}), frozenset({VerbField.COUNTER})

_ALSO_DESK = frozenset({Role.ADMIN, Role.STAFF, Role.DESK})
ISSUERS = frozenset({Role.ADMIN, Role.STAFF, Role.DESK, Role.CUSTOMER})
"""The roles that may issue."""

VERBS: Mapping[Verb, Row] = {
    Verb.CALL: Row(
        _WAITING,
        S.CALLED,
        EventType.TOKEN_CALLED,
        "Call the next customer, or a specific token, to a counter.",
        "{number} is called to counter {counter}.",
        is_plain=False,
        label="Call",
    ),
    Verb.RECALL: Row(
        _CALLED,
        S.CALLED,
        EventType.TOKEN_RECALLED,
        "Call the same customer again.",
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
        "Mark the service as started.",
        "{number} is being served.",
        _AT,
        key="s",
        label="Start",
    ),
    Verb.SERVE: Row(
        _SEATED,
        S.SERVED,
        EventType.TOKEN_SERVED,
        "Mark a token as served.",
        "{number} is served.",
        _AT,
        key="v",
        label="Served",
    ),
    Verb.NO_SHOW: Row(
        _CALLED,
        S.NO_SHOW,
        EventType.TOKEN_NO_SHOW,
        "Mark a called customer as a no-show.",
        "{number} is a no-show.",
        _REASON | _AT,
        key="x",
        label="No-show",
        confirmation="Mark {number} as a no-show?",
    ),
    Verb.REQUEUE: Row(
        _SEATED,
        S.WAITING,
        EventType.TOKEN_REQUEUED,
        "Put a called customer back in the queue.",
        "{number} is back in the queue.",
        _PLACE | _AT,
        key="b",
        label="Back",
    ),
    Verb.PARK: Row(
        _SEATED,
        S.PARKED,
        EventType.TOKEN_PARKED,
        "Set a called customer aside until later.",
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
        "Return a parked customer to the queue.",
        "{number} is back in the queue.",
        key="e",
        label="Resume",
    ),
    Verb.TRANSFER: Row(
        LIVE,
        S.WAITING,
        EventType.TOKEN_TRANSFERRED,
        "Send a customer to another department.",
        "{number} is now waiting in {department}.",
        _REASON | _PLACE,
        is_plain=False,
        roles=_ALSO_DESK,
        key="t",
        label="Transfer",
    ),
    Verb.PRIORITY: Row(
        _WAITING,
        S.WAITING,
        EventType.TOKEN_PRIORITY_CHANGED,
        "Change the class of a waiting customer.",
        "{number} is now {priority}.",
        _REASON,
        is_plain=False,
        label="Class",
    ),
    Verb.CANCEL: Row(
        _UNCALLED | _CALLED,
        S.CANCELLED,
        EventType.TOKEN_CANCELLED,
        "Remove a customer from the queue.",
        "{number} is cancelled.",
        _REASON,
        roles=ISSUERS,
        key="c",
        label="Cancel",
        confirmation="Cancel {number}?",
    ),
    Verb.REINSTATE: Row(
        frozenset({S.NO_SHOW, S.CANCELLED, S.EXPIRED}),
        S.WAITING,
        EventType.TOKEN_REINSTATED,
        "Return a no-show, cancelled or expired token.",
        "{number} is back in the queue.",
        _REASON | _PLACE,
        key="i",
        label="Reinstate",
    ),
    Verb.EDIT: Row(
        LIVE,
        None,
        EventType.TOKEN_EDITED,
        "Correct a customer's name or e-mail address.",
        "{number} has been corrected.",
        is_plain=False,
        has_undo=False,
        roles=_ALSO_DESK,
        label="Edit",
    ),
    Verb.UNDO: Row(
        frozenset(S) - {S.EXPIRED},
        None,
        EventType.TOKEN_REVERTED,
        "Undo the last move of a token.",
        "{number} is {state} again.",
        has_undo=False,
        roles=_ALSO_DESK,
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
"""A token's state after each event that determines it; for a transfer, its state in the target department."""

KEEPS_STATE = frozenset(row.event for verb, row in VERBS.items() if row.target is None and verb is not Verb.UNDO)
"""The events of verbs that leave a token in its state."""


def verbs_from(state: S, *, can_undo: bool = False) -> list[Verb]:
    """The verbs a person may use on a token in ``state``, in the table's order.

    Whether ``undo`` is among them depends on the token's last move, which only the caller knows.
    """
    possible = [verb for verb, row in VERBS.items() if state in row.sources and row.is_by_people]
    return possible if can_undo else [verb for verb in possible if verb is not Verb.UNDO]
