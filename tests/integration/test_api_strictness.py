"""What the API refuses, and how."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from tests.stack import Stack
from tests.without_http import department_id
from tokenq_server.api import problems
from tokenq_server.api.app import ROUTERS
from tokenq_server.api.routes import health
from tokenq_server.api.strictness import Bounded, StrictBody, StrictRoute

BAD_BODIES: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b'{"unknown":1}',
    b'{"tokenNo":1}',
    b'{"state":"SERVED"}',
    b'{"priority":"vip"}',
    b'{"priority":1}',
    b'{"userId":"1"}',
    b'{"userId":true}',
    b'{"userId":-1}',
    b'{"userId":1.5}',
    b'{"userId":1e400}',
    b'{"userId":9223372036854775808}',
    b'{"email":"a@b.com, c@d.com"}',
    b'{"email":"a@b.com\\r\\nRCPT TO:<x@y.com>"}',
    b'{"email":"<a@b.com>"}',
    b'{"email":"a@[127.0.0.1]"}',
    b'{"email":"a@localhost"}',
    b'{"name":""}',
    b'{"name":"   "}',
    b'{"name":"\\u3164"}',
    b'{"name":"A\\u0000"}',
    b'{"name":"A\\u001b[2J"}',
    b'{"name":"A\\u009b31m"}',
    b'{"name":"A\\u202eB"}',
    b'{"name":"A\\nB"}',
    b'{"name":"A =?UTF-8?Q?=0A?=Bcc: x@y.com"}',
    b'{"name":"\\ud800"}',
    b'{"name":"' + b"x" * 121 + b'"}',
    b"[" * 5_000,
    b"\xff\xfe",
    b'{"name":"Ann","name":"Ben"}',
    b'{"nearTurn":NaN}',
    b'{"nearTurn":Infinity}',
    b'\xef\xbb\xbf{"name":"Ann"}',
    '{"name":"Ann"}'.encode("utf-16"),
    '{"name":"Ann"}'.encode("utf-32"),
    b'{"name":"\xe4"}',
]


@pytest.fixture(scope="module")
def department(running: Stack) -> str:
    name = department_id()
    running.ask("PUT", f"/api/v1/departments/{name}", {"name": "Cash window"})
    return name


def post(stack: Stack, path: str, raw: bytes, **headers: str) -> httpx.Response:
    sent = {"Authorization": f"Bearer {stack.token}", "Content-Type": "application/json", **headers}
    return httpx.post(stack.endpoints.api + path, content=raw, headers=sent, timeout=10)


@pytest.mark.parametrize("raw", BAD_BODIES, ids=lambda raw: repr(raw)[:40])
def test_a_bad_body_is_refused_and_changes_nothing(running: Stack, department: str, raw: bytes) -> None:
    """Strict bodies: nothing unknown, coerced or unprintable; never a 500."""
    before = running.ask("GET", f"/api/v1/departments/{department}/queue")[1]["seq"]
    answer = post(running, f"/api/v1/departments/{department}/tokens", raw)

    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid"
    assert answer.json()["hint"]
    assert running.ask("GET", f"/api/v1/departments/{department}/queue")[1]["seq"] == before


@pytest.mark.parametrize("name", ["cw", "CW%2f..%2fHR", "CW%00", "%EF%BC%A3W", "C" * 300, "CW}:meta", "*", "1CW"])
def test_odd_department_ids_are_refused(running: Stack, name: str) -> None:
    """No path trick reaches another department or another Redis key."""
    answer = post(running, f"/api/v1/departments/{name}/tokens", b"{}")

    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "schlüssel"])
def test_an_odd_idempotency_key_is_refused(running: Stack, department: str, key: str) -> None:
    """A key that cannot be repeated exactly protects no one."""
    answer = httpx.post(
        f"{running.endpoints.api}/api/v1/departments/{department}/tokens",
        json={},
        headers=[(b"Authorization", f"Bearer {running.token}".encode()), (b"Idempotency-Key", key.encode())],
        timeout=10,
    )

    assert answer.status_code in (400, 422)


def test_a_key_belongs_to_its_owner_and_its_request(running: Stack, department: str) -> None:
    """Same owner, same request: the same bytes. Same key, other request: refused."""
    path = f"/api/v1/departments/{department}/tokens"
    first, again = (post(running, path, b'{"name":"Ada"}', **{"Idempotency-Key": "k-1"}) for _ in range(2))
    other = post(running, path, b'{"name":"Bob"}', **{"Idempotency-Key": "k-1"})

    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_a_large_body_is_refused(running: Stack, department: str) -> None:
    """A client cannot fill the memory."""
    answer = post(running, f"/api/v1/departments/{department}/tokens", b'{"name":"' + b"x" * 400_000 + b'"}')

    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("DELETE", "/api/v1/tokens/1", 405, "method_not_allowed"),
        ("GET", "/api/v1/tokens/0", 422, "invalid"),
        ("GET", "/api/v1/tokens/999999999", 404, "unknown_token"),
        ("GET", "/api/v1/tokens?limit=1000000", 422, "invalid"),
        ("GET", "/api/v1/tokens?state=ASLEEP", 422, "invalid"),
        ("GET", "/api/v1/departments/NONE", 404, "unknown_department"),
        ("GET", "/api/v1/branches/nowhere", 404, "unknown_branch"),
        ("GET", "/api/v1/users/999999", 404, "unknown_user"),
        ("DELETE", "/api/v1/keys/999999", 404, "unknown_key"),
        ("POST", "/api/v1/departments/NONE/call", 404, "unknown_department"),
    ],
)
def test_every_refusal_is_a_problem(running: Stack, method: str, path: str, status: int, code: str) -> None:
    """A stable code, a sentence and a hint; no internals."""
    body = {"counterId": "1"} if method == "POST" else None
    found, problem = running.ask(method, path, body)

    assert (found, problem["code"]) == (status, code)
    assert problem["detail"].endswith(".")
    assert problem["hint"]
    assert not {"Traceback", "psycopg", "sqlalchemy", "SELECT"} & set(json.dumps(problem).split())


@pytest.mark.parametrize(
    "body",
    [
        {"name": "X", "departmentId": "cw"},
        {"name": "X", "numberFormat": "{number:__class__}"},
        {"name": "X", "numberFormat": "{prefix.__class__}"},
        {"name": "X", "prefix": "c w"},
        {"name": "X", "ratio": "0:1"},
        {"name": "X", "ratio": "a:b"},
        {"name": "X", "maxWaitMinutes": 0},
        {"name": "X", "branchId": "nowhere"},
        {"departmentId": "QQ"},
    ],
    ids=str,
)
def test_an_invalid_department_is_refused(running: Stack, body: dict[str, Any]) -> None:
    """Formats are a closed language: they cannot reach into Python."""
    assert running.ask("POST", "/api/v1/departments", body)[0] in (404, 422)


def test_a_department_needs_only_a_name(running: Stack) -> None:
    """The id is made of the name's letters, is free, and is not another prefix plus digits."""
    first = running.ask("POST", "/api/v1/departments", {"name": "Quite New Desk"})[1]
    second = running.ask("POST", "/api/v1/departments", {"name": "Quite New Desk"})[1]

    assert (first["departmentId"], second["departmentId"]) == ("QND", "QU")


def test_put_is_idempotent(running: Stack) -> None:
    """Declarative: the second PUT changes nothing."""
    name = department_id()
    body = {"name": "Cash window", "ratio": "3:1", "prefix": "K", "numberFormat": "{prefix}{number:03d}"}
    answers = [running.ask("PUT", f"/api/v1/departments/{name}", body)[1] for _ in range(2)]

    assert answers[0] == answers[1]
    assert running.ask("POST", f"/api/v1/departments/{name}/tokens", {})[1]["displayNumber"] == "K001"
    assert running.ask("POST", "/api/v1/departments", body | {"departmentId": name})[1]["code"] == "exists"


def test_a_department_in_use_is_not_deleted(running: Stack) -> None:
    """While tokens are live it stays; afterwards it can be deleted, and recreated with its history."""
    name = department_id()
    path = f"/api/v1/departments/{name}"
    running.ask("PUT", path, {"name": "Cash window"})
    token = running.ask("POST", f"{path}/tokens", {})[1]
    assert running.ask("DELETE", path)[1]["code"] == "in_use"

    running.ask("POST", f"/api/v1/tokens/{token['tokenId']}/cancel", {})

    assert running.ask("DELETE", path)[0] == 204
    assert running.ask("GET", path)[0] == 404
    assert running.ask("PUT", path, {"name": "Cash window"})[0] == 200
    assert running.ask("POST", f"{path}/tokens", {})[1]["tokenNo"] == 2


def test_a_hundred_tokens_in_one_request(running: Stack, department: str) -> None:
    """A kiosk's batch: all are issued, and it is repeatable with its key."""
    path = f"/api/v1/departments/{department}/tokens:batch"
    body = {"tokens": [{}] * 99 + [{"userId": 987_654}]}
    answers = [running.ask("POST", path, body, key="batch-1") for _ in range(2)]
    items = answers[0][1]["items"]

    assert answers[0][0] == 201
    assert len({item["tokenId"] for item in items[:99]}) == 99
    assert items[99]["problem"]["code"] == "unknown_user"
    assert [item["tokenId"] for item in answers[1][1]["items"][:99]] == [item["tokenId"] for item in items[:99]]


def test_the_documentation_describes_every_route_with_examples(running: Stack) -> None:
    """/openapi.json is what integrators read."""
    document = httpx.get(f"{running.endpoints.api}/openapi.json", timeout=10).json()

    assert len(document["paths"]) > 25
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description") or operation.get("summary"), (method, path)
    issue = document["components"]["schemas"]["IssueToken"]
    assert issue["examples"]
    assert issue["additionalProperties"] is False


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/auth/login", {"username": "a\u0000b", "password": "x"}),
        ("GET", "/api/v1/tokens?displayNumber=%00", None),
        ("GET", f"/api/v1/tokens?cursor={10**23}", None),
        ("GET", f"/api/v1/tokens?userId={10**23}", None),
        ("GET", f"/api/v1/users?cursor={10**23}", None),
        ("POST", "/api/v1/departments", {"name": "X", "prefix": "CW\n"}),
        ("POST", "/api/v1/departments", {"name": "X", "numberFormat": "{number}\n"}),
    ],
    ids=str,
)
def test_hostile_values_are_refused(running: Stack, method: str, path: str, body: Any) -> None:
    """What the database cannot store is refused earlier."""
    assert running.ask(method, path, body)[0] == 422


def test_long_keys_of_a_batch_are_recorded_apart(running: Stack, department: str) -> None:
    """Two keys that differ only at the end are two requests."""
    path = f"/api/v1/departments/{department}/tokens:batch"
    ids = {running.ask("POST", path, {"tokens": [{}]}, key="x" * 252 + end)[1]["items"][0]["tokenId"] for end in "ab"}

    assert len(ids) == 2


@pytest.mark.parametrize("name", ["علی\u200cرضا", "👩\u200d👧 Família", "Zoë O'Hara-Łukasz"])
def test_real_names_are_accepted(running: Stack, department: str, name: str) -> None:
    """Joiners are e-mails in some scripts."""
    assert running.ask("POST", f"/api/v1/departments/{department}/tokens", {"name": name})[1]["name"] == name


def test_a_name_that_is_an_id_becomes_the_id(running: Stack) -> None:
    """'dept create LAB' creates LAB."""
    name = department_id()
    assert running.ask("POST", "/api/v1/departments", {"name": name})[1]["departmentId"] == name
    assert running.ask("POST", "/api/v1/departments", {"name": name})[1]["code"] == "exists"


def test_one_lobby_never_shows_the_same_number_twice(running: Stack, department: str) -> None:
    """Two departments of a branch with one prefix would both call 001."""
    body = {"departmentId": department_id(), "name": "Other", "prefix": department}

    assert running.ask("POST", "/api/v1/departments", body)[1]["code"] == "exists"


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [
        ("PATCH", "/api/v1/departments/{D}", {"dayEnd": "Keep"}, "dayEnd must be 'expire' or 'keep'."),
        ("POST", "/api/v1/departments/{D}/tokens:batch", {"tokens": []}, "tokens must not be empty."),
    ],
)
def test_a_refused_field_is_described_in_plain_words(
    running: Stack, department: str, method: str, path: str, body: Any, sentence: str
) -> None:
    """Without the terms of the framework: what is allowed, and that a list has items."""
    status, answer = running.ask(method, path.format(D=department), body)
    assert (status, answer["detail"]) == (422, sentence)


def test_every_route_reads_its_body_strictly() -> None:
    for router in ROUTERS:
        kind = StrictBody if router is health.router else StrictRoute  # a probe may add what it likes
        assert {type(route) for route in router.routes} == {kind}, router.tags


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("number=CW-001", "This address has no parameter 'number'."),
        ("displaynumber=CW-001", "This address has no parameter 'displaynumber'."),
        ("departmentId=A&departmentId=B", "The parameter 'departmentId' is given more than once."),
        ("=1", "This address has no parameter ''."),
    ],
)
def test_a_query_that_would_be_ignored_or_means_two_things_is_refused(
    running: Stack, query: str, sentence: str
) -> None:
    """A misspelt filter would list everything."""
    answer = httpx.get(f"{running.endpoints.api}/api/v1/tokens?{query}", headers=signed_in(running))
    assert (answer.status_code, answer.json()["detail"]) == (422, sentence)


def test_a_misspelt_dry_run_changes_nothing(running: Stack) -> None:
    floor = f"{running.endpoints.api}/api/v1/floor"
    before = httpx.get(floor, headers=signed_in(running)).json()
    sent = {"branches": {department_id().lower(): {"name": "North"}}}
    answer = httpx.put(f"{floor}?dry_run=true", json=sent, headers=signed_in(running))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert httpx.get(floor, headers=signed_in(running)).json() == before


def test_a_number_is_not_issued_with_a_parameter_that_means_nothing(running: Stack) -> None:
    """The everyday way of such requests looks at the query, too."""
    answer = httpx.post(
        f"{running.endpoints.api}/api/v1/departments/CW/tokens?priority=urgent", json={}, headers=signed_in(running)
    )
    assert (answer.status_code, answer.json()["detail"]) == (422, "This address has no parameter 'priority'.")


def test_lists_may_repeat_and_probes_may_add_what_they_like(running: Stack) -> None:
    api = running.endpoints.api
    states = httpx.get(f"{api}/api/v1/tokens?state=WAITING&state=CALLED", headers=signed_in(running))
    assert (states.status_code, httpx.get(f"{api}/healthz?at=1").status_code) == (200, 200)


def signed_in(running: Stack) -> dict[str, str]:
    return {"Authorization": f"Bearer {running.token}"}


def test_an_address_with_a_slash_behind_it_is_no_way_to_another_host(running: Stack) -> None:
    """A redirect would send the bearer token to whatever the Host header names."""
    sent = {"Authorization": f"Bearer {running.token}", "Host": "evil.example"}
    answer = httpx.get(f"{running.endpoints.api}/api/v1/departments/", headers=sent, follow_redirects=False)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_headers_that_are_too_long_are_refused(running: Stack) -> None:
    sent = {"Authorization": f"Bearer {running.token}", "X-Long": "x" * 200_000}
    answer = httpx.get(f"{running.endpoints.api}/api/v1/departments", headers=sent)
    assert (answer.status_code, answer.json()["code"]) == (431, "headers_too_large")
    sent["X-Long"] = "x" * 20_000
    assert httpx.get(f"{running.endpoints.api}/api/v1/departments", headers=sent).status_code == 200


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1969-12-31", "9998-12-31"])
def test_days_beyond_every_calendar_list_no_token(running: Stack, department: str, day: str) -> None:
    for more in ("", "&displayNumber=CW-001"):
        path = f"/api/v1/tokens?departmentId={department}&businessDay={day}{more}"
        status, answer = running.ask("GET", path)
        assert (status, answer["items"]) == (200, []), answer


async def test_a_body_that_never_ends_is_given_up() -> None:
    """Whoever sends half a body holds nothing for long; what is complete may take as long as it likes to answer."""
    app = FastAPI()

    @app.post("/")
    async def echo(request: Request) -> dict[str, int]:
        body = await request.body()
        await asyncio.sleep(0.3)
        return {"length": len(body)}

    problems.register(app)
    bounded = Bounded(app, body_seconds=0.2)
    pieces = [{"type": "http.request", "body": b"{", "more_body": True}]
    assert await status_of(bounded, pieces) == (408, b"close")
    pieces = [{"type": "http.request", "body": b"{}", "more_body": False}]
    assert await status_of(bounded, pieces) == (200, None)


async def status_of(app: Any, pieces: list[dict[str, Any]]) -> tuple[int, bytes | None]:
    """The answer to a request of which these pieces arrive and then nothing: its status and header Connection."""
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [], "http_version": "1.1"}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if pieces:
            return pieces.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]).get(b"connection")
