"""Letters: nothing lost, nothing sent twice, nobody's text in a header."""

import asyncio
import email
import email.policy
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.fakes import BY_EMAIL, ScriptedMailer, by_email
from tests.servers import Servers
from tests.without_http import Core, open_core
from tokenq.contract.notifications import LetterKind
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.channels.email import Email, EmailChannel
from tokenq_server.adapters.channels.eml_folder import EmlFolder
from tokenq_server.adapters.channels.smtp import SmtpMailer
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.domain.commands import TellNear, TransferToken
from tokenq_server.embedded.ports import free_port
from tokenq_server.notify import program
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.notify.sender import RetryPolicy, Sender
from tokenq_server.services.notifications import Attempt, BadRecord, Channels, Job, RawRecord, Verdict
from tokenq_server.services.requests import Request

IMPATIENT = RetryPolicy((0.01, 0.01))


@pytest.fixture
async def core(servers: Servers, fresh_database: Callable[..., str], schema: str) -> AsyncIterator[Core]:
    async with open_core(fresh_database(schema), servers.redis_url) as opened:
        yield opened


@pytest.fixture
async def queue(core: Core) -> AsyncIterator[PostgresNotificationQueue]:
    database = Database(core.dsn, size=3)
    yield PostgresNotificationQueue(database)
    await database.close()


async def records_of(core: Core) -> list[RawRecord]:
    """The whole log as it would lie in the topic."""
    rows = await core.rows("SELECT payload FROM outbox WHERE token_id > 0 ORDER BY department_id, seq")
    return [RawRecord("token-events", 0, offset, row["payload"].encode()) for offset, row in enumerate(rows)]


async def visited(core: Core, **more: str) -> list[RawRecord]:
    """One customer who came and was served."""
    name = await core.department()
    await core.issue(name, email="ada@example.com", **more)
    await core.serve(name, "3")
    return await records_of(core)


@asynccontextmanager
async def sending(queue: PostgresNotificationQueue, channels: Channels) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(Sender(queue, channels, stop, IMPATIENT).run())
    yield
    stop.set()
    await task


async def until_settled(core: Core) -> list[dict[str, object]]:
    """Wait until no letter is under way; answers all of them."""
    async with asyncio.timeout(20):
        while await core.rows("SELECT 1 FROM mail_job WHERE state IN ('due', 'sending')"):
            await asyncio.sleep(0.02)
    return await core.rows("SELECT kind, state, attempts FROM mail_job ORDER BY seq")


async def test_issued_and_served_are_two_letters_in_that_order(core: Core, queue: PostgresNotificationQueue) -> None:
    """The first implementation never sent the second one."""
    await queue.enqueue(*sort_out(await visited(core)), BY_EMAIL)
    mailer = ScriptedMailer([Attempt(Verdict.RETRY, "450 try later")])
    async with sending(queue, by_email(mailer)):
        jobs = await until_settled(core)

    assert [(job["kind"], job["state"]) for job in jobs] == [("issued", "sent"), ("served", "sent")]
    assert [letter.subject for letter in mailer.emails][:2] != ["", ""]
    assert ["served" in letter.message_id for letter in mailer.emails] == [False, False, True]


async def test_records_that_come_twice_are_mailed_once(core: Core, queue: PostgresNotificationQueue) -> None:
    """Kafka delivers at least once; a mailbox must not notice."""
    records = await visited(core)
    for _ in range(3):
        await queue.enqueue(*sort_out(records), BY_EMAIL)
    mailer = ScriptedMailer()
    async with sending(queue, by_email(mailer)):
        await until_settled(core)
    await queue.enqueue(*sort_out(records), BY_EMAIL)

    assert len(mailer.emails) == 2
    assert await queue.claim("other", 10, BY_EMAIL) == []


async def test_two_senders_share_the_work(core: Core, queue: PostgresNotificationQueue) -> None:
    """Any number of senders; each letter once."""
    name = await core.department()
    await core.issue(name, 20, email="ada@example.com")
    await queue.enqueue(*sort_out(await records_of(core)), BY_EMAIL)
    first, second = ScriptedMailer(), ScriptedMailer()
    async with sending(queue, by_email(first)), sending(queue, by_email(second)):
        await until_settled(core)
    sent = [letter.message_id for letter in first.emails + second.emails]

    assert len(sent) == len(set(sent)) == 20


async def test_a_refusal_for_good_is_a_dead_letter_that_can_be_revived(
    core: Core, queue: PostgresNotificationQueue
) -> None:
    """5xx: no further try, but nothing is lost; the letter behind it is not held up."""
    await queue.enqueue(*sort_out(await visited(core)), BY_EMAIL)
    async with sending(queue, by_email(ScriptedMailer([Attempt(Verdict.PERMANENT, "550 no such user")]))):
        jobs = await until_settled(core)
        (dead,) = await queue.dead_letters()
        assert [job["state"] for job in jobs] == ["dead", "sent"]
        assert (dead.kind, dead.error) == ("issued", "550 no such user")

        assert await queue.revive(dead.dlq_id)
        assert [job["state"] for job in await until_settled(core)] == ["sent", "sent"]
    assert await queue.dead_letters() == []
    assert not await queue.revive(dead.dlq_id)


async def test_patience_ends_in_the_dead_letter_queue(core: Core, queue: PostgresNotificationQueue) -> None:
    """A server that never takes it: after the last try the letter is kept, not forgotten."""
    await queue.enqueue(*sort_out((await visited(core))[:1]), BY_EMAIL)
    async with sending(queue, by_email(ScriptedMailer([Attempt(Verdict.RETRY, "421 busy")] * 9))):
        (job,) = await until_settled(core)

    assert (job["state"], job["attempts"]) == ("dead", 3)


async def test_what_cannot_be_read_is_kept_with_its_place(core: Core, queue: PostgresNotificationQueue) -> None:
    """Poison must not stop the partition, and must be findable."""
    poison = RawRecord("token-events", 2, 41, b"\xff{not json")
    nul = RawRecord("token-events", 2, 42, b'{"eventType":"TOKEN_GENERATED","departmentId":"C\\u0000W","tokenId":1}')
    assert len(sort_out([nul])[1]) == 1
    for _ in range(2):
        await queue.enqueue(*sort_out([poison, *await visited(core)]), BY_EMAIL)
    bad = [entry for entry in await queue.dead_letters() if entry.raw is not None]

    assert [(one.topic, one.partition, one.offset, one.raw) for one in bad] == [("token-events", 2, 41, poison.value)]
    assert [copy.raw for copy in await queue.uncopied(10)] == [poison.value]
    await queue.mark_copied([bad[0].dlq_id])
    assert await queue.uncopied(10) == []


async def test_a_dead_record_is_read_once_more_or_stays(
    core: Core, queue: PostgresNotificationQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """'retry' must not close what is still unreadable, nor forget what has become readable."""
    monkeypatch.setenv("TOKENQ_DATABASE_URL", core.dsn)
    (real, *_) = await visited(core)
    good = RawRecord("token-events", 0, 5, real.value)
    await queue.enqueue(
        [], [BadRecord(good, "an older release"), BadRecord(RawRecord("t", 0, 6, b"{"), "no JSON")], BY_EMAIL
    )
    ids = [entry.dlq_id for entry in await queue.dead_letters()]

    assert await program.retry(ids) == 1
    assert [entry.offset for entry in await queue.dead_letters()] == [6]
    assert [job.kind for job in await queue.claim("me", 10, BY_EMAIL)] == ["issued"]


async def test_a_forged_record_is_not_mailed(core: Core, queue: PostgresNotificationQueue) -> None:
    """The log in Postgres decides who gets a letter, not whoever can write to the topic."""
    (real, *_) = await visited(core)
    forged = json.loads(real.value) | {"seq": 999, "email": "victim@example.com"}
    await queue.enqueue(*sort_out([RawRecord("token-events", 0, 7, json.dumps(forged).encode())]), BY_EMAIL)

    assert await queue.claim("me", 10, BY_EMAIL) == []
    assert [entry.reason for entry in await queue.dead_letters()] == ["unknown event"]


@pytest.mark.parametrize("change", [{"eventType": "TOKEN_NO_SHOW"}, {"eventId": "another"}, {"data": {"a": "b"}}])
async def test_a_record_that_differs_from_its_entry_makes_no_letter(
    core: Core, queue: PostgresNotificationQueue, change: dict[str, Any]
) -> None:
    """Under a seq and a token id that are real: forged, or of a time that a restored database has forgotten."""
    (real, *_) = await visited(core)
    changed = json.loads(real.value) | change
    await queue.enqueue(*sort_out([RawRecord("token-events", 0, 7, json.dumps(changed).encode())]), BY_EMAIL)

    assert await queue.claim("me", 10, BY_EMAIL) == []
    assert [entry.reason for entry in await queue.dead_letters()] == ["unknown event"]


async def test_the_address_comes_from_the_token(core: Core, queue: PostgresNotificationQueue) -> None:
    """A record without the address (TOKENQ_EVENTS_EMAIL=omit), or with another one, changes nothing."""
    (real, *_) = await visited(core)
    changed = json.loads(real.value) | {"email": "mallory@example.com"}
    await queue.enqueue(*sort_out([RawRecord("token-events", 0, 7, json.dumps(changed).encode())]), BY_EMAIL)
    (job,) = await queue.claim("me", 10, BY_EMAIL)

    assert job.recipient == "ada@example.com"


async def test_a_sender_that_died_is_taken_over(core: Core, queue: PostgresNotificationQueue) -> None:
    """A lease ends; the next sender counts the letter as ambiguous and sends it with the same Message-ID."""
    await queue.enqueue(*sort_out((await visited(core))[:1]), BY_EMAIL)
    (first,) = await queue.claim("dead", 10, BY_EMAIL)
    assert await queue.claim("other", 10, BY_EMAIL) == []
    await core.run("UPDATE mail_job SET lease_until = now() - interval '1 second'")
    (second,) = await queue.claim("other", 10, BY_EMAIL)

    assert email_for(first).message_id == email_for(second).message_id
    await queue.settle(first, Attempt(Verdict.SENT), "dead", None)
    (row,) = await core.rows("SELECT state, ambiguous FROM mail_job")
    assert row == {"state": "sending", "ambiguous": 1}


def email_for(job: Job) -> Email:
    return EmailChannel(ScriptedMailer(), "queue@office.example").render(job)


def job_named(name: str | None) -> Job:
    event = {"displayNumber": "CW-012", "counterId": "3", "businessDay": "2026-11-22"}
    return Job("CW", 17, "served", "email", 1, "ada@example.com", event, name, "Cash <b>window</b>", 1)


async def test_names_cannot_become_headers_or_markup(tmp_path: Path) -> None:
    """Encoded words, line breaks and HTML in a name stay text in the body (CVE-2024-6923)."""
    hostile = "A =?UTF-8?Q?=0A?=Bcc: v@example.com\r\nBcc: w@example.com <script>x</script>"
    letter = email_for(job_named(hostile))
    await EmlFolder(tmp_path).send(letter)
    (path,) = tmp_path.iterdir()
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)

    assert message["Bcc"] is None
    assert message["To"] == "ada@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "CW-012" in message["Subject"]
    html = message.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "Cash &lt;b&gt;" in html.get_content()


async def test_the_outbox_gets_each_letter_once(tmp_path: Path) -> None:
    """Sending a letter again writes the same file."""
    for _ in range(2):
        attempt = await EmlFolder(tmp_path / "mail").send(email_for(job_named("Ada")))
        assert attempt.verdict is Verdict.SENT

    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["CW-000017-served.eml"]


class FakeServer:
    """An SMTP server that answers RCPT as told and keeps what it took."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer = answer
        self.taken: list[Envelope] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.taken.append(envelope)
        return "250 taken"


@pytest.fixture
def smtp() -> Iterator[Callable[..., tuple[FakeServer, str]]]:
    running: list[Controller] = []

    def start(answer: str = "250 OK") -> tuple[FakeServer, str]:
        handler = FakeServer(answer)
        controller = Controller(handler, hostname="127.0.0.1", port=free_port())
        controller.start()
        running.append(controller)
        return handler, f"smtp://127.0.0.1:{controller.port}"

    yield start
    for controller in running:
        controller.stop()


async def test_a_letter_reaches_a_mail_server_with_one_recipient(smtp: Callable[..., tuple[FakeServer, str]]) -> None:
    """Text and HTML, our Message-ID, exactly one RCPT."""
    server, url = smtp()
    attempt = await SmtpMailer(url).send(email_for(job_named("Ada")))
    (envelope,) = server.taken
    message = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)

    assert attempt == Attempt(Verdict.SENT)
    assert envelope.rcpt_tos == ["ada@example.com"]
    assert message["Message-ID"] == "<CW.17.served@office.example>"
    assert {part.get_content_type() for part in message.walk() if not part.is_multipart()} == {
        "text/plain",
        "text/html",
    }


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("550 no such user", Verdict.PERMANENT), ("450 greylisted", Verdict.RETRY), ("421 closing", Verdict.RETRY)],
)
async def test_answers_of_a_mail_server_are_told_apart(
    smtp: Callable[..., tuple[FakeServer, str]], answer: str, verdict: Verdict
) -> None:
    """4xx is tried again, 5xx is not."""
    _, url = smtp(answer)

    assert (await SmtpMailer(url).send(email_for(job_named("Ada")))).verdict is verdict


async def test_a_server_that_takes_the_letter_and_hangs_up_gets_it_once() -> None:
    """One attempt is one letter; that it may have arrived is counted, not guessed away."""
    taken: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if line.upper().startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                taken.append(await reader.readuntil(b"\r\n.\r\n"))
                break
            writer.write(b"250 fine\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    attempt = await SmtpMailer(f"smtp://127.0.0.1:{port}").send(email_for(job_named("Ada")))
    server.close()

    assert len(taken) == 1
    assert (attempt.verdict, attempt.is_ambiguous) == (Verdict.RETRY, True)


async def test_a_mail_server_that_is_away_is_tried_again() -> None:
    """Nothing was handed over, so nothing is ambiguous."""
    attempt = await SmtpMailer("smtp://127.0.0.1:1").send(email_for(job_named("Ada")))

    assert (attempt.verdict, attempt.is_ambiguous) == (Verdict.RETRY, False)


async def test_each_kind_of_letter_is_sent_when_it_happens(core: Core, queue: PostgresNotificationQueue) -> None:
    """Issued with place and wait, near, called with the counter, missed; in that order."""
    name = await core.department()
    await core.issue(name)
    (token,) = await core.issue(name, email="ada@example.com", near_turn=1)
    await core.call(name, name)
    await core.commit.submit(Request(TellNear(name, ((token["tokenId"], 1),))))
    called = await core.call(name, f"{name}-2")
    await core.move(called, Verb.NO_SHOW)
    await queue.enqueue(*sort_out(await records_of(core)), BY_EMAIL)
    mailer = ScriptedMailer()
    async with sending(queue, by_email(mailer)):
        jobs = await until_settled(core)

    assert [job["kind"] for job in jobs] == ["issued", "near", "called", "missed"]
    issued, near, called_letter, missed = mailer.emails
    assert "number 2 in line" in issued.text
    assert "number 1 in line" in near.text
    assert f"counter {name}-2" in called_letter.text
    assert f"{name}-002" in missed.text
    assert all(letter.html and letter.subject.endswith(f"{name}-002") for letter in mailer.emails)


async def test_a_department_switches_letters_off(core: Core, queue: PostgresNotificationQueue) -> None:
    """Some places want one letter and no more."""
    name = await core.department(letters=[LetterKind.CALLED])
    await core.issue(name, email="ada@example.com")
    await core.move(await core.call(name, name), Verb.SERVE)
    await queue.enqueue(*sort_out(await records_of(core)), BY_EMAIL)

    assert [row["kind"] for row in await core.rows("SELECT kind FROM mail_job")] == ["called"]


async def test_after_a_transfer_the_first_letter_is_still_the_first(
    core: Core, queue: PostgresNotificationQueue
) -> None:
    """The other department counts its entries by itself: a small number there is not an earlier one."""
    first, second = await core.department(), await core.department()
    await core.issue(first, 5)
    (token,) = await core.issue(first, email="ada@example.com")
    await core.do(TransferToken(first, "ann", token["tokenId"], second))
    await core.call(second, second)
    records = await records_of(core)
    for name in (second, first):
        await queue.enqueue(
            *sort_out([one for one in records if f'"departmentId":"{name}"'.encode() in one.value]), BY_EMAIL
        )

    assert [job.kind for job in await queue.claim("one", 10, BY_EMAIL)] == ["issued"]


async def test_after_a_transfer_a_letter_waits_for_the_first_one_to_be_taken_in(
    core: Core, queue: PostgresNotificationQueue
) -> None:
    """The departments' records come by different partitions, and the later one may be faster."""
    first, second = await core.department(), await core.department()
    (token,) = await core.issue(first, email="ada@example.com")
    await core.do(TransferToken(first, "ann", token["tokenId"], second))
    await core.serve(second, "3")
    records = await records_of(core)
    fast = [one for one in records if json.loads(one.value)["departmentId"] == second]
    await queue.enqueue(*sort_out(fast), BY_EMAIL)
    assert await queue.claim("one", 10, BY_EMAIL) == []
    await core.run("UPDATE mail_job SET created_at = created_at - interval '9 minutes'")
    assert await queue.claim("one", 10, BY_EMAIL) == []
    await core.run("UPDATE mail_job SET created_at = created_at - interval '2 minutes'")
    assert [job.kind for job in await queue.claim("one", 10, BY_EMAIL)] == ["served"], "nobody waits for long"
    await core.run("UPDATE mail_job SET created_at = clock_timestamp(), state = 'due'")
    await queue.enqueue(*sort_out(records), BY_EMAIL)
    assert [job.kind for job in await queue.claim("one", 10, BY_EMAIL)] == ["issued"]


async def test_nobody_waits_for_a_first_letter_that_was_passed_by(core: Core, queue: PostgresNotificationQueue) -> None:
    """It was not wanted when its record came, and is wanted now: what came after it tells that it will not come."""
    first, second = await core.department(letters=[]), await core.department()
    (token,) = await core.issue(first, email="ada@example.com")
    await core.do(TransferToken(first, "ann", token["tokenId"], second))
    await core.serve(second, "3")
    taken = {one.value for one in await records_of(core)}
    await queue.enqueue(*sort_out(await records_of(core)), BY_EMAIL)
    await core.run("UPDATE department SET rules = rules - 'letters'")
    assert await queue.claim("one", 10, BY_EMAIL) == [], "nothing tells yet that the record was passed"
    await core.issue(first, email="bob@example.com")
    await queue.enqueue(*sort_out([one for one in await records_of(core) if one.value not in taken]), BY_EMAIL)

    assert sorted(job.kind for job in await queue.claim("one", 10, BY_EMAIL)) == ["issued", "served"]
