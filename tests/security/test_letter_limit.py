"""Nobody's mailbox is flooded with our letters. Row 41."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.fakes import ScriptedMailer, by_email
from tests.integration.notifying import IMPATIENT, enqueue_all
from tests.servers import Running
from tests.valkeys import OwnValkey
from tests.without_http import Core
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.adapters.redis.rate_counts import open_counts
from tokenq_server.notify.program import _view
from tokenq_server.notify.sender import Sender
from tokenq_server.services.letter_limit import LetterLimit
from tokenq_server.services.notifications import Attempt, Job, Verdict
from tokenq_server.services.rate_limits import RateLimits
from tokenq_server.services.verification.ports import VerifyOptions
from tokenq_server.services.verification.verifier import Verifier


@pytest.fixture
async def queue(core: Core) -> AsyncIterator[PostgresNotificationQueue]:
    database = Database(core.dsn, size=3)
    yield PostgresNotificationQueue(database, most_records=1000)
    await database.close()


async def settle_all(
    core: Core,
    queue: PostgresNotificationQueue,
    mailer: ScriptedMailer,
    redis_url: str,
    per_hour: int = 5,
    machines: int = 2,
) -> None:
    """Send with so many senders, each as on a machine of its own, until nothing is due."""
    limits = [RateLimits(open_counts(redis_url, timeout=2.0)) for _ in range(machines)]
    stop = asyncio.Event()
    senders = [
        asyncio.create_task(Sender(queue, by_email(mailer), stop, IMPATIENT, LetterLimit(each, per_hour)).run())
        for each in limits
    ]
    async with asyncio.timeout(30):
        while await core.rows("SELECT 1 FROM mail_job WHERE state IN ('due', 'sending')"):
            await asyncio.sleep(0.02)
    stop.set()
    await asyncio.gather(*senders)
    for each in limits:
        await each.close()


async def states(core: Core) -> dict[str, int]:
    """How many notifications are in which state."""
    rows = await core.rows("SELECT state, count(*) AS number FROM mail_job GROUP BY state")
    return {row["state"]: row["number"] for row in rows}


async def test_an_address_gets_so_many_letters_an_hour(
    core: Core, queue: PostgresNotificationQueue, own_valkey: Running[OwnValkey]
) -> None:
    """L7: the issuer notices nothing; what is suppressed is a dead letter that says so. Others get theirs."""
    name, mailer = await core.department(), ScriptedMailer()
    issued = [(await core.issue(name, email=f"{victim}@example.com"))[0] for victim in ("Victim", "victim") * 6]
    assert [token["tokenNo"] for token in issued] == list(range(1, 13))
    await core.issue(name, email="ada@example.com")
    await enqueue_all(core, queue)
    await settle_all(core, queue, mailer, own_valkey.server.url)
    assert await states(core) == {"sent": 6, "dead": 7}
    assert (
        sorted(email.recipient.lower() for email in mailer.emails) == ["ada@example.com"] + ["victim@example.com"] * 5
    )
    letters = [_view(letter) for letter in await queue.dead_letters()]
    assert {letter["reason"] for letter in letters} == {"expired(rate): This address gets at most 5 e-mails an hour."}
    assert {(letter["kind"], letter["departmentId"]) for letter in letters} == {("issued", name)}


async def test_what_was_suppressed_can_be_retried_and_verifies(
    core: Core, queue: PostgresNotificationQueue, own_valkey: Running[OwnValkey]
) -> None:
    """By ``tokenq notify dlq retry``, when the hour is over; before that it is suppressed again."""
    name, mailer = await core.department(), ScriptedMailer()
    await core.issue(name, 3, email="ada@example.com")
    await enqueue_all(core, queue)
    await settle_all(core, queue, mailer, own_valkey.server.url, per_hour=2)
    (letter,) = await queue.dead_letters()
    assert await queue.revive(letter.dlq_id)
    await settle_all(core, queue, mailer, own_valkey.server.url, per_hour=2)
    assert await states(core) == {"sent": 2, "dead": 1}
    tally = await Verifier(PostgresSnapshots(core.dsn), None, None, VerifyOptions(letters_settled=True)).run()
    assert tally.violations == {}
    with own_valkey.server.client() as client:
        client.flushall()  # an hour later
    (letter,) = await queue.dead_letters()
    assert await queue.revive(letter.dlq_id)
    await settle_all(core, queue, mailer, own_valkey.server.url, per_hour=2)
    assert await states(core) == {"sent": 3}


async def test_an_address_counts_that_a_letter_really_goes_to(
    core: Core, queue: PostgresNotificationQueue, own_valkey: Running[OwnValkey]
) -> None:
    """Issued for one address and corrected to another one, it is a letter to that."""
    name, mailer = await core.department(), ScriptedMailer()
    tokens = [(await core.issue(name, email=f"nobody{number}@example.com"))[0] for number in range(4)]
    await enqueue_all(core, queue)
    for token in tokens:
        await core.move(token, Verb.EDIT, email="victim@example.com")
    await settle_all(core, queue, mailer, own_valkey.server.url, per_hour=2)
    assert [email.recipient for email in mailer.emails] == ["victim@example.com"] * 2


JOB = Job("CW", 1, "issued", "email", 1, "ada@example.com", {}, None, "Cash", 1)
SUPPRESSED = Attempt(Verdict.SUPPRESSED, "This address gets at most 1 e-mails an hour.")


async def test_a_retry_is_the_same_letter_and_other_channels_have_no_limit(own_valkey: Running[OwnValkey]) -> None:
    limits = RateLimits(open_counts(own_valkey.server.url, timeout=2.0))
    limit = LetterLimit(limits, 1)
    assert await limit.suppressed([JOB]) == [None]
    assert await limit.suppressed([replace(JOB, attempts=number) for number in (2, 3, 4)]) == [None] * 3
    assert await limit.suppressed([replace(JOB, channel="webhook")]) == [None]
    assert await limit.suppressed([JOB]) == [SUPPRESSED]
    await limits.close()


@pytest.mark.parametrize("is_there", [True, False])
async def test_each_of_a_bundle_is_counted_by_its_own_address(
    own_valkey: Running[OwnValkey], *, is_there: bool
) -> None:
    """Equal ones one after the other, whether or not Redis counts them."""
    if not is_there:
        own_valkey.kill()
    limits = RateLimits(open_counts(own_valkey.server.url, timeout=2.0))
    limit, other = LetterLimit(limits, 1), replace(JOB, recipient="bob@example.com")
    bundle = [replace(JOB, attempts=2), JOB, JOB, other, replace(JOB, channel="webhook"), other]
    assert await limit.suppressed(bundle) == [None, None, SUPPRESSED, None, None, SUPPRESSED]
    assert await LetterLimit(limits, 0).suppressed(bundle) == [None] * 6
    await limits.close()


async def test_what_is_given_back_was_not_counted(
    core: Core, queue: PostgresNotificationQueue, own_valkey: Running[OwnValkey]
) -> None:
    """A letter is counted when it is claimed; a notify that stops must not use up its address for the next one."""
    name, mailer, stop = await core.department(), ScriptedMailer(), asyncio.Event()
    await core.issue(name, 3, email="ada@example.com")
    await enqueue_all(core, queue)
    limits = RateLimits(open_counts(own_valkey.server.url, timeout=2.0))
    stopping = Sender(queue, by_email(mailer), stop, IMPATIENT, LetterLimit(limits, 2))
    stop.set()
    for _ in range(3):
        await stopping._send_all((await queue.claim(stopping._owner, 64, by_email(mailer))).to_send)
    await limits.close()
    assert (mailer.emails, await states(core)) == ([], {"due": 3})
    await settle_all(core, queue, mailer, own_valkey.server.url, per_hour=2)
    assert (len(mailer.emails), await states(core)) == (2, {"sent": 2, "dead": 1})


async def test_without_redis_letters_are_limited_too(
    core: Core, queue: PostgresNotificationQueue, own_valkey: Running[OwnValkey]
) -> None:
    """Row 33: and none is lost or late for it."""
    own_valkey.kill()
    name, mailer = await core.department(), ScriptedMailer()
    await core.issue(name, 12, email="ada@example.com")
    await enqueue_all(core, queue)
    await settle_all(core, queue, mailer, own_valkey.server.url, machines=1)
    assert await states(core) == {"sent": 5, "dead": 7}
