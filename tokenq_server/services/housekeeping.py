"""Housekeeping: looks after departments in which nothing happens.

A busy department keeps itself in order: each command closes a day that is over and lets Redis catch up. This
does the same for the idle ones, and forgets idempotency keys that are too old to be repeated.
"""

import asyncio

from tokenq_server.domain.commands import Housekeep
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.periodic import Periodic
from tokenq_server.services.requests import Request
from tokenq_server.services.setup import SetupStore

_EVERY_SECONDS = 5.0


def housekeeping(commit: GroupCommit, store: SetupStore) -> Periodic:
    """The work, every few seconds, for every department."""

    async def round_() -> None:
        departments = await store.departments()
        work = [commit.submit(Request(Housekeep(each.department_id))) for each in departments]
        await asyncio.gather(*work, return_exceptions=True)
        await store.forget_old_keys()

    return Periodic("housekeeping", round_, lambda: _EVERY_SECONDS)
