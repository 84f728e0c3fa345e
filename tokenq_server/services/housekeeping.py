"""Housekeeping for idle departments.

In a busy department each command closes a finished day and brings Redis up to date. This does the same for idle ones,
and deletes what is too old to be kept: idempotency keys, security events and, if settings say so, what is known about
people and the log of events.
"""

import asyncio
import time
from dataclasses import dataclass

from tokenq_server.domain.commands import Housekeep
from tokenq_server.services.audit import AuditStore
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.log_retention import OldEntries
from tokenq_server.services.periodic import Periodic
from tokenq_server.services.personal_data import PersonalDataStore
from tokenq_server.services.requests import Request
from tokenq_server.services.setup import SetupStore

_EVERY_SECONDS = 5.0
_FORGET_SECONDS = 300.0


@dataclass
class Forgetting:
    """How long things are kept: security events, what is known about people, the log of events (0: for ever)."""

    audit: AuditStore
    personal_data: PersonalDataStore
    old_entries: OldEntries
    keep_audit_days: int
    keep_personal_days: int
    keep_events_days: int
    _next: float = 0.0

    async def forget(self) -> None:
        """Delete some of what is too old, every few minutes; until nothing is left, in every round."""
        if time.monotonic() < self._next:
            return
        is_more = await self.audit.forget(self.keep_audit_days)
        if self.keep_personal_days:
            is_more |= await self.personal_data.erase_old(self.keep_personal_days)
        if self.keep_events_days:
            is_more |= await self.old_entries.delete(self.keep_events_days)
        if not is_more:
            self._next = time.monotonic() + _FORGET_SECONDS


def housekeeping(commit: GroupCommit, store: SetupStore, forgetting: Forgetting) -> Periodic:
    """Housekeeping of every department, every few seconds."""

    async def round_() -> None:
        departments = await store.departments()
        work = [commit.submit(Request(Housekeep(each.department_id))) for each in departments]
        await asyncio.gather(*work, return_exceptions=True)
        await store.forget_old_keys()
        await forgetting.forget()

    return Periodic("housekeeping", round_, lambda: _EVERY_SECONDS)
