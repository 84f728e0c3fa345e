"""Events that a restored database has forgotten, as readers were told them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.unit.sessions import NOW, TODAY
from tokenq.contract.events import Event, EventType

GENERATED, CALLED, SERVED = EventType.TOKEN_GENERATED, EventType.TOKEN_CALLED, EventType.TOKEN_SERVED
TRANSFERRED, REVERTED = EventType.TOKEN_TRANSFERRED, EventType.TOKEN_REVERTED
RECLASSED, CANCELLED = EventType.TOKEN_PRIORITY_CHANGED, EventType.TOKEN_CANCELLED
TO_HR = {"from": "CW", "to": "HR"}
TO_URGENT = {"from": "normal", "to": "urgent"}


class Topic:
    """What readers were told of one person."""

    def __init__(self, token_id: int = 7, number: int = 7, home: str = "CW") -> None:
        self._token_id, self._number, self._home = token_id, number, home
        self._seqs: dict[str, int] = {}

    def tells(self, of: str, kind: EventType, data: Mapping[str, Any] | None = None, **more: Any) -> Event:
        """The next event of a department."""
        seq = self._seqs[of] = self._seqs.get(of, 20) + 1
        return Event(
            event_type=kind,
            event_id=f"{of}-{seq}",
            seq=seq,
            timestamp=NOW + timedelta(seconds=seq),
            branch_id="main",
            department_id=of,
            business_day=TODAY.isoformat(),
            token_id=self._token_id,
            token_no=self._number,
            display_number=f"{self._home}-{self._number:03d}",
            data=dict(data or {}),
            **more,
        )
