"""Housekeeping for idle departments.

In a busy department each command closes a finished day and brings Redis up to date. This does the same for idle ones,
and deletes what is too old to be kept: idempotency keys, security events and, if settings say so, what is known about
people and the log of events.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tokenq_server.domain.commands import Housekeep
from tokenq_server.services.audit import AuditStore
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.log_retention import OldEntries
from tokenq_server.services.periodic import Periodic
from tokenq_server.services.personal_data import PersonalDataStore
from tokenq_server.services.requests import Request
from tokenq_server.services.setup import SetupStore

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 5.0
_TOGETHER = 32
"""Departments of a batch: who wants a number meanwhile waits for no more of them."""
_BREATH = 0.05
_FORGET_SECONDS = 300.0


class Failures:
    """Steps that fail without stopping those behind them. Each failure is logged once, until its step succeeds."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    async def alone(self, name: str, step: Callable[[], Awaitable[bool | None]]) -> bool:
        """Run a step; return whether it has more to do."""
        try:
            is_more = bool(await step())
        except Exception as error:
            if (failure := (name, str(error) or type(error).__name__)) not in self._known:
                self._known.add(failure)
                logger.exception("a step of housekeeping failed", extra={"step": name})
            return False
        self._known = {known for known in self._known if known[0] != name}
        return is_more


@dataclass
class Forgetting:
    """How long things are kept: security events, what is known about people, the log of events (0: for ever)."""

    audit: AuditStore
    personal_data: PersonalDataStore
    old_entries: OldEntries
    keep_audit_days: int
    keep_personal_days: int
    keep_events_days: int
    failures: Failures = field(default_factory=Failures)
    _next: float = 0.0

    async def forget(self) -> None:
        """Delete some of what is too old, every few minutes; until nothing is left, in every round."""
        if time.monotonic() < self._next:
            return
        steps: dict[str, Callable[[], Awaitable[bool]]] = {"audit": lambda: self.audit.forget(self.keep_audit_days)}
        if self.keep_personal_days:
            steps["personal data"] = lambda: self.personal_data.erase_old(self.keep_personal_days)
        if self.keep_events_days:
            steps["old entries"] = lambda: self.old_entries.delete(self.keep_events_days)
        if not any([await self.failures.alone(name, step) for name, step in steps.items()]):
            self._next = time.monotonic() + _FORGET_SECONDS


def batched(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield names, so many at a time."""
    for start in range(0, len(names), size):
        yield names[start : start + size]


def housekeeping(commit: GroupCommit, store: SetupStore, forgetting: Forgetting) -> Periodic:
    """Housekeeping of every department, every few seconds."""

    async def round_() -> None:
        names = [each.department_id for each in await store.departments()]
        for some in batched(names, _TOGETHER):
            work = [commit.submit(Request(Housekeep(name))) for name in some]
            await asyncio.gather(*work, return_exceptions=True)
            await asyncio.sleep(_BREATH)
        await forgetting.failures.alone("old keys", store.forget_old_keys)
        await forgetting.forget()

    return Periodic("housekeeping", round_, lambda: _EVERY_SECONDS)
