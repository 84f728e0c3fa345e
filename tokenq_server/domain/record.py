"""Entries of a department's log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
