"""A second channel beside e-mail: each has its own recipients, queue positions and dead letters."""

import asyncio

import pytest

from tests.chat.channel import ChatChannel
from tests.fakes import ScriptedMailer, by_email
from tests.integration.notifying import records_of, sending, until_settled
from tests.without_http import Core
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.adapters.postgres.verification_snapshot import PostgresSnapshots
from tokenq_server.notify import program
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.services.notifications import Attempt, Channels, Verdict
from tokenq_server.services.verification.ports import VerifyOptions
from tokenq_server.services.verification.verifier import Verifier


@pytest.fixture
def mailer() -> ScriptedMailer:
    return ScriptedMailer()


@pytest.fixture
def chat() -> ChatChannel:
    return ChatChannel()


@pytest.fixture
def channels(mailer: ScriptedMailer, chat: ChatChannel) -> Channels:
    return (*by_email(mailer), chat)


async def two_visits(core: Core) -> None:
    """A customer with an address and an account, and one with only an address; both are called."""
    await core.run("INSERT INTO app_user (user_id, name, role) OVERRIDING SYSTEM VALUE VALUES (7, 'Ada', 'customer')")
    name = await core.department()
    await core.issue(name, user_id=7, email="ada@example.com")
    await core.issue(name, email="bob@example.com")
    for counter in ("1", "2"):
        await core.call(name, counter)


async def test_each_channel_has_its_own_recipients(
    core: Core, queue: PostgresNotificationQueue, channels: Channels, mailer: ScriptedMailer, chat: ChatChannel
) -> None:
    """Recipients come from the channel; a notification is one job per channel, however often its record comes."""
    await two_visits(core)
    for _ in range(2):
        await queue.enqueue(*sort_out(await records_of(core)), channels)
    async with sending(queue, channels):
        await until_settled(core)
    verified = await Verifier(PostgresSnapshots(core.dsn), None, None, VerifyOptions(letters_settled=True)).run()

    assert sorted(email.recipient for email in mailer.emails) == ["ada@example.com"] * 2 + ["bob@example.com"] * 2
    assert [message["to"] for message in chat.sent] == ["https://gateway.example/people/7"] * 2
    assert [message["text"].partition(": ")[2] for message in chat.sent][1] == "please go to Counter 1."
    assert verified.violations == {}


async def test_a_sender_takes_only_jobs_of_its_channels(
    core: Core, queue: PostgresNotificationQueue, channels: Channels, mailer: ScriptedMailer, chat: ChatChannel
) -> None:
    """Like a sender of the release without that channel; no second e-mail waits for the other channel's first."""
    await two_visits(core)
    await queue.enqueue(*sort_out(await records_of(core)), channels)
    async with sending(queue, by_email(mailer)), asyncio.timeout(20):
        while len(mailer.emails) < 4:
            await asyncio.sleep(0.02)
    left = "SELECT state, attempts FROM mail_job WHERE channel = 'chat'"
    assert await core.rows(left) == [{"state": "due", "attempts": 0}] * 2
    async with sending(queue, (chat,)):
        await until_settled(core)

    assert len(chat.sent) == 2


async def test_an_unavailable_channel_delays_no_other(
    core: Core, queue: PostgresNotificationQueue, channels: Channels, mailer: ScriptedMailer, chat: ChatChannel
) -> None:
    """A token's notifications are in order within a channel; each channel has its own dead letters."""
    await two_visits(core)
    await queue.enqueue(*sort_out(await records_of(core)), channels)
    chat.answers = [Attempt(Verdict.RETRY, "503")] * 3
    async with sending(queue, channels):
        await until_settled(core)
    (dead,) = await queue.dead_letters()

    assert (dead.channel, dead.kind, dead.error) == ("chat", "issued", "503")
    assert program._view(dead)["channel"] == "chat"
    assert len(mailer.emails) == 4
    assert [message["id"].rpartition(".")[2] for message in chat.sent] == ["issued"] * 3 + ["called"]
    assert await queue.revive(dead.dlq_id)
    assert await core.rows("SELECT kind, channel FROM mail_job WHERE state = 'due'") == [
        {"kind": "issued", "channel": "chat"}
    ]


async def test_dead_letters_of_two_channels_have_different_sources(
    core: Core, queue: PostgresNotificationQueue, channels: Channels, mailer: ScriptedMailer, chat: ChatChannel
) -> None:
    await two_visits(core)
    await queue.enqueue(*sort_out(await records_of(core)), channels)
    mailer.answers, chat.answers = [Attempt(Verdict.PERMANENT, "no")] * 4, [Attempt(Verdict.PERMANENT, "no")] * 2
    async with sending(queue, channels):
        await until_settled(core)
    sources = [copy.source for copy in await queue.uncopied(10)]

    assert len(set(sources)) == 6
    assert sum(source.endswith(".chat") for source in sources) == 2
