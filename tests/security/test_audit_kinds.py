"""Row 80: each kind of security event leaves exactly one row and one log line, with who, what, how it ended and when.

The cases are those of the table of kinds: a new kind without a case fails.
"""

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.fakes import BY_EMAIL
from tests.security.audited import AuditedApi, Row
from tests.waiting import until
from tests.without_http import department_id
from tokenq.contract.audit import AuditKind
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.notification_queue import PostgresNotificationQueue
from tokenq_server.adapters.postgres.old_entries import PostgresOldEntries
from tokenq_server.notify.enqueuer import sort_out
from tokenq_server.services.notifications import RawRecord

MACHINE = "this machine"
"""The label of the key with which the API's administrator works."""


@dataclass(frozen=True)
class Left:
    """The row that a case must leave."""

    actor: str | None
    target: str
    code: str | None = None
    source: str | None = "127.0.0.1"


def log_in(audited: AuditedApi) -> Left:
    name, _, password = audited.user("staff", "CW")
    audited.login(name, password)
    return Left(name, f"user:{name}")


def log_out(audited: AuditedApi) -> Left:
    name, token = audited.session("staff", "CW")
    audited.ask("POST", "/auth/logout", token)
    return Left(name, f"user:{name}")


def call_elsewhere(audited: AuditedApi) -> Left:
    name, token = audited.session("staff", "CW")
    assert audited.ask("POST", "/departments/HR/call", token, json={"counterId": "1"}).status_code == 403
    return Left(name, "department:HR", "forbidden")


def guess_passwords(audited: AuditedApi) -> Left:
    name, _, _ = audited.user("staff", "CW")
    while audited.login(name, "wrong-password").status_code != 429:
        pass
    return Left(None, "route:POST /api/v1/auth/login", "rate_limited")


def create_user(audited: AuditedApi) -> Left:
    name, _, _ = audited.user("desk", "CW")
    return Left(MACHINE, f"user:{name}")


def changing(**change: object) -> Callable[[AuditedApi], Left]:
    def change_user(audited: AuditedApi) -> Left:
        name, user_id, _ = audited.user("staff", "CW")
        if change == {"disabled": False}:
            audited.ask("PATCH", f"/users/{user_id}", json={"disabled": True})
        assert audited.ask("PATCH", f"/users/{user_id}", json=change).status_code == 200
        assert audited.ask("PATCH", f"/users/{user_id}", json={**change, "password": None}).status_code in (200, 422)
        return Left(MACHINE, f"user:{name}")

    return change_user


def change_own_password(audited: AuditedApi) -> Left:
    name, _, password = audited.user("staff", "CW")
    token = audited.login(name, password).json()["token"]
    body = {"oldPassword": password, "newPassword": secrets.token_hex(8)}
    assert audited.ask("POST", "/auth/password", token, json=body).status_code == 204
    return Left(name, f"user:{name}")


def delete_user(audited: AuditedApi) -> Left:
    name, user_id, _ = audited.user("staff", "CW")
    audited.ask("DELETE", f"/users/{user_id}")
    return Left(MACHINE, f"user:{name}")


def create_key(audited: AuditedApi) -> Left:
    key_id = audited.ask("POST", "/keys", json={"label": "kiosk", "role": "desk"}).json()["keyId"]
    return Left(MACHINE, f"key:{key_id}")


def change_key(audited: AuditedApi) -> Left:
    key_id = audited.ask("POST", "/keys", json={"label": "kiosk", "role": "desk"}).json()["keyId"]
    audited.ask("PATCH", f"/keys/{key_id}", json={"role": "staff"})
    return Left(MACHINE, f"key:{key_id}")


def delete_key(audited: AuditedApi) -> Left:
    key_id = audited.ask("POST", "/keys", json={"label": "kiosk", "role": "desk"}).json()["keyId"]
    audited.ask("DELETE", f"/keys/{key_id}")
    return Left(MACHINE, f"key:{key_id}")


def take_counter_over(audited: AuditedApi) -> Left:
    (_, first), (name, second) = audited.session("staff", "CW"), audited.session("staff", "CW")
    body = {"counterId": "3", "departments": ["CW"]}
    path = "/branches/main/counters/open"
    assert audited.ask("POST", path, first, json=body).status_code == 200
    assert audited.ask("POST", path, first, json=body | {"takeOver": True}).status_code == 200, "takes it from nobody"
    assert audited.ask("POST", path, second, json=body).status_code == 409
    assert audited.ask("POST", path, second, json=body | {"takeOver": True}).status_code == 200
    return Left(name, "counter:main/3")


def import_users(audited: AuditedApi) -> Left:
    users = {f"u{secrets.token_hex(4)}": {"name": "Ada", "role": "staff", "departments": ["CW"]} for _ in range(2)}
    assert audited.ask("PUT", "/floor", json={"users": users}).status_code == 200
    assert audited.ask("PUT", "/floor", json={"users": users}).status_code == 200, "changes nothing, leaves nothing"
    return Left(MACHINE, "users")


def send_forged_record(audited: AuditedApi) -> Left:
    """Row 60. What notify does with a record; there are two, a moment after each other."""
    event = {
        "eventType": "TOKEN_CALLED",
        "eventId": "x",
        "schemaVersion": 1,
        "timestamp": "2026-08-07T10:23:45Z",
        "branchId": "main",
        "departmentId": "CW",
        "businessDay": "2026-08-07",
        "tokenId": 1,
        "tokenNo": 1,
        "displayNumber": "CW-001",
        "priority": "normal",
        "counterId": "1",
        "actor": "eve",
        "data": {},
    }
    records = [RawRecord("token-events", 0, seq, json.dumps(event | {"seq": seq}).encode()) for seq in (999, 1000)]

    async def enqueue() -> None:
        database = Database(audited.dsn, size=1)
        for record in records:
            await PostgresNotificationQueue(database, most_records=1000).enqueue(*sort_out([record]), BY_EMAIL)
        await database.close()

    asyncio.run(enqueue())
    return Left(None, "department:CW", "invalid", source=None)


def erase_person(audited: AuditedApi) -> Left:
    _, user_id, _ = audited.user("customer")
    assert audited.ask("POST", "/erasures", json={"userId": user_id, "dryRun": True}).json()["accounts"] == 1
    assert audited.ask("POST", "/erasures", json={"userId": user_id}).json()["accounts"] == 1
    return Left(MACHINE, f"user:id:{user_id}")


def read_person(audited: AuditedApi) -> Left:
    _, user_id, _ = audited.user("customer")
    assert audited.ask("POST", "/personal-data", json={"userId": user_id}).status_code == 200
    return Left(MACHINE, f"user:id:{user_id}")


def delete_old_entries(audited: AuditedApi) -> Left:
    """What housekeeping does."""
    name = department_id()
    audited.ask("PUT", f"/departments/{name}", json={"name": "Cash window"})
    audited.ask("POST", f"/departments/{name}/tokens", json={})
    with psycopg.connect(audited.dsn) as connection:
        old = "UPDATE outbox SET at = at - interval '40 days' WHERE department_id = %s AND seq = 1"
        connection.execute(old, [name])
        connection.execute("UPDATE relay_cursor SET seq = 2 WHERE department_id = %s", [name])

    async def delete() -> None:
        database = Database(audited.dsn, size=1)
        while await PostgresOldEntries(database).delete(30):
            pass
        await database.close()

    asyncio.run(delete())
    return Left("tokenq", "log of events", source=None)


CASES: dict[AuditKind, Callable[[AuditedApi], Left]] = {
    AuditKind.LOGIN: log_in,
    AuditKind.LOGOUT: log_out,
    AuditKind.ACCESS: call_elsewhere,
    AuditKind.RATE_LIMIT: guess_passwords,
    AuditKind.USER_CREATE: create_user,
    AuditKind.USER_UPDATE: changing(name="Ada Lovelace", email="ada@example.org"),
    AuditKind.USER_ROLE: changing(role="admin", departments=["HR"]),
    AuditKind.USER_DISABLE: changing(disabled=True),
    AuditKind.USER_ENABLE: changing(disabled=False),
    AuditKind.USER_PASSWORD: change_own_password,
    AuditKind.USER_DELETE: delete_user,
    AuditKind.KEY_CREATE: create_key,
    AuditKind.KEY_UPDATE: change_key,
    AuditKind.KEY_DELETE: delete_key,
    AuditKind.COUNTER_TAKEOVER: take_counter_over,
    AuditKind.FLOOR_IMPORT: import_users,
    AuditKind.RECORD_UNKNOWN: send_forged_record,
    AuditKind.PERSON_ERASE: erase_person,
    AuditKind.PERSON_READ: read_person,
    AuditKind.LOG_DELETE: delete_old_entries,
}
IN_ANOTHER_PROCESS = {AuditKind.RECORD_UNKNOWN, AuditKind.LOG_DELETE}
"""Its log line is not the API's."""


@pytest.mark.parametrize("kind", AuditKind)
def test_a_security_event_leaves_one_row_and_one_line(audited: AuditedApi, kind: AuditKind) -> None:
    before, began = audited.last(), datetime.now(UTC)
    left = CASES[kind](audited)

    def rows() -> list[Row]:
        return [row for row in audited.rows(before, kind=str(kind)) if row["target"] == left.target]

    until(rows)
    audited.last()
    (row,) = rows()
    result = "refused" if left.code else "done"
    assert (row["actor"], row["source"], row["result"], row["code"]) == (left.actor, left.source, result, left.code)
    assert began - timedelta(seconds=1) <= row["at"] <= datetime.now(UTC)
    assert row["count"] == (2 if kind is AuditKind.RECORD_UNKNOWN else 1)
    if kind not in IN_ANOTHER_PROCESS:
        request = {"requestId": row["request_id"], "kind": str(kind)}
        (line,) = [line for line in audited.log_lines() if request.items() <= line.items()]
        assert (line["message"], line["object"], line["result"]) == ("security event", left.target, result)


def test_an_ordinary_day_leaves_no_row(audited: AuditedApi) -> None:
    """Issuing and calling cost no statement more: they are in the department's log."""
    key = audited.key("staff", "CW")
    before = audited.last()
    token = audited.ask("POST", "/departments/CW/tokens", key, json={}).json()
    called = audited.ask("POST", "/departments/CW/call", key, json={"counterId": "9"})
    assert (called.status_code, token["state"]) == (200, "WAITING")
    audited.ask("GET", f"/tokens/{token['tokenId']}", "")  # nobody claims to be anybody
    audited.last()

    assert [row for row in audited.rows(before) if row["target"] != "route:GET /api/v1/roles"] == []
