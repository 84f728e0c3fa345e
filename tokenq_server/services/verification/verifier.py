"""Verifier: checks a running system's stores against all invariants, without disturbing it.

Everything is compared with one snapshot of Postgres. Followers of the log are read so that they can never legitimately
be ahead of it: the queues in Redis and notify's offsets before the snapshot is taken, the topic after it. So nothing
needs a lock, and a system under load raises no false alarm.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from tokenq_server.domain.invariants.department_head import LineCopy
from tokenq_server.domain.invariants.replayed_token import TransferredTokens
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.domain.refusals import unknown_department
from tokenq_server.services.ports import LineDown
from tokenq_server.services.verification.departments import DepartmentCheck, check_copy, check_transferred
from tokenq_server.services.verification.followers import Topic, check_mail
from tokenq_server.services.verification.ports import (
    DepartmentState,
    Lines,
    Snapshot,
    Snapshots,
    TopicAway,
    TopicReader,
    VerifyOptions,
)

_LINE, _TOPIC = ("R1", "R3"), ("K1", "K2", "K3", "K4", "K5")


@dataclass
class Verifier:
    """One run over the stores; those that are ``None`` are skipped. ``tell`` receives progress messages."""

    snapshots: Snapshots
    lines: Lines | None
    topic: TopicReader | None
    options: VerifyOptions = field(default_factory=VerifyOptions)
    tell: Callable[[str], None] = lambda _: None

    async def run(self, department_ids: Collection[str] = ()) -> Tally:
        """Check these departments, or all; the tally notes which other stores are unavailable.

        Raises:
            LedgerDown: Postgres is unavailable.
            Refused: ``unknown_department``.
        """
        tally = Tally()
        days = await self.snapshots.days()
        if unknown := sorted(set(department_ids) - set(days)):
            raise unknown_department(unknown[0])
        days = {name: day for name, day in days.items() if not department_ids or name in department_ids}
        copies = await self._copy_lines(days, tally)
        taken = await self._cursors(tally)
        async with self.snapshots.snapshot() as snapshot:
            chosen = [state for state in await snapshot.departments() if state.id in days]
            transferred = TransferredTokens({state.id: state.log_floor_day for state in chosen})
            for state in chosen:
                await DepartmentCheck(snapshot, state, tally).run(transferred, self.tell)
                if copies is not None:
                    await check_copy(snapshot, state, copies.get(state.id), days[state.id], self.options, tally)
            await check_transferred(snapshot, transferred, tally)
            seen = await self._check_topic(snapshot, chosen, taken, tally)
            self.tell("letters")
            await check_mail(snapshot, chosen, seen, self.options, tally)
        return tally

    async def _copy_lines(self, days: Mapping[str, date], tally: Tally) -> dict[str, LineCopy] | None:
        if self.lines is None:
            return None
        self.tell("lines in Redis")
        try:
            return await self.lines.read(days)
        except LineDown:
            tally.skip(_LINE, "Redis does not answer")
            return None

    async def _cursors(self, tally: Tally) -> dict[int, int] | None:
        if self.topic is None:
            return None
        try:
            return await self.topic.taken()
        except TopicAway as error:
            tally.skip(_TOPIC, str(error))
            return None

    async def _check_topic(
        self, snapshot: Snapshot, chosen: Sequence[DepartmentState], taken: Mapping[int, int] | None, tally: Tally
    ) -> Mapping[str, int]:
        """Return the last seq that notify has processed, per department."""
        if self.topic is None or taken is None:
            return {}
        self.tell("topic")
        reading = Topic(snapshot, chosen, taken, self.options, tally)
        try:
            await reading.check(self.topic, self.snapshots)
        except TopicAway as error:
            tally.skip(_TOPIC, str(error))
        return reading.seen
