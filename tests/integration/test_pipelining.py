"""Commands of SMTP are sent together where the server offers it, and mean the same as one after the other."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.certificates import make_authority, make_certificate
from tests.integration.test_email import mailer_to, send_a_letter
from tests.waiting import eventually
from tokenq_server.adapters.channels.addresses import is_plain
from tokenq_server.adapters.channels.pipelining import _as_data, _path
from tokenq_server.adapters.channels.smtp import SmtpMailer
from tokenq_server.services.notifications import Attempt, Verdict

GOOD = {
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "END": "250 taken",
    "QUIT": "221 bye",
    "STAR": "220 go on",
}


@dataclass
class Server:
    """Reads whatever has arrived before it answers; ``apart``: a reply at a time, in two pieces."""

    offers: str = "PIPELINING"
    replies: dict[str, str] = field(default_factory=lambda: dict(GOOD))
    tls: ssl.SSLContext | None = None
    apart: bool = False
    reads: list[list[str]] = field(default_factory=list)
    letters: list[bytes] = field(default_factory=list)
    sessions: int = 0
    open: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions, self.open = self.sessions + 1, self.open + 1
        try:
            with suppress(ConnectionError):
                await self._talk(reader, writer)
        finally:
            self.open -= 1
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while data := await reader.read(65536):
            verbs = [line[:4].decode().upper() for line in data.splitlines()]
            self.reads.append(verbs)
            for verb in verbs:
                await self._say(writer, self._reply(verb))
            if verbs[-1] == "QUIT":
                return
            if verbs[-1] == "STAR" and self.tls:
                await writer.start_tls(self.tls)
            if self.replies["DATA"][:3] == "354" and verbs[-1] == "DATA":
                try:
                    letter = await reader.readuntil(b"\r\n.\r\n")
                except asyncio.IncompleteReadError:
                    return
                self.letters.append(letter)
                await self._say(writer, self.replies["END"])

    def _reply(self, verb: str) -> str:
        more = "" if self.tls is None else "250-STARTTLS\r\n"
        return f"250-here\r\n{more}250 {self.offers}" if verb == "EHLO" else self.replies.get(verb, "250 ok")

    async def _say(self, writer: asyncio.StreamWriter, reply: str) -> None:
        if not reply:
            writer.close()
            return
        whole = f"{reply}\r\n".encode()
        for piece in (whole[:2], whole[2:]) if self.apart else (whole,):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01 if self.apart else 0)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, SmtpMailer]]:
    serving = Server()
    async with mailer_to(serving.serve) as mailer:
        yield serving, mailer


async def test_mail_rcpt_and_data_go_together_only_where_it_is_offered(server: tuple[Server, SmtpMailer]) -> None:
    serving, mailer = server
    assert await send_a_letter(mailer) == await send_a_letter(mailer) == Attempt(Verdict.SENT)
    assert serving.reads[1:3] == [["MAIL", "RCPT", "DATA"]] * 2
    assert (serving.sessions, len(serving.letters)) == (1, 2)

    await mailer.close()
    serving.offers, serving.reads = "8BITMIME", []
    assert await send_a_letter(mailer) == Attempt(Verdict.SENT)
    assert serving.reads[1:4] == [["MAIL"], ["RCPT"], ["DATA"]]


async def test_replies_may_come_in_any_pieces_and_lines(server: tuple[Server, SmtpMailer]) -> None:
    serving, mailer = server
    serving.apart = True
    serving.replies |= {"RCPT": "250-yes\r\n250 yes", "END": "250-taken\r\n250 as 17"}
    assert await send_a_letter(mailer) == Attempt(Verdict.SENT)
    assert len(serving.letters) == 1


async def test_what_is_said_unasked_with_the_last_reply_is_none_of_them(server: tuple[Server, SmtpMailer]) -> None:
    """A server that takes a letter and says goodbye has taken it."""
    serving, mailer = server
    serving.replies["END"] = "250 taken\r\n421 closing"
    assert await send_a_letter(mailer) == Attempt(Verdict.SENT)
    serving.replies |= {"END": "250 taken", "DATA": "354 go on\r\n250 again"}
    assert await send_a_letter(mailer) == Attempt(Verdict.SENT)


REFUSALS = [
    ({"MAIL": "550 not you", "RCPT": "503 no", "DATA": "503 no"}, Verdict.PERMANENT, "not you"),
    ({"MAIL": "451 later", "RCPT": "503 no", "DATA": "503 no"}, Verdict.RETRY, "later"),
    ({"RCPT": "550 nobody", "DATA": "503 no"}, Verdict.PERMANENT, "nobody"),
    ({"RCPT": "450-grey\r\n450 listed", "DATA": "554 no"}, Verdict.RETRY, "listed"),
    ({"DATA": "452 full"}, Verdict.RETRY, "full"),
    ({"END": "554 spam"}, Verdict.PERMANENT, "spam"),
    ({"END": "451 later"}, Verdict.RETRY, "later"),
]


@pytest.mark.parametrize(("replies", "verdict", "why"), REFUSALS)
async def test_the_first_refusal_is_the_result(
    server: tuple[Server, SmtpMailer], replies: Mapping[str, str], verdict: Verdict, why: str
) -> None:
    """What follows it says only that it was refused."""
    serving, mailer = server
    serving.replies |= replies
    attempt = await send_a_letter(mailer)
    assert (attempt.verdict, why in attempt.error, attempt.is_ambiguous) == (verdict, True, False)
    await eventually(lambda: serving.open == 0)

    serving.replies = dict(GOOD)
    assert await send_a_letter(mailer) == Attempt(Verdict.SENT)
    assert serving.sessions == 2


@pytest.mark.parametrize("refused", ["MAIL", "RCPT"])
async def test_a_server_that_refuses_and_waits_for_a_letter_gets_none(
    server: tuple[Server, SmtpMailer], refused: str
) -> None:
    """Not even an empty one: a server that is wrong about the one may be wrong about the other."""
    serving, mailer = server
    serving.replies[refused] = "550 no"
    assert (await send_a_letter(mailer)).verdict is Verdict.PERMANENT
    await eventually(lambda: serving.open == 0)
    assert serving.letters == []


@pytest.mark.parametrize("where", ["MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize("reply", ["", "what?"])
async def test_a_server_that_hangs_up_or_talks_nonsense_may_have_taken_it(
    server: tuple[Server, SmtpMailer], where: str, reply: str
) -> None:
    serving, mailer = server
    serving.replies[where] = reply
    attempt = await send_a_letter(mailer)
    assert (attempt.verdict, attempt.is_ambiguous) == (Verdict.RETRY, True)
    serving.replies = dict(GOOD)
    assert await send_a_letter(mailer) == Attempt(Verdict.SENT)


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_over_tls_it_is_the_same(scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_authority(tmp_path, "ca")
    make_certificate(tmp_path, "server", "/CN=localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    serving = Server(tls=None if scheme == "smtps" else context)
    tls = context if scheme == "smtps" else None
    async with mailer_to(serving.serve, scheme, tls) as mailer:
        assert await send_a_letter(mailer) == await send_a_letter(mailer) == Attempt(Verdict.SENT)
        assert serving.reads.count(["MAIL", "RCPT", "DATA"]) == len(serving.letters) == 2
        serving.replies["RCPT"] = "550 no"  # and it waits for a letter
        assert (await send_a_letter(mailer)).verdict is Verdict.PERMANENT
        await eventually(lambda: serving.open == 0)


def test_a_line_of_one_dot_does_not_end_a_letter() -> None:
    assert _as_data(b"a\r\n.\r\n..b\r\n") == b"a\r\n..\r\n...b\r\n.\r\n"
    assert _as_data(b".a\n.\n\r.b") == b"..a\r\n..\r\n\r\n..b\r\n.\r\n"


@pytest.mark.parametrize("address", ["a@b\r\nRCPT TO:<c@d>", "a@b\n", "a\x00@b", "a@b\x7f"])
def test_an_address_stays_one_word(address: str) -> None:
    assert not is_plain(address)
    try:
        path = _path(address)
    except ValueError:
        return
    assert path.isprintable()
