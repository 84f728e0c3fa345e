"""Letters that were delayed, and say what is no longer true by the time they could be sent."""

import logging

import pytest

from tests.fakes import BY_EMAIL, ScriptedMailer, by_email
from tests.integration.notifying import enqueue_all, sending, until_settled
from tests.integration.test_verify import verified
from tests.people import ANN
from tests.servers import Servers
from tests.without_http import Core
from tokenq.contract.enums import TokenState
from tokenq.contract.notifications import LetterKind
from tokenq.contract.verbs import Verb
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.domain.commands import MarkNearTurn, TransferToken, UndoMove
from tokenq_server.services.notifications import Attempt, Settlement, Verdict
from tokenq_server.services.requests import Request

ADA = "ada@example.com"


async def states(core: Core, queue: PostgresNotificationQueue, mailer: ScriptedMailer | None = None) -> list[str]:
    """Take in the log so far and send what can be sent; return kind and state of each letter."""
    await enqueue_all(core, queue)
    async with sending(queue, by_email(mailer or ScriptedMailer())):
        return [f"{job['kind']} {job['state']}" for job in await until_settled(core)]


async def test_after_the_service_only_the_last_letter_is_sent(
    core: Core, queue: PostgresNotificationQueue, servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    """The mail server was away meanwhile: nobody is told to come, and the log counts what was left out."""
    name = await core.department()
    await core.issue(name, email=ADA)
    await core.move(await core.call(name, name), Verb.SERVE)
    mailer = ScriptedMailer()
    with caplog.at_level(logging.INFO):
        settled = await states(core, queue, mailer)

    assert settled == ["issued overtaken", "called overtaken", "served sent"]
    assert ["served" in letter.message_id for letter in mailer.emails] == [True]
    counts = [vars(record)["overtaken_since_start"] for record in caplog.records if "overtaken" in record.message]
    assert counts == [1, 2]
    assert await core.rows("SELECT DISTINCT attempts, lease_until FROM mail_job WHERE state = 'overtaken'") == [
        {"attempts": 0, "lease_until": None}
    ]
    assert (await verified(core, servers)).violations == {}


SENT_IN = {
    "issued": {"WAITING", "CALLED", "SERVING", "PARKED"},
    "near": {"WAITING"},
    "called": {"CALLED"},
    "served": {"WAITING", "CALLED", "SERVING", "PARKED", "SERVED", "NO_SHOW", "CANCELLED", "EXPIRED"},
    "missed": {"NO_SHOW"},
    "expired": {"EXPIRED"},
}


async def test_each_kind_is_sent_only_in_states_in_which_it_is_true(
    core: Core, queue: PostgresNotificationQueue
) -> None:
    """In any other state it is overtaken; only that a customer was served is always said."""
    name = await core.department()
    await core.issue(name, email=ADA)
    await enqueue_all(core, queue)
    await core.run(
        "INSERT INTO mail_job SELECT (jsonb_populate_record(j, jsonb_build_object('kind', name))).*"
        " FROM mail_job j, unnest(%s::text[]) AS name ON CONFLICT DO NOTHING",
        [str(kind) for kind in LetterKind],
    )
    for state in TokenState:
        await core.run("UPDATE token SET state = %s", state)
        await core.run("UPDATE mail_job SET state = 'due'")
        claimed = await queue.claim("me", 10, BY_EMAIL)
        sent = {kind for kind, states in SENT_IN.items() if state in states}

        assert {job.kind for job in claimed.to_send} == sent, state
        assert {job.kind for job in claimed.overtaken} == set(LetterKind) - sent, state


async def test_who_was_put_back_in_the_queue_is_not_told_that_they_missed_it(
    core: Core, queue: PostgresNotificationQueue
) -> None:
    name = await core.department(letters=[LetterKind.MISSED])
    await core.issue(name, email=ADA)
    missed = await core.move(await core.call(name, name), Verb.NO_SHOW)
    await core.move(missed, Verb.REINSTATE)
    assert await states(core, queue) == ["missed overtaken"]

    await core.move(await core.call(name, name), Verb.NO_SHOW)
    assert await states(core, queue) == ["missed overtaken", "missed sent"]


async def test_who_was_reinstated_is_not_told_that_the_number_expired(
    core: Core, queue: PostgresNotificationQueue
) -> None:
    name = await core.department(letters=[LetterKind.EXPIRED])
    await core.issue(name)
    (ada,) = await core.issue(name, email=ADA)
    await core.run("UPDATE dept_state SET day = day - 1")
    await core.run("UPDATE token SET day = day - 1")
    await core.issue(name)
    assert await core.rows("SELECT state FROM token WHERE token_id = %s", ada["tokenId"]) == [{"state": "EXPIRED"}]
    await core.move({**ada, "claimVersion": None}, Verb.REINSTATE)

    assert await states(core, queue) == ["expired overtaken"]


async def test_a_removed_address_gets_no_more_mail(
    core: Core, queue: PostgresNotificationQueue, servers: Servers
) -> None:
    """Nor from a retry by hand; an address given later gets only what happens then."""
    name = await core.department()
    (token,) = await core.issue(name, email="stranger@example.com")
    await enqueue_all(core, queue)
    await core.move(token, Verb.EDIT, email="")
    mailer = ScriptedMailer()

    assert await states(core, queue, mailer) == ["issued overtaken"]
    assert mailer.emails == []
    assert (await verified(core, servers)).violations == {}
    await core.move(token, Verb.EDIT, email=ADA)
    await core.call(name, name)
    assert await states(core, queue, mailer) == ["issued overtaken", "called sent"]
    assert [letter.recipient for letter in mailer.emails] == [ADA]
    assert (await verified(core, servers)).violations == {}


async def test_a_call_is_overtaken_by_the_next_one(core: Core, queue: PostgresNotificationQueue) -> None:
    """The token is called in both, but the first letter names the wrong counter."""
    name = await core.department()
    await core.issue(name, email=ADA)
    await core.move(await core.call(name, "3"), Verb.REQUEUE)
    await core.call(name, "4")
    mailer = ScriptedMailer()

    assert await states(core, queue, mailer) == ["issued sent", "called overtaken", "called sent"]
    assert "Counter 4" in mailer.emails[-1].text


async def test_a_call_is_overtaken_by_one_in_another_department(core: Core, queue: PostgresNotificationQueue) -> None:
    first, second = await core.department(), await core.department()
    (token,) = await core.issue(first, email=ADA)
    await core.call(first, first)
    await core.do(TransferToken(first, ANN, token["tokenId"], second))
    await core.call(second, second)
    mailer = ScriptedMailer()
    await states(core, queue, mailer)

    letters = await core.rows("SELECT department_id, state FROM mail_job WHERE kind = 'called' ORDER BY state")
    assert [tuple(letter.values()) for letter in letters] == [(first, "overtaken"), (second, "sent")]
    assert [
        f"go to: {second}" in letter.text or f"go to: Counter {second}" in letter.text for letter in mailer.emails
    ] == [False, True]


@pytest.mark.parametrize("what", ["called", "transferred", "nothing"])
async def test_a_near_turn_is_overtaken_by_what_follows_it(
    core: Core, queue: PostgresNotificationQueue, what: str
) -> None:
    """In another department it is not near, though the token waits there."""
    name, other = await core.department(letters=[LetterKind.NEAR]), await core.department()
    await core.issue(name)
    (token,) = await core.issue(name, email=ADA, near_turn=1)
    await core.call(name, name)
    await core.commit.submit(Request(MarkNearTurn(name, ((token["tokenId"], 1),))))
    if what == "called":
        await core.call(name, f"{name}-2")
    elif what == "transferred":
        await core.do(TransferToken(name, ANN, token["tokenId"], other))

    assert await states(core, queue) == ["near sent" if what == "nothing" else "near overtaken"]


async def test_a_call_that_an_undo_restored_is_still_true(core: Core, queue: PostgresNotificationQueue) -> None:
    """It is that call again."""
    name = await core.department(letters=[LetterKind.CALLED])
    await core.issue(name, email=ADA)
    called = await core.call(name, name)
    await core.move(called, Verb.REQUEUE)
    await core.do(UndoMove(name, ANN, called["tokenId"], counter_id=name))

    assert await states(core, queue) == ["called sent"]


async def test_each_attempt_looks_at_the_token_again(core: Core, queue: PostgresNotificationQueue) -> None:
    """After a temporary failure, after a sender that died, and after a retry by hand."""
    name = await core.department(letters=[LetterKind.ISSUED])
    tokens = await core.issue(name, 3, email=ADA)
    await enqueue_all(core, queue)
    retried, left, dead = (await queue.claim("me", 10, BY_EMAIL)).to_send
    await queue.settle([Settlement(retried, Attempt(Verdict.RETRY, "421 busy"), 0.0)], "me")
    await core.run("UPDATE mail_job SET lease_until = now() - interval '1 second' WHERE seq = %s", left.seq)
    await queue.settle([Settlement(dead, Attempt(Verdict.PERMANENT, "550 no such user"))], "me")
    (entry,) = await queue.dead_letters()
    assert await queue.revive(entry.dlq_id)
    for token in tokens:
        await core.move(token, Verb.CANCEL)
    claimed = await queue.claim("me", 10, BY_EMAIL)

    assert claimed.to_send == []
    assert [job.seq for job in claimed.overtaken] == [retried.seq, left.seq, dead.seq]
    rows = await core.rows("SELECT state, ambiguous FROM mail_job ORDER BY seq")
    assert [tuple(row.values()) for row in rows] == [("overtaken", 0), ("overtaken", 1), ("overtaken", 0)]
    await queue.settle([Settlement(left, Attempt(Verdict.SENT))], "me")
    assert await core.rows("SELECT 1 FROM mail_job WHERE state <> 'overtaken'") == []
