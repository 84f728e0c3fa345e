"""How long the log of events is kept."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

from tokenq.contract.audit import AuditKind
from tokenq_server.services.audit import BY_SYSTEM, AuditEvent


@dataclass(frozen=True)
class History:
    """A token's wire events in order, each with its note. Before ``kept_from``, some of them may be deleted."""

    events: list[tuple[dict[str, Any], str | None]]
    kept_from: date | None = None


class OldEntries(Protocol):
    """The old entries of the departments' logs."""

    async def delete(self, days: int) -> bool:
        """Delete some of what is older than this many business days; return whether there may be more.

        Of each department's log only its beginning goes, and nothing of a token that is live or not as old.
        """


def old_entries_deleted(days: int) -> AuditEvent:
    """Housekeeping deleted old entries of the log; the event's count says how many."""
    return AuditEvent(AuditKind.LOG_DELETE, BY_SYSTEM, "log of events", detail=f"older than {days} days")


def kept_from(floor_day: date) -> date | None:
    """Return the first day of which a log has everything, given the last one of which it lacks something, if any."""
    return None if floor_day == date.min else floor_day + timedelta(days=1)
