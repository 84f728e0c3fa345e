"""What follows the log: the topic, and the notifications."""

from collections.abc import Mapping, Sequence

from tokenq.contract.notifications import LetterKind
from tokenq_server.domain.invariants.mail import Letters, check_mailables
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.domain.invariants.topic import Published, TopicRecord
from tokenq_server.services.verification.ports import DepartmentState, Snapshot, Snapshots, TopicReader, VerifyOptions


class Topic:
    """The topic, read once from its beginning to the end it had at the start."""

    def __init__(
        self,
        snapshot: Snapshot,
        chosen: Sequence[DepartmentState],
        taken: Mapping[int, int],
        options: VerifyOptions,
        tally: Tally,
    ) -> None:
        self._snapshot = snapshot
        self._chosen = chosen
        self._taken = taken
        self._options = options
        self._tally = tally
        self._heads: Mapping[str, int] = {}
        self._published: dict[str, Published] = {}
        self.seen: dict[str, int] = {}
        """The last seq that notify has processed, per department."""

    async def check(self, topic: TopicReader, snapshots: Snapshots) -> None:
        """Read and check the whole topic. Raises TopicAway."""
        spans = await topic.find_ends()
        lost = self._lost_departments({number: end for number, (_, end) in spans.items()})
        # Everything before these ends was committed earlier: a seq above these heads is forged.
        self._heads = await snapshots.heads()
        is_whole = not any(start for start, _ in spans.values())
        self._published = {
            department.id: Published(
                department.id,
                self._tally,
                self._due(department),
                is_whole,
                department.refilled_from,
                department.rewound_seq,
                department.rewritten_seq,
            )
            for department in self._chosen
        }
        async for records in topic.records():
            await self._take(records)
        for name, published in self._published.items():
            if name in lost:
                self._tally.skip(["K1"], "the topic has lost published records, and the relay is refilling it")
            else:
                published.end(self._options.allowed_duplicates)

    def _lost_departments(self, ends: Mapping[int, int]) -> set[str]:
        """Return the departments of which the topic ends before the relay's cursor, as after a broker restart."""
        if self._options.at_rest:
            return set()
        return {
            department.id
            for department in self._chosen
            if department.spot and department.spot[1] >= ends.get(department.spot[0], 0)
        }

    def _due(self, department: DepartmentState) -> int:
        return department.head.last_seq if self._options.at_rest else department.published

    async def _take(self, records: Sequence[TopicRecord]) -> None:
        await self._check_unreadable([record for record in records if record.department_id is None])
        mine = [record for record in records if record.department_id in self._published]
        payloads = await self._snapshot.payloads({(record.department_id or "", record.seq) for record in mine})
        for record in mine:
            name = record.department_id or ""
            if not 0 < record.seq <= self._heads.get(name, 0):
                sentence = f"Record {record.partition}/{record.offset} claims to be entry {record.seq}, of which"
                self._tally.check("K4", name, False, f"{sentence} the log has no trace.")
                continue
            payload, is_erased = payloads.get((name, record.seq), (None, False))
            self._published[name].take(record, payload, is_erased=is_erased)
            if record.offset < self._taken.get(record.partition, 0):
                self.seen[name] = max(self.seen.get(name, 0), record.seq)

    async def _check_unreadable(self, records: Sequence[TopicRecord]) -> None:
        processed = [record for record in records if record.offset < self._taken.get(record.partition, 0)]
        spots = [(record.partition, record.offset) for record in processed]
        buried = await self._snapshot.buried(spots) if spots else {}
        for record in processed:
            times = buried.get((record.partition, record.offset), 0)
            record_name = f"Record {record.partition}/{record.offset}"
            sentence = f"{record_name} cannot be read, and is {times} times in the dead-letter queue."
            self._tally.check("M4", "", times == 1, sentence)


async def check_mail(
    snapshot: Snapshot, chosen: Sequence[DepartmentState], seen: Mapping[str, int], options: VerifyOptions, tally: Tally
) -> None:
    """Check notifications against the log. ``seen`` is the last seq that notify has processed, per department."""
    by_id = {department.id: department for department in chosen}
    letters = Letters(tally)
    async for rows in snapshot.letters(list(by_id)):
        for row in rows:
            letters.take(row)
            if options.letters_settled and row.state in ("due", "sending"):
                tally.check("M1", row.department_id, False, f"{row.name} is still {row.state}.")

    def is_due(name: str, seq: int, kind: str) -> bool:
        """Whether notify has passed the entry, under the current rules."""
        department = by_id[name]
        is_processed = options.letters_settled or seq <= seen.get(name, 0)
        return (
            is_processed
            and seq > max(department.changed_seq, department.rewound_seq)
            and LetterKind(kind) in department.department.rules.letters
        )

    async for entries in snapshot.mailables(list(by_id)):
        check_mailables(entries, is_due, tally)
