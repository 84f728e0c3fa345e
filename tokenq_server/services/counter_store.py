"""Storage of counters, as the counter service needs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tokenq_server.domain.counters import Counter, Operator
from tokenq_server.domain.token import Token
from tokenq_server.services.audit import AuditEvent

Change = Callable[[Counter, Token | None, datetime], Counter]
"""Returns the changed counter, given the current one, the token it holds and the database's clock; may refuse."""
Audited = Callable[[Counter, datetime], AuditEvent | None]
"""Returns the security event of a change, if it is one, given the counter before and the database's clock."""


@dataclass(frozen=True)
class Unserved:
    """A department whose ``waiting`` customers no open counter serves; ``numbers`` are those of the first ones."""

    department_id: str
    waiting: int
    numbers: tuple[str, ...]


class CounterStore(Protocol):
    """Storage of counters."""

    async def counters(self, branch_id: str) -> list[tuple[Counter, Token | None]]:
        """Return a branch's counters by id, each with the token it holds. Raises Refused (``unknown_branch``)."""

    async def unattended(self, branch_id: str) -> dict[str, datetime]:
        """Return the unattended open counters of a branch, and since when."""

    async def forgotten(self, branch_id: str) -> frozenset[int]:
        """Return the ids of the tokens at counters that were presumably forgotten there."""

    async def unserved(self, counter: Counter) -> list[Unserved]:
        """Return the departments of a counter in which customers wait and that no other open counter serves."""

    async def departments(self, branch_id: str) -> list[str]:
        """Return the ids of a branch's departments. Raises Refused (``unknown_branch``)."""

    async def change(
        self,
        fresh: Counter,
        serves: Sequence[str],
        change: Change,
        actor: str,
        *,
        is_logged: bool,
        audited: Audited | None = None,
    ) -> tuple[Counter, Token | None]:
        """Change a counter, or ``fresh`` if there is none yet; ``is_logged``: in the logs of what it serves."""

    async def renew(self, branch_id: str, counter_id: str, operator: Operator) -> Counter | None:
        """Renew an operator's lease and bind it to that screen; return ``None`` if the operator holds none."""

    async def delete(self, branch_id: str, counter_id: str) -> bool:
        """Delete a counter; return False if there is none or it holds a token."""
