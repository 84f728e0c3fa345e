"""Connections to the mail server are kept for the next e-mail, as long as the server keeps them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from tests.integration.test_email import mailer_to, send_a_letter
from tests.waiting import eventually
from tokenq_server.adapters.channels import smtp
from tokenq_server.adapters.channels.smtp import SmtpMailer
from tokenq_server.services.notifications import Attempt, Verdict


@dataclass
class Server:
    """Takes letters, and remembers the commands of each connection. ``hangs_up``: after each letter."""

    sessions: list[list[str]] = field(default_factory=list)
    letters: int = 0
    hangs_up: bool = False
    answer: str = "250 taken"
    open: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said: list[str] = []
        self.sessions.append(said)
        self.open += 1
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            verb = line[:4].decode().upper()
            said.append(verb)
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                self.letters += 1
                writer.write(f"{self.answer}\r\n".encode())
                if self.hangs_up:
                    break
                continue
            writer.write(b"221 bye\r\n" if verb == "QUIT" else b"250 fine\r\n")
            if verb == "QUIT":
                break
        self.open -= 1
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, SmtpMailer]]:
    serving = Server()
    async with mailer_to(serving.serve) as mailer:
        yield serving, mailer


async def test_letters_one_after_the_other_share_a_connection(server: tuple[Server, SmtpMailer]) -> None:
    serving, mailer = server
    for _ in range(3):
        assert await send_a_letter(mailer) == Attempt(Verdict.SENT)
    assert (len(serving.sessions), serving.letters) == (1, 3)
    assert serving.sessions[0].count("EHLO") == 1


async def test_letters_at_the_same_time_have_a_connection_each(server: tuple[Server, SmtpMailer]) -> None:
    serving, mailer = server
    await asyncio.gather(*(send_a_letter(mailer) for _ in range(3)))
    await asyncio.gather(*(send_a_letter(mailer) for _ in range(3)))
    assert (len(serving.sessions), serving.letters) == (3, 6)


async def test_a_server_that_hung_up_meanwhile_costs_no_attempt(
    server: tuple[Server, SmtpMailer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is asked first: a letter on a dead one would count as perhaps delivered."""
    monkeypatch.setattr(smtp, "_TRUSTED_SECONDS", 0.0)
    serving, mailer = server
    serving.hangs_up = True
    for _ in range(3):
        assert await send_a_letter(mailer) == Attempt(Verdict.SENT)
        await eventually(lambda: serving.open == 0)
    assert (len(serving.sessions), serving.letters) == (3, 3)


async def test_a_connection_on_which_a_letter_was_refused_is_not_kept(server: tuple[Server, SmtpMailer]) -> None:
    serving, mailer = server
    serving.answer = "452 full"
    assert (await send_a_letter(mailer)).verdict is Verdict.RETRY
    serving.answer = "250 taken"
    assert (await send_a_letter(mailer)).verdict is Verdict.SENT
    assert len(serving.sessions) == 2


async def test_an_idle_connection_is_closed_politely(
    server: tuple[Server, SmtpMailer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "_KEPT_SECONDS", 0.05)
    serving, mailer = server
    await send_a_letter(mailer)
    await eventually(lambda: serving.open == 0)
    assert serving.sessions[0][-1] == "QUIT"
    assert await send_a_letter(mailer) == Attempt(Verdict.SENT)
