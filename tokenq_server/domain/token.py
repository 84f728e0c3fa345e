"""One person's place in line."""

from dataclasses import dataclass
from datetime import date, datetime

from tokenq.contract.words import AT_COUNTER, Priority, TokenState


@dataclass(frozen=True)
class Token:
    """A token as Postgres holds it.

    ``place`` orders the waiting inside a class, least first; ``original_place`` is the one it was issued
    with. ``claim_version`` grows with every call: a command that carries an older one is stale.
    """

    token_id: int
    department_id: str
    branch_id: str
    day: date
    number: int
    display: str
    state: TokenState
    priority: Priority
    place: int
    original_place: int
    issued_at: datetime
    waiting_since: datetime
    user_id: int | None = None
    name: str | None = None
    email: str | None = None
    counter_id: str | None = None
    claim_version: int = 0
    calls: int = 0
    reason: str | None = None
    called_at: datetime | None = None
    started_at: datetime | None = None
    served_at: datetime | None = None

    @property
    def is_at_counter(self) -> bool:
        """Whether the token occupies a counter."""
        return self.state in AT_COUNTER
