"""E-mails: no user text in a header, one recipient, and a mail server's replies."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.fakes import ScriptedMailer
from tests.mail import mail_server
from tokenq_server.adapters.channels.email import Email, EmailChannel
from tokenq_server.adapters.channels.eml_folder import EmlFolder
from tokenq_server.adapters.channels.smtp import SmtpMailer
from tokenq_server.embedded.ports import free_port
from tokenq_server.services.notifications import Attempt, Job, Verdict


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


async def test_the_outbox_gets_each_e_mail_once(tmp_path: Path) -> None:
    """Resending an e-mail writes the same file."""
    for _ in range(2):
        attempt = await EmlFolder(tmp_path / "mail").send(email_for(job_named("Ada")))
        assert attempt.verdict is Verdict.SENT

    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["CW-000017-served.eml"]


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def closed_at_the_end(mailer: SmtpMailer) -> AsyncIterator[SmtpMailer]:
    """It keeps connections for the next e-mail."""
    yield mailer
    await mailer.close()


@asynccontextmanager
async def mailer_to(serve: Serve, scheme: str = "smtp", tls: ssl.SSLContext | None = None) -> AsyncIterator[SmtpMailer]:
    """A mailer to a server of the test's own."""
    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    async with closed_at_the_end(SmtpMailer(mail_server(f"{scheme}://127.0.0.1:{port}"))) as mailer:
        yield mailer
    listening.close()


async def send_a_letter(mailer: SmtpMailer) -> Attempt:
    """Send one."""
    return await mailer.send(email_for(job_named("Ada")))


async def send_to(url: str, name: str = "Ada") -> Attempt:
    """Send one e-mail to a server."""
    async with closed_at_the_end(SmtpMailer(mail_server(url))) as mailer:
        return await mailer.send(email_for(job_named(name)))


class FakeServer:
    """An SMTP server with a given reply to RCPT that keeps what it accepted."""

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


async def test_an_e_mail_reaches_a_mail_server_with_one_recipient(smtp: Callable[..., tuple[FakeServer, str]]) -> None:
    """Text and HTML, our Message-ID, exactly one RCPT."""
    server, url = smtp()
    attempt = await send_to(url)
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
async def test_replies_of_a_mail_server_are_distinguished(
    smtp: Callable[..., tuple[FakeServer, str]], answer: str, verdict: Verdict
) -> None:
    """4xx is retried, 5xx is not."""
    _, url = smtp(answer)

    assert (await send_to(url)).verdict is verdict


async def test_a_server_that_accepts_and_disconnects_gets_the_e_mail_once() -> None:
    """One attempt is one e-mail; that it may have arrived is counted."""
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
    attempt = await send_to(f"smtp://127.0.0.1:{port}")
    server.close()

    assert len(taken) == 1
    assert (attempt.verdict, attempt.is_ambiguous) == (Verdict.RETRY, True)


async def test_an_unavailable_mail_server_is_retried() -> None:
    """Nothing was sent, so nothing is ambiguous."""
    attempt = await send_to("smtp://127.0.0.1:1")

    assert (attempt.verdict, attempt.is_ambiguous) == (Verdict.RETRY, False)
