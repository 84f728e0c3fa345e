"""Housekeeping for idle departments.

In a busy department each command closes a finished day and brings Redis up to date. This does the same for idle ones,
and deletes idempotency keys that are too old to be repeated, and security events that are too old to be kept.
"""

import asyncio
import time

from tokenq_server.domain.commands import Housekeep
from tokenq_server.services.audit import AuditStore
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.periodic import Periodic
from tokenq_server.services.requests import Request
from tokenq_server.services.setup import SetupStore

_EVERY_SECONDS = 5.0
_FORGET_AUDIT_SECONDS = 300.0


def housekeeping(commit: GroupCommit, store: SetupStore, audit: AuditStore, keep_audit_days: int) -> Periodic:
    """Housekeeping of every department, every few seconds; of the audit, every few minutes."""
    forget_at = 0.0

    async def round_() -> None:
        nonlocal forget_at
        departments = await store.departments()
        work = [commit.submit(Request(Housekeep(each.department_id))) for each in departments]
        await asyncio.gather(*work, return_exceptions=True)
        await store.forget_old_keys()
        if time.monotonic() >= forget_at and not await audit.forget(keep_audit_days):
            forget_at = time.monotonic() + _FORGET_AUDIT_SECONDS

    return Periodic("housekeeping", round_, lambda: _EVERY_SECONDS)
