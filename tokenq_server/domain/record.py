"""Entries of a department's log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tokenq.contract.enums import TokenState
from tokenq.contract.events import EventType
from tokenq_server.domain.token import Token


@dataclass(frozen=True)
class Record:
    """One entry of a department's log. ``joins``: the token enters (True) or leaves (False) the queue, or neither.

    ``note`` is free text for the department's staff: it is stored beside the entry and never published with it.
    """

    seq: int
    event_type: EventType
    token: Token
    actor: str
    at: datetime
    data: dict[str, Any]
    joins: bool | None = None
    note: str | None = None


def queue_effect(old: Token, new: Token) -> bool | None:
    """The effect of a move on the queue: True if the token joins it (or changes class), False if it leaves it."""
    if new.state is TokenState.WAITING:
        return True
    return False if old.state is TokenState.WAITING else None
