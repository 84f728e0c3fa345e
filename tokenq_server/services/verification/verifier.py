"""Verifier: a running system's stores held against every rule, without disturbing it.

One snapshot of Postgres is what everything else is held against. What follows the log is read so that it cannot be
ahead by right: the lines in Redis and notify's place before the snapshot is taken, the topic after it. So nothing needs
a lock, and a system under load gives no false alarm.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from tokenq_server.domain.invariants.department_head import LineCopy
from tokenq_server.domain.invariants.lives import Travels
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.domain.refusals import unknown_department
from tokenq_server.services.ports import LineDown
from tokenq_server.services.verification.departments import Reading, check_copy, check_travels
from tokenq_server.services.verification.followers import Topic, check_mail
from tokenq_server.services.verification.ports import Books, Held, Lines, Snapshot, Strictness, TopicAway, TopicReader

_LINE, _TOPIC = ("R1", "R3"), ("K1", "K2", "K3", "K4", "K5")


@dataclass
class Verifier:
    """One run over the stores; those that are ``None`` are not looked at. ``tell`` hears how it goes on."""

    books: Books
    lines: Lines | None
    topic: TopicReader | None
    strictness: Strictness = field(default_factory=Strictness)
    tell: Callable[[str], None] = lambda _: None

    async def run(self, department_ids: Collection[str] = ()) -> Tally:
        """Check these departments, or all; what else is away is told by the tally.

        Raises:
            LedgerDown: Postgres is away.
            Refused: ``unknown_department``.
        """
        tally = Tally()
        days = await self.books.days()
        if unknown := sorted(set(department_ids) - set(days)):
            raise unknown_department(unknown[0])
        days = {name: day for name, day in days.items() if not department_ids or name in department_ids}
        copies = await self._copy_lines(days, tally)
        taken = await self._taken(tally)
        async with self.books.snapshot() as snapshot:
            chosen = [held for held in await snapshot.departments() if held.id in days]
            travels = Travels()
            for held in chosen:
                await Reading(snapshot, held, tally).run(travels, self.tell)
                if copies is not None:
                    await check_copy(snapshot, held, copies.get(held.id), days[held.id], self.strictness, tally)
            await check_travels(snapshot, travels, tally)
            seen = await self._check_topic(snapshot, chosen, taken, tally)
            self.tell("letters")
            await check_mail(snapshot, chosen, seen, self.strictness, tally)
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

    async def _taken(self, tally: Tally) -> dict[int, int] | None:
        if self.topic is None:
            return None
        try:
            return await self.topic.taken()
        except TopicAway as error:
            tally.skip(_TOPIC, f"Kafka: {error}")
            return None

    async def _check_topic(
        self, snapshot: Snapshot, chosen: Sequence[Held], taken: Mapping[int, int] | None, tally: Tally
    ) -> Mapping[str, int]:
        """Answers, per department, the last seq that notify has dealt with."""
        if self.topic is None or taken is None:
            return {}
        self.tell("topic")
        reading = Topic(snapshot, chosen, taken, self.strictness, tally)
        try:
            await reading.check(self.topic, self.books)
        except TopicAway as error:
            tally.skip(_TOPIC, f"Kafka: {error}")
        return reading.seen
