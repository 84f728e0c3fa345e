"""Refusals in the audit: each once, folded in a flood, never in the way of an answer, and never with typed text."""

import json
import secrets
import time
from pathlib import Path

import psycopg
import pytest

from tests.security.audited import AuditedApi, audited_api
from tests.servers import Servers
from tests.waiting import until

ADMIN_REQUESTS = {
    "POST /users": {"name": "x", "role": "admin", "id": 1, "state": "served", "tokenNo": 1, "prio": 9},
    "POST /departments": {"name": "x"},
    "DELETE /departments/CW": None,
    "GET /users": None,
    "POST /keys": {"label": "x"},
    "GET /audit": None,
}


@pytest.mark.parametrize("role", ["staff", "desk", "customer"])
@pytest.mark.parametrize("request_line", ADMIN_REQUESTS)
def test_each_missing_permission_leaves_one_row(audited: AuditedApi, role: str, request_line: str) -> None:
    """Rows 4 and 7: admin endpoints, also with a body that would make the caller an admin."""
    method, path = request_line.split()
    key = audited.key(role)
    before = audited.last()
    assert audited.ask(method, path, key, json=ADMIN_REQUESTS[request_line]).status_code == 403
    audited.last()

    (row,) = audited.rows(before, kind="access", code="forbidden")
    route = f"{method} /api/v1{path.replace('CW', '{department_id}')}"
    about = ("department:CW", route) if "CW" in path else (f"route:{route}", None)
    assert (row["actor"], row["target"], row["detail"]) == (f"{role} key", *about)


def test_a_token_of_another_department_names_that_department(audited: AuditedApi) -> None:
    """Row 3, by a token's id: what is refused is about HR, though no path names it."""
    token = audited.ask("POST", "/departments/HR/tokens", json={}).json()
    key = audited.key("staff", "CW")
    before = audited.last()
    move = {"claimVersion": token["claimVersion"]}
    assert audited.ask("POST", f"/tokens/{token['tokenId']}/cancel", key, json=move).status_code == 403
    audited.last()

    (row,) = audited.rows(before, code="forbidden")
    assert row["target"] == "department:HR"


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer x", "Basic YWRtaW46YWRtaW4=", "Bearer " + "x" * 500])
def test_an_invalid_credential_leaves_one_row_and_nothing_of_itself(audited: AuditedApi, authorization: str) -> None:
    """Row 6. The route is another one for each, so that none is folded with the one before."""
    path = {"Bearer": "/users", "Bearer x": "/keys", "Basic YWRtaW46YWRtaW4=": "/branches"}.get(authorization, "/floor")
    before = audited.last()
    answer = audited.ask("GET", path, "", headers={"Authorization": authorization})
    assert answer.status_code == 401
    audited.last()

    (row,) = [row for row in audited.rows(before, code="unauthenticated") if "roles" not in row["target"]]
    assert (row["kind"], row["actor"], row["target"]) == ("access", None, f"route:GET /api/v1{path}")
    assert row["request_id"] == answer.json()["requestId"] == answer.headers["x-request-id"]


def test_a_session_that_a_demotion_ended_is_refused_and_audited(audited: AuditedApi) -> None:
    """Row 9: the change has its row, and so has the next use of the session."""
    name, token = audited.session("staff", "CW")
    user_id = audited.ask("GET", "/auth/me", token).json()["userId"]
    before = audited.last()
    audited.ask("PATCH", f"/users/{user_id}", json={"role": "desk"})
    until(lambda: audited.ask("GET", "/departments", token).status_code == 401)
    audited.last()

    (change,) = audited.rows(before, kind="user.role")
    assert (change["target"], change["detail"]) == (f"user:{name}", "staff CW -> desk CW")
    (row,) = audited.rows(before, target="route:GET /api/v1/departments")
    assert (row["actor"], row["code"]) == (None, "unauthenticated")


def test_wrong_passwords_are_counted_in_one_row(audited: AuditedApi) -> None:
    """Row 22, until the limit; it names the account, which the answer does not."""
    name, _, _ = audited.user("staff", "CW")
    before = audited.last()
    codes = [audited.login(name, "wrong-password").status_code for _ in range(3)]
    audited.last()

    (row,) = audited.rows(before, kind="login")
    assert codes == [401, 401, 401]
    assert (row["target"], row["result"], row["count"]) == (f"user:{name}", "refused", 3)


def test_a_wrong_old_password_is_refused_under_the_user_s_name(audited: AuditedApi) -> None:
    name, token = audited.session("staff", "CW")
    before = audited.last()
    body = {"oldPassword": "wrong-password", "newPassword": "another-password"}
    assert audited.ask("POST", "/auth/password", token, json=body).status_code == 403
    audited.last()

    (row,) = [row for row in audited.rows(before) if row["actor"] == name]
    assert (row["kind"], row["target"], row["code"]) == ("user.password", f"user:{name}", "forbidden")


def test_what_is_refused_of_a_batch_is_counted_in_one_row(servers: Servers, schema: str, tmp_path: Path) -> None:
    """Row 31: the answer is 201, its items are refusals."""
    dsn = servers.new_database(schema)
    with audited_api(servers, dsn, tmp_path, TOKENQ_LIMIT_STAFF_ISSUES="3") as api:
        api.ask("PUT", "/departments/CW", json={"name": "Cash window"})
        answer = api.ask("POST", "/departments/CW/tokens:batch", api.key("desk", "CW"), json={"tokens": [{}] * 8})
        problems = [item["problem"]["code"] for item in answer.json()["items"] if "problem" in item]
        assert (answer.status_code, problems) == (201, ["rate_limited"] * 5)
        api.last()
        (row,) = api.rows(kind="rate_limit")
    servers.drop_database(dsn)
    assert (row["actor"], row["count"]) == ("desk key", 5)
    assert (row["target"], row["detail"]) == ("department:CW", "POST /api/v1/departments/{department_id}/tokens:batch")


def test_a_flood_becomes_few_rows_that_count_all_of_it(audited: AuditedApi) -> None:
    """A disk does not fill because somebody tries ids, departments and keys; what was done is still known."""
    key = audited.key("staff", "CW")
    before, lines = audited.last(), len(audited.log_lines())
    for number in range(40):
        audited.ask("DELETE", f"/users/{number + 1}", key)
        audited.ask("GET", f"/users/{number + 1}", secrets.token_hex(8))
    audited.last()

    rows = [row for row in audited.rows(before, kind="access") if "roles" not in row["target"]]
    assert [(row["target"], row["code"], row["count"]) for row in rows] == [
        ("route:DELETE /api/v1/users/{user_id}", "forbidden", 40),
        ("route:GET /api/v1/users/{user_id}", "unauthenticated", 40),
    ]
    assert len(audited.log_lines()) - lines < 10


def test_a_refusal_does_not_wait_for_the_audit(audited: AuditedApi) -> None:
    """Nor is it lost if the table is locked for a while."""
    key = audited.key("desk", "CW")
    before = audited.last()
    with psycopg.connect(audited.dsn) as connection:
        connection.execute("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        assert audited.ask("PUT", "/floor", key, json={}).status_code == 403
        elapsed = time.monotonic() - began
    assert elapsed < 5, "the store's own timeout is ten seconds"
    until(lambda: audited.rows(before, target="route:PUT /api/v1/floor"))


HOSTILE = [
    'x\n{"time": "2026-01-01", "level": "error", "message": "admin logged in"}',
    "x\r\n2026-01-01 ERROR admin logged in",
    "\x1b]52;c;cHduZWQ=\x1b\\",
    "'; DROP TABLE audit; --",
    "\u202eanna\u2066",
    "hunter2-my-password",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_typed_as_a_user_name_is_stored_nowhere(audited: AuditedApi, name: str) -> None:
    """Row 54: it forges no line; and people type passwords there."""
    before = audited.last()
    audited.login(name, "wrong-password")
    audited.last()

    assert {row["target"] for row in audited.rows(before, kind="login")} <= {"unknown"}
    assert audited.log_lines(), "each line is one object of JSON"
    text = audited.api.log.read_text() + json.dumps(audited.rows(), default=str)
    assert "admin logged in" not in text
    assert "DROP TABLE" not in text
    assert "hunter2" not in text


def test_hostile_paths_and_headers_are_stored_nowhere(audited: AuditedApi) -> None:
    key = audited.key("desk", "CW")
    before = audited.last()
    for path in ("/departments/CW%0a%1b[2J/open", "/departments/x%20OR%201=1", f"/departments/{'A' * 300}"):
        headers = {"X-Forwarded-For": "1.2.3.4, evil", "X-Request-Id": "forged-by-a-client"}
        assert audited.ask("PUT", path, key, json={"name": "x"}, headers=headers).status_code in (403, 404, 405)
    audited.last()

    stored = json.dumps(audited.rows(before), default=str)
    assert {row["source"] for row in audited.rows(before)} == {"127.0.0.1"}
    assert all(part not in stored for part in ("evil", "forged-by", "OR 1", "AAAA", "2J"))


def test_nothing_secret_or_personal_is_in_the_audit_or_the_log(audited: AuditedApi) -> None:
    """Row 80: passwords, keys, a customer's name and address, through every change that knows them."""
    canaries = {name: f"canary-{name}-{secrets.token_hex(6)}" for name in ("password", "second", "name", "wrong")}
    canaries["email"] = f"canary-{secrets.token_hex(6)}@example.org"
    canaries["customer"] = f"canary.{secrets.token_hex(6)}"
    canaries["label"] = f"canary-{secrets.token_hex(6)}@example.net"
    body = {"name": canaries["name"], "username": canaries["customer"], "email": canaries["email"]}
    user = audited.ask("POST", "/users", json={**body, "role": "customer", "password": canaries["password"]}).json()
    token = audited.login(canaries["customer"], canaries["password"]).json()["token"]
    audited.ask("GET", "/users", token)
    audited.login(canaries["customer"], canaries["wrong"])
    passwords = {"oldPassword": canaries["password"], "newPassword": canaries["second"]}
    assert audited.ask("POST", "/auth/password", token, json=passwords).status_code == 204
    user_path = f"/users/{user['userId']}"
    for change in ({"email": "x" + canaries["email"]}, {"username": "x" + canaries["customer"]}, {"role": "staff"}):
        assert audited.ask("PATCH", user_path, json=change).status_code == 200
    key = audited.ask("POST", "/keys", json={"label": canaries["label"], "role": "desk"}).json()
    audited.ask("GET", "/users", key["key"])
    audited.ask("POST", "/departments/CW/tokens", json={"name": canaries["name"], "email": canaries["email"]})
    audited.ask("DELETE", f"/keys/{key['keyId']}")
    audited.last()

    stored = json.dumps(audited.rows(), default=str) + audited.api.log.read_text()
    secret = [*canaries.values(), token, key["key"], audited.api.token, audited.api.password]
    is_staff_now = "x" + canaries["customer"]
    assert [text for text in secret if text in stored.replace(is_staff_now, "")] == []
    assert f"user:id:{user['userId']}" in stored


def test_two_accounts_from_one_address_are_two_rows(audited: AuditedApi) -> None:
    """Folding loses no account."""
    names = [audited.user("staff", "CW")[0] for _ in range(2)]
    before = audited.last()
    assert [audited.login(name, "wrong-password").status_code for name in names] == [401, 401]
    audited.last()

    assert {row["target"] for row in audited.rows(before, kind="login")} == {f"user:{name}" for name in names}
