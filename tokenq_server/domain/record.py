"""The department's log, entry by entry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tokenq.contract.events import EventType
from tokenq_server.domain.token import Token


@dataclass(frozen=True)
class Record:
    """One entry of the department's log. ``joins`` says whether the token enters (True) or leaves the line."""

    seq: int
    event_type: EventType
    token: Token
    actor: str
    at: datetime
    data: dict[str, Any]
    joins: bool | None = None
