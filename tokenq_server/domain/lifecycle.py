"""The one table of moves. Code, API answers, console keys and the documentation's diagram come from it.

(new) --issue--> WAITING --call--> CALLED --start--> SERVING --serve--> SERVED
                    |                 |  `--serve--------------------------^
                    |                 |--no-show--> NO_SHOW
                    |<----requeue-----'             (also from SERVING)
                    `--cancel--> CANCELLED          (also from CALLED)
WAITING, CALLED, PARKED --expire--> EXPIRED         (the business day is over)
"""

from dataclasses import dataclass
from enum import StrEnum

from tokenq.contract.events import EventType
from tokenq.contract.words import TokenState as S


class Verb(StrEnum):
    """What can be done with a token; spelled as in the API's paths and the CLI's commands."""

    CALL = "call"
    RECALL = "recall"
    START = "start"
    SERVE = "serve"
    NO_SHOW = "no-show"
    REQUEUE = "requeue"
    CANCEL = "cancel"
    EXPIRE = "expire"


@dataclass(frozen=True)
class Move:
    """One row of the table: from which states a verb leads to which state, and the event it leaves."""

    sources: frozenset[S]
    target: S
    event: EventType


MOVES: dict[Verb, Move] = {
    Verb.CALL: Move(frozenset({S.WAITING}), S.CALLED, EventType.TOKEN_CALLED),
    Verb.RECALL: Move(frozenset({S.CALLED}), S.CALLED, EventType.TOKEN_RECALLED),
    Verb.START: Move(frozenset({S.CALLED}), S.SERVING, EventType.TOKEN_SERVICE_STARTED),
    Verb.SERVE: Move(frozenset({S.CALLED, S.SERVING}), S.SERVED, EventType.TOKEN_SERVED),
    Verb.NO_SHOW: Move(frozenset({S.CALLED}), S.NO_SHOW, EventType.TOKEN_NO_SHOW),
    Verb.REQUEUE: Move(frozenset({S.CALLED, S.SERVING}), S.WAITING, EventType.TOKEN_REQUEUED),
    Verb.CANCEL: Move(frozenset({S.WAITING, S.CALLED, S.PARKED}), S.CANCELLED, EventType.TOKEN_CANCELLED),
    Verb.EXPIRE: Move(frozenset({S.WAITING, S.CALLED, S.PARKED}), S.EXPIRED, EventType.TOKEN_EXPIRED),
}

_NOT_BY_PEOPLE = frozenset({Verb.EXPIRE})


def moves_from(state: S) -> list[Verb]:
    """The verbs a person may use on a token in ``state``, in the table's order."""
    return [verb for verb, move in MOVES.items() if state in move.sources and verb not in _NOT_BY_PEOPLE]
