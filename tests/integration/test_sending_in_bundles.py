"""Many notifications are claimed and settled at once; what is not begun in time is given back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from tests.fakes import BY_EMAIL, ScriptedMailer, by_email
from tests.integration.notifying import IMPATIENT, enqueue_all, until_settled
from tests.without_http import Core
from tokenq_server.adapters.channels.email import Email
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import SESSION, PostgresNotificationQueue
from tokenq_server.notify import sender
from tokenq_server.notify.sender import Sender
from tokenq_server.services.notifications import Attempt, Channels, ClaimedJobs, Settlement, Verdict


class Watched(PostgresNotificationQueue):
    """Remembers how many were claimed, settled and given back at once."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, 1000)
        self.claims: list[tuple[int, int]] = []
        self.settled: list[int] = []
        self.given_back = 0

    async def claim(self, owner: str, limit: int, channels: Channels) -> ClaimedJobs:
        claimed = await super().claim(owner, limit, channels)
        self.claims.append((limit, len(claimed)))
        return claimed

    async def settle(self, settlements: Sequence[Settlement], owner: str) -> None:
        self.settled.append(len(settlements))
        await super().settle(settlements, owner)

    async def give_back(self, jobs: Any, owner: str) -> None:
        self.given_back += len(jobs)
        await super().give_back(jobs, owner)


class SlowMailer(ScriptedMailer):
    """Sends when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.begun = asyncio.Event(), 0

    async def send(self, email: Email) -> Attempt:
        self.begun += 1
        await self.go.wait()
        return await super().send(email)


@pytest.fixture
async def queue(core: Core) -> AsyncIterator[Watched]:
    database = Database(core.dsn, size=4, session=SESSION)
    yield Watched(database)
    await database.close()


async def letters(core: Core, queue: Watched, count: int) -> None:
    """Queue letters of as many customers."""
    name = await core.department()
    for number in range(count):
        await core.issue(name, email=f"ada{number}@example.com")
    await enqueue_all(core, queue)


async def test_bites_grow_while_they_come_full_and_are_settled_together(core: Core, queue: Watched) -> None:
    await letters(core, queue, 40)
    mailer, stop = ScriptedMailer(), asyncio.Event()
    task = asyncio.create_task(Sender(queue, by_email(mailer), stop, IMPATIENT).run())
    jobs = await until_settled(core)
    stop.set()
    await task

    assert {job["state"] for job in jobs} == {"sent"}
    assert len(mailer.emails) == 40
    assert [claim for claim in queue.claims if claim[1]] == [(8, 8), (16, 16), (32, 16)]
    assert (sum(queue.settled), max(queue.settled) > 1) == (40, True)


async def test_at_most_eight_are_sent_at_once_and_the_rest_is_given_back_at_the_end(core: Core, queue: Watched) -> None:
    await letters(core, queue, 24)
    quick, stop = ScriptedMailer(), asyncio.Event()
    first = asyncio.create_task(Sender(queue, by_email(quick), stop, IMPATIENT).run())
    await until_settled(core)
    stop.set()
    await first

    await letters(core, queue, 30)
    mailer, stop = SlowMailer(), asyncio.Event()
    slow = Sender(queue, by_email(mailer), stop, IMPATIENT)
    claimed = await queue.claim("other", 64, BY_EMAIL)
    await queue.give_back(claimed.to_send, "other")
    sending = asyncio.create_task(slow._send_all((await queue.claim(slow._owner, 64, BY_EMAIL)).to_send))
    await asyncio.sleep(0.1)
    assert mailer.begun == 8
    stop.set()
    mailer.go.set()
    await sending

    rows = await core.rows("SELECT state, attempts, count(*) FROM mail_job GROUP BY 1, 2 ORDER BY 1, 2")
    assert [(row["state"], row["attempts"], row["count"]) for row in rows] == [("due", 0, 22), ("sent", 1, 32)]


async def test_what_is_not_begun_in_time_is_given_back_to_whoever_is_quicker(
    core: Core, queue: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease could end while it is sent, and another would send it, too."""
    await letters(core, queue, 12)
    monkeypatch.setattr(sender, "_BEGUN_WITHIN", -1.0)
    mailer = ScriptedMailer()
    slow = Sender(queue, by_email(mailer), asyncio.Event(), IMPATIENT)
    await slow._send_all((await queue.claim(slow._owner, 64, BY_EMAIL)).to_send)
    assert (mailer.emails, queue.given_back) == ([], 12)
    assert len(await queue.claim("other", 64, BY_EMAIL)) == 12


async def test_only_who_leases_a_notification_settles_it_or_gives_it_back(core: Core, queue: Watched) -> None:
    await letters(core, queue, 2)
    one, two = (await queue.claim("me", 64, BY_EMAIL)).to_send
    await queue.settle([Settlement(one, Attempt(Verdict.SENT)), Settlement(two, Attempt(Verdict.SENT))], "other")
    await queue.give_back([one, two], "other")
    assert {row["state"] for row in await core.rows("SELECT state FROM mail_job")} == {"sending"}


async def test_each_of_a_bundle_is_stored_as_what_became_of_it(core: Core, queue: Watched) -> None:
    await letters(core, queue, 3)
    sent, later, dead = (await queue.claim("me", 64, BY_EMAIL)).to_send
    await queue.settle(
        [
            Settlement(sent, Attempt(Verdict.SENT)),
            Settlement(later, Attempt(Verdict.RETRY, "450 later", is_ambiguous=True), 60.0),
            Settlement(dead, Attempt(Verdict.PERMANENT, "550 no\0 \ud800")),
        ],
        "me",
    )
    rows = await core.rows("SELECT state, last_error, ambiguous, due_at > now() AS waits FROM mail_job ORDER BY seq")
    assert [tuple(row.values()) for row in rows] == [
        ("sent", None, 0, False),
        ("due", "450 later", 1, True),
        ("dead", "550 no? ?", 0, False),
    ]
    assert [letter.error for letter in await queue.dead_letters()] == ["550 no? ?"]
