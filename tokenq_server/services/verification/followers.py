"""What follows the log: the topic, and the letters."""

from collections.abc import Mapping, Sequence

from tokenq.contract.notifications import LetterKind
from tokenq_server.domain.invariants.mail import Letters, check_mailables
from tokenq_server.domain.invariants.tally import Tally
from tokenq_server.domain.invariants.topic import Published, TopicRecord
from tokenq_server.services.verification.ports import Books, Held, Snapshot, Strictness, TopicReader


class Topic:
    """The topic, read once from its beginning to the end it had when that began."""

    def __init__(
        self, snapshot: Snapshot, chosen: Sequence[Held], taken: Mapping[int, int], strictness: Strictness, tally: Tally
    ) -> None:
        self._snapshot = snapshot
        self._chosen = chosen
        self._taken = taken
        self._strictness = strictness
        self._tally = tally
        self._heads: Mapping[str, int] = {}
        self._published: dict[str, Published] = {}
        self.seen: dict[str, int] = {}
        """Per department, the last seq that notify has dealt with."""

    async def check(self, topic: TopicReader, books: Books) -> None:
        """Read and check all of it. Raises TopicAway."""
        spans = await topic.find_ends()
        lost = self._lost({number: end for number, (_, end) in spans.items()})
        # What lies before these ends was committed before now: a seq above these heads is a forgery.
        self._heads = await books.heads()
        is_whole = not any(start for start, _ in spans.values())
        self._published = {
            held.id: Published(
                held.id,
                self._tally,
                self._due(held),
                is_whole,
                held.refilled_from,
                held.rewound_seq,
                held.rewritten_seq,
            )
            for held in self._chosen
        }
        async for records in topic.records():
            await self._take(records)
        for name, published in self._published.items():
            if name in lost:
                self._tally.skip(["K1"], "the topic has lost what was published, and a relay fills it again")
            else:
                published.end(self._strictness.allowed_duplicates)

    def _lost(self, ends: Mapping[int, int]) -> set[str]:
        """Departments of which the topic ends before what the relay has noted, as after a broker's new start."""
        if self._strictness.at_rest:
            return set()
        return {held.id for held in self._chosen if held.spot and held.spot[1] >= ends.get(held.spot[0], 0)}

    def _due(self, held: Held) -> int:
        return held.head.last_seq if self._strictness.at_rest else held.published

    async def _take(self, records: Sequence[TopicRecord]) -> None:
        await self._check_unreadable([record for record in records if record.department_id is None])
        mine = [record for record in records if record.department_id in self._published]
        payloads = await self._snapshot.payloads({(record.department_id or "", record.seq) for record in mine})
        for record in mine:
            name = record.department_id or ""
            if not 0 < record.seq <= self._heads.get(name, 0):
                sentence = f"Record {record.partition}/{record.offset} claims to be entry {record.seq}, of which"
                self._tally.check("K4", name, False, f"{sentence} the log knows nothing.")
                continue
            self._published[name].take(record, payloads.get((name, record.seq)))
            if record.offset < self._taken.get(record.partition, 0):
                self.seen[name] = max(self.seen.get(name, 0), record.seq)

    async def _check_unreadable(self, records: Sequence[TopicRecord]) -> None:
        passed = [one for one in records if one.offset < self._taken.get(one.partition, 0)]
        buried = await self._snapshot.buried([(one.partition, one.offset) for one in passed]) if passed else {}
        for one in passed:
            times = buried.get((one.partition, one.offset), 0)
            sentence = f"Record {one.partition}/{one.offset} cannot be read, and lies {times} times in the queue."
            self._tally.check("M4", "", times == 1, sentence)


async def check_mail(
    snapshot: Snapshot, chosen: Sequence[Held], seen: Mapping[str, int], strictness: Strictness, tally: Tally
) -> None:
    """Hold letters against the log. ``seen``: per department, the last seq that notify has dealt with."""
    here = {held.id: held for held in chosen}
    letters = Letters(tally)
    async for rows in snapshot.letters(list(here)):
        for row in rows:
            letters.take(row)
            if strictness.letters_settled and row.state in ("due", "sending"):
                tally.check("M1", row.department_id, False, f"{row.name} is still {row.state}.")

    def is_wanted(name: str, seq: int, kind: str) -> bool:
        """Whether notify has passed the entry, under the rules that hold now."""
        held = here[name]
        is_passed = strictness.letters_settled or seq <= seen.get(name, 0)
        return (
            is_passed
            and seq > max(held.changed_seq, held.rewound_seq)
            and LetterKind(kind) in held.department.rules.letters
        )

    async for entries in snapshot.mailables(list(here)):
        check_mailables(entries, is_wanted, tally)
