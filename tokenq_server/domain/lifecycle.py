"""The one table of moves. Code, API answers, console keys and the documentation's diagram come from it.

(new) --issue--> WAITING --call--> CALLED --start--> SERVING --serve--> SERVED
                   |  ^               |  `--serve--------------------------^
                   |  |<---requeue----+----------------'  (from CALLED and SERVING)
                   |  |               |--no-show--> NO_SHOW
                   |  `----resume-- PARKED <--park--  (from CALLED and SERVING)
                   |--priority--> WAITING, in another class
WAITING, CALLED, SERVING, PARKED --transfer--> WAITING in another department
WAITING, CALLED, PARKED --cancel--> CANCELLED
NO_SHOW, CANCELLED --reinstate--> WAITING         (on the same business day)
any --undo--> the state before the last move      (within minutes)
WAITING, PARKED --expire--> EXPIRED               (the business day is over; who was called stays called)
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from tokenq.contract.events import EventType
from tokenq.contract.words import LIVE
from tokenq.contract.words import TokenState as S


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


@dataclass(frozen=True)
class Move:
    """One row of the table: from which states a verb leads to which state, and the event it leaves.

    ``target`` is ``None`` for the one verb that leads back to where the token was. ``has_undo`` says whether the
    move can be taken back.
    """

    sources: Collection[S]
    target: S | None
    event: EventType
    has_undo: bool = True


_WAITING, _CALLED, _SEATED = frozenset({S.WAITING}), frozenset({S.CALLED}), frozenset({S.CALLED, S.SERVING})
_UNCALLED = frozenset({S.WAITING, S.PARKED})

MOVES: dict[Verb, Move] = {
    Verb.CALL: Move(_WAITING, S.CALLED, EventType.TOKEN_CALLED),
    Verb.RECALL: Move(_CALLED, S.CALLED, EventType.TOKEN_RECALLED, has_undo=False),
    Verb.START: Move(_CALLED, S.SERVING, EventType.TOKEN_SERVICE_STARTED),
    Verb.SERVE: Move(_SEATED, S.SERVED, EventType.TOKEN_SERVED),
    Verb.NO_SHOW: Move(_CALLED, S.NO_SHOW, EventType.TOKEN_NO_SHOW),
    Verb.REQUEUE: Move(_SEATED, S.WAITING, EventType.TOKEN_REQUEUED),
    Verb.PARK: Move(_SEATED, S.PARKED, EventType.TOKEN_PARKED),
    Verb.RESUME: Move(frozenset({S.PARKED}), S.WAITING, EventType.TOKEN_RESUMED),
    Verb.TRANSFER: Move(LIVE, S.WAITING, EventType.TOKEN_TRANSFERRED),
    Verb.PRIORITY: Move(_WAITING, S.WAITING, EventType.TOKEN_PRIORITY_CHANGED),
    Verb.CANCEL: Move(_UNCALLED | _CALLED, S.CANCELLED, EventType.TOKEN_CANCELLED),
    Verb.REINSTATE: Move(frozenset({S.NO_SHOW, S.CANCELLED}), S.WAITING, EventType.TOKEN_REINSTATED),
    Verb.UNDO: Move(frozenset(S) - {S.EXPIRED}, None, EventType.TOKEN_REVERTED, has_undo=False),
    Verb.EXPIRE: Move(_UNCALLED, S.EXPIRED, EventType.TOKEN_EXPIRED, has_undo=False),
}

_NOT_BY_PEOPLE = frozenset({Verb.EXPIRE})


def moves_from(state: S, *, can_undo: bool = False) -> list[Verb]:
    """The verbs a person may use on a token in ``state``, in the table's order.

    Whether ``undo`` is among them depends on the token's last move, so the caller says it.
    """
    hidden = _NOT_BY_PEOPLE if can_undo else _NOT_BY_PEOPLE | {Verb.UNDO}
    return [verb for verb, move in MOVES.items() if state in move.sources and verb not in hidden]
