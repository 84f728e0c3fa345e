"""Notify's enqueuer: what goes wrong with one record alone is one dead letter; a store that is away is waited for."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.fakes import BY_EMAIL
from tests.hostile_records import written
from tests.refusals import refusal
from tokenq.contract.problems import ProblemCode
from tokenq_server.notify.enqueuer import Enqueuer
from tokenq_server.services.notifications import BadRecord, Channels, NewJob, RawRecord


class OneByOne:
    """A consumer that hands out each of these records once and remembers what was dealt with."""

    def __init__(self, records: Sequence[RawRecord], stop: asyncio.Event) -> None:
        self.left = list(records)
        self.committed: list[RawRecord] = []
        self._stop = stop

    async def take(self, limit: int, seconds: float) -> list[RawRecord]:
        taken, self.left = self.left[:limit], self.left[limit:]
        if not taken:
            self._stop.set()
        return taken

    async def commit(self, records: Sequence[RawRecord]) -> None:
        self.committed += records

    async def close(self) -> None:
        return


class FailingQueue:
    """A primary queue in memory that fails as a database may fail because of one record."""

    def __init__(self, hurts: bytes, error: Exception) -> None:
        self._hurts, self._error = hurts, error
        self.jobs: dict[RawRecord, NewJob] = {}
        self.bad: dict[RawRecord, BadRecord] = {}

    async def enqueue(self, jobs: Sequence[NewJob], bad: Sequence[BadRecord], channels: Channels) -> int:
        if any(self._hurts == job.source.value for job in jobs):
            raise self._error
        self.jobs |= {job.source: job for job in jobs}
        self.bad |= {one.source: one for one in bad}
        return len(jobs)

    async def uncopied(self, limit: int) -> list[Any]:
        return []

    async def mark_copied(self, dlq_ids: Sequence[int]) -> None:
        return


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("unforeseen"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
        RecursionError(),
        refusal(ProblemCode.INVALID, "The database cannot hold these values."),
        refusal(ProblemCode.IN_USE, "Something else still refers to this."),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_of_one_record_alone_is_one_dead_letter(error: Exception) -> None:
    """Foreseen or not; the letters before and behind it are queued, and nothing comes again."""
    values = [written(seq=seq) for seq in range(1, 8)]
    records = [RawRecord("token-events", 0, offset, value) for offset, value in enumerate(values)]
    stop = asyncio.Event()
    consumer, queue = OneByOne(records, stop), FailingQueue(values[3], error)
    await Enqueuer(consumer, queue, BY_EMAIL, stop).run()  # type: ignore[arg-type]

    assert [record.offset for record in queue.jobs] == [0, 1, 2, 4, 5, 6]
    assert [record.offset for record in queue.bad] == [3]
    assert "2026-08-07" not in queue.bad[records[3]].error
    assert consumer.committed == records


@pytest.mark.parametrize("code", [ProblemCode.UNAVAILABLE, ProblemCode.SCHEMA_BEHIND, ProblemCode.SCHEMA_AHEAD])
async def test_a_store_that_is_away_makes_no_dead_letter(monkeypatch: pytest.MonkeyPatch, code: ProblemCode) -> None:
    """Every record would be one, and every letter late for ever."""
    monkeypatch.setattr("tokenq_server.notify.enqueuer._RETRY_SECONDS", 0.001)
    records = [RawRecord("token-events", 0, offset, written(seq=offset + 1)) for offset in range(3)]
    stop = asyncio.Event()
    codes = [code, code]

    class Away(FailingQueue):
        async def enqueue(self, jobs: Sequence[NewJob], bad: Sequence[BadRecord], channels: Channels) -> int:
            if codes:
                raise refusal(codes.pop(), "Not now.")
            return await super().enqueue(jobs, bad, channels)

    queue = Away(b"", RuntimeError())
    await Enqueuer(OneByOne(records, stop), queue, BY_EMAIL, stop).run()  # type: ignore[arg-type]

    assert (len(queue.jobs), queue.bad) == (3, {})


async def test_an_offset_is_committed_only_when_its_rows_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 63. Killed in between, notify gets the records again; the other way round, their letters would be lost."""
    monkeypatch.setattr("tokenq_server.notify.enqueuer._RETRY_SECONDS", 0.001)
    records = [RawRecord("token-events", 0, 0, written()), RawRecord("token-events", 0, 1, b"no event")]
    stop = asyncio.Event()
    steps: list[str] = []

    class Watched(OneByOne):
        async def commit(self, records: Sequence[RawRecord]) -> None:
            steps.append("committed")

    class AwayOnce(FailingQueue):
        async def enqueue(self, jobs: Sequence[NewJob], bad: Sequence[BadRecord], channels: Channels) -> int:
            if not steps:
                steps.append("away")
                raise refusal(ProblemCode.UNAVAILABLE, "Not now.")
            steps.append("stored")
            return await super().enqueue(jobs, bad, channels)

    queue = AwayOnce(b"", RuntimeError())
    await Enqueuer(Watched(records, stop), queue, BY_EMAIL, stop).run()  # type: ignore[arg-type]

    assert steps == ["away", "stored", "committed"]
    assert (list(queue.jobs), list(queue.bad)) == ([records[0]], [records[1]])


async def test_where_no_dead_letter_can_be_kept_the_store_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that may not be written is no record's fault: nothing is passed by."""
    monkeypatch.setattr("tokenq_server.notify.enqueuer._RETRY_SECONDS", 0.001)
    records = [RawRecord("token-events", 0, 0, written())]
    stop = asyncio.Event()
    tries: list[int] = []

    class Shut(FailingQueue):
        async def enqueue(self, jobs: Sequence[NewJob], bad: Sequence[BadRecord], channels: Channels) -> int:
            tries.append(len(bad))
            if len(tries) < 7:
                raise RuntimeError("may not be written")
            return await super().enqueue(jobs, bad, channels)

    queue, consumer = Shut(b"", RuntimeError()), OneByOne(records, stop)
    await Enqueuer(consumer, queue, BY_EMAIL, stop).run()  # type: ignore[arg-type]

    assert tries == [0, 1] * 3 + [0]
    assert (len(queue.jobs), queue.bad, consumer.committed) == (1, {}, records)
