"""Bugs injected into the relay and notify, on real stores: the checker must name each, and nothing without them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.mutants import Post, Stores, assert_seen, both_ways, relay_until_caught_up
from tests.servers import Running
from tokenq_server import failpoints
from tokenq_server.adapters.kafka.consumer import KafkaConsumer
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.embedded.broker import Broker
from tokenq_server.notify.enqueuer import Enqueuer, sort_out
from tokenq_server.relay import Relay
from tokenq_server.services.notifications import ClaimedJobs, RawRecord
from tokenq_server.services.publishing import Tail


class HopefulRelay(Relay):
    """Moves the cursor before it publishes."""

    async def _publish_some(self) -> bool:
        entries = await self._log.unpublished(500)
        if entries:
            cursors = await self._log.cursors()
            latest = {entry.department_id: replace(cursors[entry.department_id], seq=entry.seq) for entry in entries}
            await self._log.set_cursors(latest)
            failpoints.reach("relay.published")
            await self._topic.publish(entries)
        return bool(entries)


class ForgetfulTopic(KafkaTopic):
    """Does not read the end of the topic."""

    async def read_back(self, last_offsets: dict[int, int]) -> Tail:
        return Tail({}, set())


@both_ways
@pytest.mark.parametrize("bug", ["cursor before flush", "no read-back"])
async def test_relay(stores: Stores, broker: Running[Broker], bug: str, is_mutant: bool) -> None:
    """A relay dies between publishing and moving its cursor, in whichever order it does that."""
    is_hopeful = is_mutant and bug == "cursor before flush"
    kinds: dict[str, Any] = {
        "relay": HopefulRelay if is_hopeful else Relay,
        "topic": ForgetfulTopic if is_mutant and not is_hopeful else KafkaTopic,
    }
    async with stores.office() as office:
        name = await office.department()
        for _ in range(5):
            await office.issue(name)
        failpoints.arm("relay.published=raise")
        await relay_until_caught_up(stores, broker, **kinds)
        failpoints.arm("")
        await office.issue(name)
    await relay_until_caught_up(stores, broker, **kinds)
    report = await stores.check(kafka_bootstrap=broker.server.bootstrap, allowed_duplicates=0)

    assert_seen(report, "K1" if bug == "cursor before flush" else "K4", is_mutant)


class AutoCommittingConsumer(KafkaConsumer):
    """Commits offsets as it polls, as consumers do by default."""

    async def take(self, limit: int, seconds: float) -> list[RawRecord]:
        records = await super().take(limit, seconds)
        if records:
            await self.commit(records)
        return records


@both_ways
async def test_consumer_auto_commit(post: Post, is_mutant: bool) -> None:
    """Notify dies while it holds records; they are never delivered again."""
    async with post.stores.office() as office:
        await post.fill(office)
    broken: dict[str, Any] = {"consumer": AutoCommittingConsumer} if is_mutant else {}
    failpoints.arm("notify.taken=raise")
    await post.notify(**broken)
    failpoints.arm("")
    await post.notify(**broken)

    assert_seen(await post.check(), "M1", is_mutant)


class LateBuryingEnqueuer(Enqueuer):
    """Writes dead letters after it has committed the offsets."""

    async def _keep(self, records: list[RawRecord]) -> None:
        jobs, bad = sort_out(records)
        await self._queue.enqueue(jobs, [], self._channels)
        await self._consumer.commit(records)
        failpoints.reach("notify.rows_kept")
        await self._queue.enqueue([], bad, self._channels)


@both_ways
async def test_dead_letter_after_offset_commit(post: Post, is_mutant: bool) -> None:
    """Notify dies between the two; the unreadable record is lost."""
    async with post.stores.office() as office:
        await post.fill(office, b"\xff{not json")
    broken: dict[str, Any] = {"enqueuer": LateBuryingEnqueuer} if is_mutant else {}
    failpoints.arm("notify.rows_kept=raise")
    await post.notify(**broken)
    failpoints.arm("")
    await post.notify(**broken)

    assert_seen(await post.check(), "M4", is_mutant)


class ForgetfulQueue(PostgresNotificationQueue):
    """Remembers what it has enqueued only in memory."""

    def __init__(self, database: Database, most_records: int) -> None:
        super().__init__(database, most_records)
        self._seen: set[tuple[str, int, str]] = set()

    async def enqueue(self, jobs: Any, bad: Any, channels: Any) -> int:
        fresh = [job for job in jobs if (job.department_id, job.seq, job.kind) not in self._seen]
        self._seen |= {(job.department_id, job.seq, job.kind) for job in fresh}
        return await super().enqueue(fresh, bad, channels) + len(jobs) - len(fresh)


@both_ways
async def test_deduplication_in_memory_only(post: Post, is_mutant: bool) -> None:
    """Notify dies after the rows and before the offsets; the next one queues the e-mails again."""
    async with post.stores.office() as office:
        await post.fill(office)
    if is_mutant:
        # The primary key prevents duplicates; the bug does harm only without it.
        await post.stores.rows("ALTER TABLE mail_job DROP CONSTRAINT mail_job_pkey CASCADE")
    broken: dict[str, Any] = {"queue": ForgetfulQueue} if is_mutant else {}
    failpoints.arm("notify.rows_kept=raise")
    await post.notify(**broken)
    failpoints.arm("")
    await post.notify(**broken)

    assert_seen(await post.check(), "M2", is_mutant)


class ImpatientQueue(PostgresNotificationQueue):
    """A lease that ends before the e-mail is sent: a slow sender is not waited for."""

    def __init__(self, database: Database, most_records: int) -> None:
        super().__init__(database, most_records)
        self._claims = 0
        self._is_taken_over = asyncio.Event()

    async def claim(self, owner: str, limit: int, channels: Any) -> ClaimedJobs:
        claimed = await super().claim(owner, limit, channels)
        if not claimed.to_send:
            return claimed
        self._claims += 1
        if self._claims == 1:
            async with self._database.begin() as connection:
                await connection.execute("UPDATE mail_job SET lease_until = '-infinity' WHERE state = 'sending'")
            await self._is_taken_over.wait()
        elif any(job.attempts > 1 for job in claimed.to_send):  # not the rest, which came in later
            self._is_taken_over.set()
        return claimed


@both_ways
async def test_a_lease_too_short(post: Post, is_mutant: bool) -> None:
    """Two senders hold the same e-mail. Notify counts it as doubtful, but no fault explains it."""
    async with post.stores.office() as office:
        await post.fill(office)
    await post.notify(senders=2, **({"queue": ImpatientQueue} if is_mutant else {}))
    (doubtful,) = await post.stores.rows("SELECT sum(ambiguous) FROM mail_job")

    assert (doubtful[0] > 0) is is_mutant
    assert_seen(await post.check(), "M2", is_mutant)
