"""The department's log, entry by entry."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tokenq.contract.events import EventType
from tokenq_server.domain.token import Token


@dataclass(frozen=True)
class Record:
    """One entry of the department's log. ``joins`` says whether the token enters (True) or leaves the line.

    ``note`` is what somebody wrote about it. That is for the staff of the department: it is kept beside the entry and
    never published with it.
    """

    seq: int
    event_type: EventType
    token: Token
    actor: str
    at: datetime
    data: dict[str, Any]
    joins: bool | None = None
    note: str | None = None
