"""Housekeeping for idle departments.

In a busy department each command closes a finished day and brings Redis up to date. This does the same for idle ones,
and deletes idempotency keys that are too old to be repeated.
"""

import asyncio

from tokenq_server.domain.commands import Housekeep
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.periodic import Periodic
from tokenq_server.services.requests import Request
from tokenq_server.services.setup import SetupStore

_EVERY_SECONDS = 5.0


def housekeeping(commit: GroupCommit, store: SetupStore) -> Periodic:
    """Housekeeping of every department, every few seconds."""

    async def round_() -> None:
        departments = await store.departments()
        work = [commit.submit(Request(Housekeep(each.department_id))) for each in departments]
        await asyncio.gather(*work, return_exceptions=True)
        await store.forget_old_keys()

    return Periodic("housekeeping", round_, lambda: _EVERY_SECONDS)
