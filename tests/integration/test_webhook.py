"""The webhook channel, to the receiver of docs/webhooks.md as it is written there, and to gateways that fail."""

import asyncio
import base64
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.integration.notifying import records_of, sending, until_settled
from tests.without_http import Core
from tokenq.contract.problems import Refused
from tokenq_server.adapters.channels import webhook
from tokenq_server.adapters.channels.webhook import WebhookChannel
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.destinations import gateway_of
from tokenq_server.embedded.ports import free_port
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.services.notifications import Holder, Job, Verdict

MANUAL = Path(__file__).parents[2] / "docs" / "webhooks.md"
SECRET = f"whsec_{base64.b64encode(b's' * 32).decode()}"
WRONG_URLS = ["http://gateway.example.org/", "ftp://x", "https://", "https://u:p@x/", "gateway"]
WRONG_URLS += ["https://:p@x/", "https://x y/", "https://x/\n", "https://x/\x01", "http://127.0.0.1@x/"]
EVENT = {
    "displayNumber": "CW-012",
    "counterId": "3",
    "businessDay": "2026-11-22",
    "timestamp": "2026-11-22T09:01:12Z",
    "branchId": "main",
    "userId": 7,
    "data": {},
}
JOB = Job("CW", 17, "called", "webhook", 1, "127.0.0.1", EVENT, "Ada", "Cash window", 1, "ada@example.com")


@dataclass
class Receiver:
    """The receiver of the manual as a process."""

    process: subprocess.Popen[str]
    port: int

    def line(self) -> str:
        """The next text that it passes on."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    (code,) = re.findall(r"```python\n(.*?)```", MANUAL.read_text("utf-8"), re.DOTALL)
    program = tmp_path / "receiver.py"
    program.write_text(code)
    port = free_port()
    environment = {**os.environ, "TOKENQ_WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, str(program)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield Receiver(process, port)
        process.terminate()


@dataclass
class Gateway:
    """A gateway that answers as it is told, and keeps what it gets."""

    port: int = 0
    answer: bytes = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
    got: list[bytes] = field(default_factory=list)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = re.findall(rb"content-length: (\d+)", head.lower())
        self.got.append(head + await reader.readexactly(int(length)))
        with suppress(ConnectionError):  # it may have heard enough
            writer.write(self.answer)
            await writer.drain()
        writer.close()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    server = await asyncio.start_server(made.take, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


def channel_to(port: int, secret: str = SECRET) -> WebhookChannel:
    found = gateway_of(f"http://127.0.0.1:{port}/tokenq", secret)
    assert found is not None
    return WebhookChannel(found)


async def sent(channel: WebhookChannel, job: Job = JOB) -> tuple[Verdict, bool]:
    for _ in range(100):
        attempt = await channel.send(channel.render(job))
        if "does not answer" not in attempt.error:  # the receiver is only starting
            break
        await asyncio.sleep(0.05)
    return attempt.verdict, attempt.is_ambiguous


async def test_the_receiver_of_the_manual_takes_what_is_signed_once(receiver: Receiver) -> None:
    channel = channel_to(receiver.port)
    assert await sent(channel) == (Verdict.SENT, False)
    assert await sent(channel) == (Verdict.SENT, False)
    assert await sent(channel, replace(JOB, seq=18, kind="served")) == (Verdict.SENT, False)
    assert receiver.line() == "CW-012: it is your turn. Please go to: Counter 3"
    assert receiver.line() == "CW-012: done. Thank you for your visit.", "the second one was a repetition"
    await channel.close()


async def test_it_refuses_what_somebody_else_has_signed(receiver: Receiver) -> None:
    channel = channel_to(receiver.port, f"whsec_{base64.b64encode(b'o' * 32).decode()}")
    assert await sent(channel) == (Verdict.PERMANENT, False)
    await channel.close()


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, Verdict.SENT), (302, Verdict.PERMANENT), (400, Verdict.PERMANENT), (410, Verdict.PERMANENT)]
    + [(status, Verdict.RETRY) for status in (408, 409, 425, 429, 500, 503)],
)
async def test_what_an_answer_means(gateway: Gateway, status: int, verdict: Verdict) -> None:
    elsewhere = b"Location: http://127.0.0.1:1/\r\n" if status == 302 else b""
    gateway.answer = b"HTTP/1.1 %d X\r\n%bContent-Length: 0\r\n\r\n" % (status, elsewhere)
    channel = channel_to(gateway.port)
    assert await sent(channel) == (verdict, False)
    await channel.close()


async def test_a_gateway_that_hangs_up_may_have_taken_it(gateway: Gateway) -> None:
    gateway.answer = b""
    channel = channel_to(gateway.port)
    assert await sent(channel) == (Verdict.RETRY, True)
    await channel.close()


@asynccontextmanager
async def endless(head: bytes, part: bytes, pause: float) -> AsyncIterator[tuple[int, list[int]]]:
    """A gateway whose answer has no end, and how many bytes of it were taken."""
    taken: list[int] = []

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        with suppress(ConnectionError):
            while sum(taken) < 100_000_000:
                writer.write(part)
                await writer.drain()
                taken.append(len(part))
                await asyncio.sleep(pause)
        writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], taken
    server.close()


async def test_a_long_answer_is_not_read() -> None:
    """Nor kept in memory: its status says that the notification was taken."""
    async with endless(b"HTTP/1.1 200 OK\r\n\r\n", bytes(65_536), 0) as (port, taken):
        channel = channel_to(port)
        assert await sent(channel) == (Verdict.SENT, False)
        assert sum(taken) < 50_000_000
        await channel.close()


@pytest.mark.parametrize(
    ("head", "expected"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", (Verdict.SENT, False)), (b"HTTP/1.1 200 OK\r\nX: ", (Verdict.RETRY, True))],
)
async def test_an_answer_byte_by_byte_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, head: bytes, expected: tuple[Verdict, bool]
) -> None:
    """Each byte comes in time, the end never. Whoever has told the status has taken it."""
    monkeypatch.setattr(webhook, "_TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(webhook, "_READ_SECONDS", 0.3)
    async with endless(head, b"x", 0.05) as (port, _), asyncio.timeout(20):
        channel = channel_to(port)
        assert await sent(channel) == expected
        await channel.close()


async def test_it_reaches_those_of_whom_something_is_known(gateway: Gateway) -> None:
    channel = channel_to(gateway.port)
    assert channel.recipient(Holder(1, "CW", email=None, user_id=None)) is None
    assert channel.recipient(Holder(1, "CW", email="ada@example.com", user_id=None)) == "127.0.0.1"
    assert channel.recipient(Holder(1, "CW", email=None, user_id=7)) == "127.0.0.1"
    await channel.close()


async def test_a_visit_is_posted_in_its_language_with_the_branch_s_word(
    core: Core, queue: PostgresNotificationQueue, gateway: Gateway
) -> None:
    """From the log to the gateway, each event once."""
    name = await core.department()
    await core.run("""UPDATE branch SET settings = '{"languages": ["en"], "counterWords": {"en": "Room"}}'""")
    await core.issue(name, email=f"{secrets.token_hex(4)}@example.com", name="Ada")
    await core.call(name, "4")
    channel = channel_to(gateway.port)
    for _ in range(2):
        await queue.enqueue(*sort_out(await records_of(core)), (channel,))
    async with sending(queue, (channel,)):
        await until_settled(core)
    bodies = [json.loads(each.partition(b"\r\n\r\n")[2]) for each in gateway.got]
    assert [each["type"] for each in bodies] == ["token.issued", "token.called"]
    assert bodies[-1]["data"]["text"].endswith("Please go to: Room 4")
    assert bodies[-1]["data"]["name"] == "Ada"
    await channel.close()


@pytest.mark.parametrize("url", WRONG_URLS)
def test_what_names_people_travels_encrypted(url: str) -> None:
    with pytest.raises(Refused) as refused:
        gateway_of(url, SECRET)
    assert refused.value.problem.reason == "setting.wrong_webhook_url"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "not base64!"])
def test_a_secret_is_long_enough(secret: str) -> None:
    with pytest.raises(Refused) as refused:
        gateway_of("https://gateway.example.org/", secret)
    assert refused.value.problem.reason == "setting.wrong_webhook_secret"
    assert gateway_of("", secret) is None
