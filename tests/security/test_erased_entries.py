"""Row 65: readers that compare a record with its log entry know which entries were erased, and forgive nothing else."""

import asyncio
import json

import psycopg
import pytest

from tests.fakes import BY_EMAIL
from tests.security.audited import AuditedApi
from tests.security.test_erasing_rules import department
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.domain.free_text import is_same_event
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.services.notifications import RawRecord

EVENT = {"seq": 3, "userId": 5, "email": "ann@example.org", "actor": "maria", "data": {"reason": "x"}}


def encoded(**change: object) -> bytes:
    return json.dumps(EVENT | change).encode()


def test_user_and_address_are_not_compared_where_a_person_was_erased() -> None:
    erased = encoded(userId=None, email=None)
    assert is_same_event(encoded(), erased, may_be_rewritten=False, is_erased=True)
    assert not is_same_event(encoded(), erased, may_be_rewritten=False)
    assert not is_same_event(encoded(), erased, may_be_rewritten=True), "this mark is about free text"
    assert not is_same_event(encoded(actor="eve"), erased, may_be_rewritten=False, is_erased=True)
    without_reason = encoded(userId=None, email=None, data={})
    assert not is_same_event(encoded(), without_reason, may_be_rewritten=False, is_erased=True)
    assert is_same_event(encoded(), without_reason, may_be_rewritten=True, is_erased=True)
    assert not is_same_event(b"{", erased, may_be_rewritten=True, is_erased=True)
    assert not is_same_event(b'{"data": 5}', erased, may_be_rewritten=True, is_erased=True)


@pytest.mark.parametrize("is_forged", [False, True])
def test_a_record_read_after_the_erasure_is_no_dead_letter_and_nobody_is_written_to(
    audited: AuditedApi, is_forged: bool
) -> None:
    """Notify was away: the record still has address and user, the log and the token have neither."""
    body = {"name": "Ada", "email": "ada@example.org"}
    user = audited.ask("POST", "/users", json=body).json()["userId"]
    name = department(audited)
    token = audited.ask("POST", f"/departments/{name}/tokens", json={"userId": user}).json()
    with psycopg.connect(audited.dsn) as connection:
        last = connection.execute("SELECT coalesce(max(dlq_id), 0) FROM mail_dlq").fetchone()
        of_token = "SELECT seq, payload FROM outbox WHERE token_id = %s ORDER BY seq"
        ((seq, payload),) = connection.execute(of_token, [token["tokenId"]]).fetchall()
    assert "ada@example.org" in payload
    body = {"claimVersion": token["claimVersion"]}
    assert audited.ask("POST", f"/tokens/{token['tokenId']}/cancel", json=body).status_code == 200
    assert audited.ask("POST", "/erasures", json={"userId": user}).json()["entries"] == 2

    published = payload.replace('"tokenNo":', '"tokenNo":9') if is_forged else payload

    async def enqueue() -> None:
        database = Database(audited.dsn, size=1)
        record = RawRecord("token-events", 7, seq + is_forged, published.encode())
        await PostgresNotificationQueue(database, 100).enqueue(*sort_out([record]), BY_EMAIL)
        await database.close()

    asyncio.run(enqueue())
    with psycopg.connect(audited.dsn) as connection:
        dead = connection.execute("SELECT reason FROM mail_dlq WHERE dlq_id > %s", last).fetchall()
        letters = connection.execute("SELECT 1 FROM mail_job WHERE token_id = %s", [token["tokenId"]]).fetchall()
    assert (dead, letters) == ([("unknown event",)] if is_forged else [], [])
