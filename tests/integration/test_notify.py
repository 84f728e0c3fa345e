"""E-mails: nothing lost, nothing sent twice."""

import json
from typing import Any

import pytest

from tests.fakes import BY_EMAIL, ScriptedMailer, by_email
from tests.integration.notifying import enqueue_all, records_of, records_of_a_call, sending, until_settled
from tests.integration.test_verify import verified
from tests.people import ANN
from tests.servers import Servers
from tests.without_http import Core
from tokenq.contract.notifications import LetterKind
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.event_log import NOTIFY, PostgresEventLog
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.domain.commands import MarkNearTurn, TransferToken
from tokenq_server.notify import program
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.services.notifications import Attempt, BadRecord, RawRecord, Settlement, Verdict
from tokenq_server.services.requests import Request


async def test_issued_and_called_are_two_e_mails_in_that_order(core: Core, queue: PostgresNotificationQueue) -> None:
    """Also if the first one has to be tried again."""
    await queue.enqueue(*sort_out(await records_of_a_call(core)), BY_EMAIL)
    mailer = ScriptedMailer([Attempt(Verdict.RETRY, "450 try later")])
    async with sending(queue, by_email(mailer)):
        jobs = await until_settled(core)

    assert [(job["kind"], job["state"]) for job in jobs] == [("issued", "sent"), ("called", "sent")]
    assert [letter.subject for letter in mailer.emails][:2] != ["", ""]
    assert ["called" in letter.message_id for letter in mailer.emails] == [False, False, True]


async def test_a_corrected_address_gets_every_later_e_mail_and_violates_nothing(
    core: Core, queue: PostgresNotificationQueue, servers: Servers
) -> None:
    """Also the one that is queued already; what was sent before stays where it went."""
    name = await core.department()
    token, other = await core.issue(name, email="aad@example.com"), await core.issue(name)
    await queue.enqueue(*sort_out(await records_of(core)), BY_EMAIL)
    mailer = ScriptedMailer()
    async with sending(queue, by_email(mailer)):
        await until_settled(core)
        called = await core.call(name, name)
        await queue.enqueue(*sort_out((await records_of(core))[2:]), by_email(ScriptedMailer()))
        await core.move(token[0], Verb.EDIT, email="ada@example.com")
        await core.move(other[0], Verb.EDIT, email="eve@example.com")
        await core.move(called, Verb.SERVE)
        await queue.enqueue(*sort_out((await records_of(core))[3:]), BY_EMAIL)
        await until_settled(core)
    assert [letter.recipient for letter in mailer.emails][-1] == "ada@example.com"
    assert mailer.emails[0].recipient == "aad@example.com"
    assert (await verified(core, servers)).violations == {}
    await core.run("UPDATE mail_job SET recipient = 'aad@example.com' WHERE kind = 'served'")
    assert set((await verified(core, servers)).found) == {"M6"}, "what happened after the correction goes there"


async def test_a_damaged_correction_does_not_end_verify(
    core: Core, queue: PostgresNotificationQueue, servers: Servers
) -> None:
    name = await core.department()
    (token,) = await core.issue(name, email="aad@example.com")
    await enqueue_all(core, queue)
    await core.move(token, Verb.EDIT, email="ada@example.com")
    await core.run("UPDATE outbox SET payload = '{' WHERE event_type = 'TOKEN_EDITED'")

    assert "L4" in (await verified(core, servers)).found


async def test_records_that_come_twice_are_mailed_once(core: Core, queue: PostgresNotificationQueue) -> None:
    """Kafka delivers at least once; a mailbox must not notice."""
    records = await records_of_a_call(core)
    for _ in range(3):
        await queue.enqueue(*sort_out(records), BY_EMAIL)
    mailer = ScriptedMailer()
    async with sending(queue, by_email(mailer)):
        await until_settled(core)
    await queue.enqueue(*sort_out(records), BY_EMAIL)

    assert len(mailer.emails) == 2
    assert (await queue.claim("other", 10, BY_EMAIL)).to_send == []


async def test_two_senders_share_the_work(core: Core, queue: PostgresNotificationQueue) -> None:
    """Any number of senders; each e-mail once."""
    name = await core.department()
    await core.issue(name, 20, email="ada@example.com")
    await queue.enqueue(*sort_out(await records_of(core)), BY_EMAIL)
    first, second = ScriptedMailer(), ScriptedMailer()
    async with sending(queue, by_email(first)), sending(queue, by_email(second)):
        await until_settled(core)
    sent = [letter.message_id for letter in first.emails + second.emails]

    assert len(sent) == len(set(sent)) == 20


async def test_a_permanent_failure_is_a_dead_letter_that_can_be_retried(
    core: Core, queue: PostgresNotificationQueue
) -> None:
    """5xx: no retry, but nothing is lost; later e-mails are not delayed."""
    await queue.enqueue(*sort_out(await records_of_a_call(core)), BY_EMAIL)
    async with sending(queue, by_email(ScriptedMailer([Attempt(Verdict.PERMANENT, "550 no such user")]))):
        jobs = await until_settled(core)
        (dead,) = await queue.dead_letters()
        assert [job["state"] for job in jobs] == ["dead", "sent"]
        assert (dead.kind, dead.error) == ("issued", "550 no such user")

        assert await queue.revive(dead.dlq_id)
        assert [job["state"] for job in await until_settled(core)] == ["sent", "sent"]
    assert await queue.dead_letters() == []
    assert not await queue.revive(dead.dlq_id)


async def test_retries_end_in_the_dead_letter_queue(core: Core, queue: PostgresNotificationQueue) -> None:
    """A server that never accepts it: after the last attempt the e-mail is kept."""
    await queue.enqueue(*sort_out((await records_of_a_call(core))[:1]), BY_EMAIL)
    async with sending(queue, by_email(ScriptedMailer([Attempt(Verdict.RETRY, "421 busy")] * 9))):
        (job,) = await until_settled(core)

    assert (job["state"], job["attempts"]) == ("dead", 3)


async def test_an_unreadable_record_is_kept_with_its_offset(core: Core, queue: PostgresNotificationQueue) -> None:
    """A bad record must not block the partition, and must be findable."""
    poison = RawRecord("token-events", 2, 41, b"\xff{not json")
    nul = RawRecord("token-events", 2, 42, b'{"eventType":"TOKEN_GENERATED","departmentId":"C\\u0000W","tokenId":1}')
    assert len(sort_out([nul])[1]) == 1
    for _ in range(2):
        await queue.enqueue(*sort_out([poison, *await records_of_a_call(core)]), BY_EMAIL)
    bad = [entry for entry in await queue.dead_letters() if entry.raw is not None]

    assert [(entry.topic, entry.partition, entry.offset, entry.raw) for entry in bad] == [
        ("token-events", 2, 41, poison.value)
    ]
    assert [copy.raw for copy in await queue.uncopied(10)] == [poison.value]
    await queue.mark_copied([bad[0].dlq_id])
    assert await queue.uncopied(10) == []


async def test_a_retried_record_is_read_again_or_stays_dead(
    core: Core, queue: PostgresNotificationQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """'retry' must not drop what is still unreadable, nor lose what has become readable."""
    monkeypatch.setenv("TOKENQ_DATABASE_URL", core.dsn)
    (real, *_) = await records_of_a_call(core)
    good = RawRecord("token-events", 0, 5, real.value)
    await queue.enqueue(
        [], [BadRecord(good, "an older release"), BadRecord(RawRecord("t", 0, 6, b"{"), "no JSON")], BY_EMAIL
    )
    ids = [entry.dlq_id for entry in await queue.dead_letters()]

    assert await program.retry(ids) == 1
    assert [entry.offset for entry in await queue.dead_letters()] == [6]
    assert [job.kind for job in (await queue.claim("me", 10, BY_EMAIL)).to_send] == ["issued"]


async def test_a_forged_record_is_not_mailed(core: Core, queue: PostgresNotificationQueue) -> None:
    """The log in Postgres decides who gets an e-mail, not whoever can write to the topic."""
    (real, *_) = await records_of_a_call(core)
    forged = json.loads(real.value) | {"seq": 999, "email": "victim@example.com"}
    await queue.enqueue(*sort_out([RawRecord("token-events", 0, 7, json.dumps(forged).encode())]), BY_EMAIL)

    assert (await queue.claim("me", 10, BY_EMAIL)).to_send == []
    assert [entry.reason for entry in await queue.dead_letters()] == ["unknown event"]


@pytest.mark.parametrize("change", [{"eventType": "TOKEN_NO_SHOW"}, {"eventId": "another"}, {"data": {"a": "b"}}])
async def test_a_record_that_differs_from_its_entry_causes_no_e_mail(
    core: Core, queue: PostgresNotificationQueue, change: dict[str, Any]
) -> None:
    """With a real seq and token id: forged, or from a time that a restored database has lost."""
    (real, *_) = await records_of_a_call(core)
    changed = json.loads(real.value) | change
    await queue.enqueue(*sort_out([RawRecord("token-events", 0, 7, json.dumps(changed).encode())]), BY_EMAIL)

    assert (await queue.claim("me", 10, BY_EMAIL)).to_send == []
    assert [entry.reason for entry in await queue.dead_letters()] == ["unknown event"]


async def test_the_address_comes_from_the_token(core: Core, queue: PostgresNotificationQueue) -> None:
    """A record without the address (TOKENQ_EVENTS_EMAIL=omit), or with another one, changes nothing."""
    (real, *_) = await records_of_a_call(core)
    changed = json.loads(real.value) | {"email": "mallory@example.com"}
    await queue.enqueue(*sort_out([RawRecord("token-events", 0, 7, json.dumps(changed).encode())]), BY_EMAIL)
    (job,) = (await queue.claim("me", 10, BY_EMAIL)).to_send

    assert job.recipient == "ada@example.com"


async def test_the_e_mails_of_a_dead_sender_are_sent(core: Core, queue: PostgresNotificationQueue) -> None:
    """A lease ends; the next sender counts the e-mail as ambiguous and sends it with the same Message-ID."""
    await queue.enqueue(*sort_out((await records_of_a_call(core))[:1]), BY_EMAIL)
    (first,) = (await queue.claim("dead", 10, BY_EMAIL)).to_send
    assert (await queue.claim("other", 10, BY_EMAIL)).to_send == []
    await core.run("UPDATE mail_job SET lease_until = now() - interval '1 second'")
    (second,) = (await queue.claim("other", 10, BY_EMAIL)).to_send

    (channel,) = BY_EMAIL
    assert channel.render(first).message_id == channel.render(second).message_id
    await queue.settle([Settlement(first, Attempt(Verdict.SENT))], "dead")
    (row,) = await core.rows("SELECT state, ambiguous FROM mail_job")
    assert row == {"state": "sending", "ambiguous": 1}


async def test_each_kind_of_e_mail_is_sent_when_it_happens(core: Core, queue: PostgresNotificationQueue) -> None:
    """Issued with position and wait, near, called with the counter, missed; in that order."""
    name = await core.department()
    mailer = ScriptedMailer()
    async with sending(queue, by_email(mailer)):

        async def send_all() -> list[dict[str, object]]:
            await enqueue_all(core, queue)
            return await until_settled(core)

        await core.issue(name)
        (token,) = await core.issue(name, email="ada@example.com", near_turn=1)
        await send_all()
        await core.call(name, name)
        await core.commit.submit(Request(MarkNearTurn(name, ((token["tokenId"], 1),))))
        await send_all()
        called = await core.call(name, f"{name}-2")
        await send_all()
        await core.move(called, Verb.NO_SHOW)
        jobs = await send_all()

    assert [job["kind"] for job in jobs] == ["issued", "near", "called", "missed"]
    issued, near, called_letter, missed = mailer.emails
    assert "Your place in line: 2" in issued.text
    assert "Your place in line: 1" in near.text
    assert f"{name}-2" in called_letter.text
    assert f"{name}-002" in missed.text
    assert all(letter.html and letter.subject.endswith(f"{name}-002") for letter in mailer.emails)


async def test_a_department_can_turn_e_mails_off(core: Core, queue: PostgresNotificationQueue) -> None:
    """Some places want only one e-mail."""
    name = await core.department(letters=[LetterKind.CALLED])
    await core.issue(name, email="ada@example.com")
    await core.move(await core.call(name, name), Verb.SERVE)
    await queue.enqueue(*sort_out(await records_of(core)), BY_EMAIL)

    assert [row["kind"] for row in await core.rows("SELECT kind FROM mail_job")] == ["called"]


async def test_after_a_transfer_the_first_e_mail_is_still_the_first(
    core: Core, queue: PostgresNotificationQueue
) -> None:
    """Each department numbers its own entries: a smaller seq in another one is not earlier."""
    first, second = await core.department(), await core.department()
    await core.issue(first, 5)
    (token,) = await core.issue(first, email="ada@example.com")
    await core.do(TransferToken(first, ANN, token["tokenId"], second))
    await core.call(second, second)
    records = await records_of(core)
    for name in (second, first):
        await queue.enqueue(
            *sort_out([record for record in records if f'"departmentId":"{name}"'.encode() in record.value]), BY_EMAIL
        )

    assert [job.kind for job in (await queue.claim("me", 10, BY_EMAIL)).to_send] == ["issued"]


async def test_after_a_transfer_an_e_mail_waits_for_the_first_one_to_be_taken_in(
    core: Core, queue: PostgresNotificationQueue
) -> None:
    """The departments' records are in different partitions, and the later one may be faster."""
    first, second = await core.department(), await core.department()
    (token,) = await core.issue(first, email="ada@example.com")
    await core.do(TransferToken(first, ANN, token["tokenId"], second))
    await core.call(second, "3")
    records = await records_of(core)
    fast = [record for record in records if json.loads(record.value)["departmentId"] == second]
    await queue.enqueue(*sort_out(fast), BY_EMAIL)
    assert (await queue.claim("me", 10, BY_EMAIL)).to_send == []
    await core.run("UPDATE mail_job SET created_at = created_at - interval '9 minutes'")
    assert (await queue.claim("me", 10, BY_EMAIL)).to_send == []
    await core.run("UPDATE mail_job SET created_at = created_at - interval '2 minutes'")
    assert [job.kind for job in (await queue.claim("me", 10, BY_EMAIL)).to_send] == ["called"], "nobody waits for long"
    await core.run("UPDATE mail_job SET created_at = clock_timestamp(), state = 'due'")
    await queue.enqueue(*sort_out(records), BY_EMAIL)
    assert [job.kind for job in (await queue.claim("me", 10, BY_EMAIL)).to_send] == ["issued"]


@pytest.mark.parametrize("first_address", [None, "aad@example.com"])
async def test_after_a_transfer_no_e_mail_waits_for_one_that_had_no_address(
    core: Core, queue: PostgresNotificationQueue, first_address: str | None
) -> None:
    """The first record required none when it came, or may have: the address was given or corrected later."""
    first, second = await core.department(), await core.department()
    (token,) = await core.issue(first, email=first_address)
    if first_address:
        await core.move(token, Verb.EDIT, email="")
    await enqueue_all(core, queue)
    await core.move(token, Verb.EDIT, email="ada@example.com")
    await core.do(TransferToken(first, ANN, token["tokenId"], second))
    await core.call(second, second)
    records = await records_of(core)
    there = [record for record in records if json.loads(record.value)["departmentId"] == second]
    await queue.enqueue(*sort_out(there), BY_EMAIL)

    assert [job.kind for job in (await queue.claim("me", 10, BY_EMAIL)).to_send] == ["called"]


async def test_no_e_mail_waits_for_a_skipped_first_one(core: Core, queue: PostgresNotificationQueue) -> None:
    """It was switched off when its record came, and is on now: later e-mails show that it will not come."""
    first, second = await core.department(letters=[]), await core.department()
    (token,) = await core.issue(first, email="ada@example.com")
    await core.do(TransferToken(first, ANN, token["tokenId"], second))
    await core.serve(second, "3")
    taken = {record.value for record in await records_of(core)}
    await queue.enqueue(*sort_out(await records_of(core)), BY_EMAIL)
    await core.run("UPDATE department SET rules = rules - 'letters'")
    assert (await queue.claim("me", 10, BY_EMAIL)).to_send == [], "nothing tells yet that the record was passed"
    await core.issue(first, email="bob@example.com")
    await queue.enqueue(*sort_out([record for record in await records_of(core) if record.value not in taken]), BY_EMAIL)

    assert sorted(job.kind for job in (await queue.claim("me", 10, BY_EMAIL)).to_send) == ["issued", "served"]


async def test_notify_is_missed_only_where_an_e_mail_may_be_due(core: Core, queue: PostgresNotificationQueue) -> None:
    """A place without e-mails need not run it, and must not be degraded for ever."""
    log, database = PostgresEventLog(core.dsn, "tokenq-test"), Database(core.dsn, size=1, name=NOTIFY)
    try:
        name, quiet = await core.department(letters=[LetterKind.CALLED]), await core.department(letters=[])
        await core.issue(name)
        await core.issue(quiet, email="bob@example.com")
        assert await log.notify_status() == (False, False)
        await core.issue(name, email="ada@example.com")
        assert await log.notify_status() == (False, True)
        await core.serve(name, "1"), await core.move(await core.call(name, "1"), Verb.NO_SHOW)
        assert await log.notify_status() == (False, False)
        (token,) = await core.issue(name, email="ada@example.com")
        await core.call(name, "1")
        await enqueue_all(core, queue)
        await core.run("UPDATE token SET state = 'SERVED' WHERE token_id = %s", token["tokenId"])
        assert await log.notify_status() == (False, True), "one is queued"
        await database.ping()
        assert await log.notify_status() == (True, True)
    finally:
        await log.close()
        await database.close()
