"""What a channel must do, by a mail server, into a folder and in a channel of a test's own alike."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from tests.chat.channel import ChatChannel
from tests.mail import mail_server
from tokenq.contract.notifications import LetterKind
from tokenq_server.adapters.channels.email import EmailChannel
from tokenq_server.adapters.channels.eml_folder import EmlFolder
from tokenq_server.adapters.channels.smtp import SmtpMailer
from tokenq_server.embedded.ports import free_port
from tokenq_server.services.notifications import Attempt, Channel, Holder, Job, Verdict

NOBODY = Holder(1, "CW", email=None, user_id=None)
ADA = Holder(1, "CW", email="ada@example.com", user_id=7)


class Mailbox(Message):
    """Keeps what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: list[str] = []

    def handle_message(self, message: Any) -> None:
        self.arrived.append(str(message))


@dataclass
class Case:
    """A channel, and what has arrived by it so far."""

    channel: Channel[Any]
    arrived: Callable[[], list[Any]]


@pytest.fixture(params=["smtp", "folder", "chat"])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    if request.param == "chat":
        chat = ChatChannel()
        yield Case(chat, lambda: chat.sent)
    elif request.param == "folder":
        channel = EmailChannel(EmlFolder(tmp_path), "queue@office.example")
        yield Case(channel, lambda: [path.read_text() for path in tmp_path.glob("*.eml")])
    else:
        mailbox = Mailbox()
        server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
        server.start()
        mailer = SmtpMailer(mail_server(f"smtp://127.0.0.1:{server.port}"))
        channel = EmailChannel(mailer, "queue@office.example")
        yield Case(channel, lambda: mailbox.arrived)
        await channel.close()
        server.stop()


def job(case: Case, kind: str = "called") -> Job:
    event = {"displayNumber": "CW-012", "counterId": "3", "businessDay": "2026-11-22", "data": {"position": 2}}
    recipient = case.channel.recipient(ADA)
    assert recipient is not None
    return Job("CW", 17, kind, case.channel.name, 1, recipient, event, "Ada", "Cash window", 1)


def test_who_cannot_be_reached_has_no_recipient(case: Case) -> None:
    """Then no job is kept, and nothing is sent to nowhere."""
    assert case.channel.recipient(NOBODY) is None
    assert case.channel.recipient(ADA)


@pytest.mark.parametrize("kind", LetterKind)
def test_every_kind_has_its_templates(case: Case, kind: LetterKind) -> None:
    """A kind without them would make dead letters only."""
    assert "CW-012" in str(case.channel.render(job(case, kind)))


async def test_what_was_sent_has_arrived_at_its_recipient(case: Case) -> None:
    """The answer SENT is the only one after which nobody tries again."""
    assert await case.channel.send(case.channel.render(job(case))) == Attempt(Verdict.SENT)
    (message,) = case.arrived()

    assert "CW-012" in str(message)
    assert str(case.channel.recipient(ADA)) in str(message)


def test_a_second_attempt_says_the_same(case: Case) -> None:
    """Whoever gets both can tell that they are one."""
    assert case.channel.render(job(case)) == case.channel.render(job(case))
