"""Requests that say one thing in one place and another thing in another. Rows 2, 10 to 14 and 24."""

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from redis import Redis

from tests.security.audited import AuditedApi
from tests.security.test_role_matrix import DOCUMENT
from tests.servers import Servers

PATHS = DOCUMENT["paths"]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
CHANGES = [path for path, methods in PATHS.items() if "get" not in methods]
"""What only changes something; the first implementation issued tokens by GET."""
OTHERS = {"department_id": "CW", "branch_id": "main", "token_id": "1", "user_id": "1", "key_id": "1", "secret": "A"}
STRANGE = ["CW%2f..%2fHR", "CW%2F..%2FHR", "..%2fHR", "CW%00", "CW%0d%0aSET", "cw", "%EF%BC%A3%EF%BC%B7", "C" * 300]
STRANGE += [
    "CW%20",
    "%20CW",
    "CW;x=1",
    "CW}:meta",
    "%7Bx%7D",
    "*",
    "CW%252f..%252fHR",
    "C%57%00",
    "a%20b",
    "CW%E2%80%8B",
]
NEW_IDS = [
    "CW}:meta",
    "{x}",
    "*",
    "a b",
    "CW\r\nSET",
    "cw",
    "ＣＷ",
    "C" * 9,
    "1CW",
    "",
    "CW\x00",
    "CW\u200b",
    "C-W",
    "С",
]


@pytest.fixture(scope="module")
def client(audited: AuditedApi) -> Iterator[httpx.Client]:
    """The admin's."""
    headers = {"Authorization": f"Bearer {audited.api.token}"}
    with httpx.Client(base_url=audited.api.url, headers=headers, timeout=20) as found:
        yield found


def seq_of(client: httpx.Client, department: str) -> int:
    """How much has happened in a department."""
    return int(client.get(f"/api/v1/departments/{department}/queue").json()["seq"])


@pytest.mark.parametrize("path", CHANGES)
def test_reading_never_changes(client: httpx.Client, path: str) -> None:
    """Row 10."""
    before = seq_of(client, "CW")
    for method in ("GET", "HEAD"):
        answer = client.request(method, path.format(**OTHERS))
        assert answer.status_code == 405
    assert seq_of(client, "CW") == before


@pytest.mark.parametrize("path", PATHS)
def test_another_method_is_refused_and_the_possible_ones_are_named(client: httpx.Client, path: str) -> None:
    """Row 10, and RFC 9110: 405 with Allow, which the framework fills with the first route's methods only."""
    possible = {method.upper() for method in PATHS[path]}
    possible |= {"HEAD"} if "GET" in possible else set()
    for method in {*METHODS, "OPTIONS", "TRACE", "PROPFIND"} - possible:
        answer = client.request(method, path.format(**OTHERS))
        assert answer.status_code == 405, method
        assert set(answer.headers["allow"].split(", ")) == possible


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/board", "/api/v1/departments", "/nothing"])
def test_head_is_get_without_its_body(client: httpx.Client, path: str) -> None:
    """As load balancers and monitors ask."""
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.headers["content-type"]) == (get.status_code, get.headers["content-type"])
    assert (head.content, bool(get.content)) == (b"", True)


def test_head_of_a_stream_ends(client: httpx.Client) -> None:
    answer = client.head("/api/v1/events")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/event-stream")


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"])
def test_the_method_is_the_request_s(client: httpx.Client, name: str) -> None:
    """Row 11."""
    for value in ("DELETE", "PUT"):
        answer = client.get("/api/v1/departments/HR", headers={name: value})
        assert (answer.status_code, answer.json()["departmentId"]) == (200, "HR")
        assert client.get("/api/v1/departments/HR", params={name: value}).status_code == 422
        answer = client.post("/api/v1/departments/HR", headers={name: value}, params={name: value}, json={"name": "X"})
        assert answer.status_code == 405
    assert client.get("/api/v1/departments/HR").json()["name"] == "Human resources"


def test_a_customer_is_who_has_logged_in(audited: AuditedApi) -> None:
    """Row 12: another ``userId`` in the body or in the query is refused."""
    _, ada = audited.session("customer")
    _, bob, _ = audited.user("customer")
    issue = "/departments/CW/tokens"
    refused = audited.ask("POST", issue, ada, json={"userId": bob})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert audited.ask("POST", f"{issue}?userId={bob}", ada, json={}).status_code == 422
    token = audited.ask("POST", issue, ada, json={}).json()
    assert token["userId"] == audited.ask("GET", "/auth/me", ada).json()["userId"] != bob
    listed = audited.ask("GET", f"/tokens?userId={bob}", ada).json()["items"]
    assert [each["tokenId"] for each in listed] == [token["tokenId"]]


@pytest.mark.parametrize(
    "raw", [b'{"userId":1,"userId":2}', b'{"name":"A","name":"B"}', b'{"email":null,"email":"a@b.io"}']
)
def test_a_name_that_comes_twice_is_refused(client: httpx.Client, raw: bytes) -> None:
    """Row 12: a proxy in front may read the first one and we the last."""
    before = seq_of(client, "CW")
    sent = {"Content-Type": "application/json"}
    assert client.post("/api/v1/departments/CW/tokens", content=raw, headers=sent).status_code == 422
    assert seq_of(client, "CW") == before


@pytest.mark.parametrize("query", ["departmentId=CW&departmentId=HR", "limit=1&limit=100000", "limit=1&limit=1"])
def test_a_parameter_that_comes_twice_is_refused(client: httpx.Client, query: str) -> None:
    """Row 12: a proxy in front may read the first one and we the last."""
    assert client.get(f"/api/v1/tokens?{query}").status_code == 422


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("POST", "/tokens"), ("GET", "/queue"), ("POST", "/call")])
def test_a_strange_department_is_no_other_one(client: httpx.Client, name: str, method: str, rest: str) -> None:
    """Row 13."""
    before = seq_of(client, "CW"), seq_of(client, "HR")
    body = {"counterId": "1"} if rest == "/call" else {} if method == "POST" else None
    answer = client.request(method, f"/api/v1/departments/{name}{rest}", json=body)
    assert answer.status_code in (404, 405, 422)
    assert answer.json()["code"] in ("not_found", "invalid", "unknown_department", "method_not_allowed")
    assert (seq_of(client, "CW"), seq_of(client, "HR")) == before


@pytest.mark.parametrize("name", NEW_IDS, ids=ascii)
def test_a_department_s_id_is_letters_and_digits(client: httpx.Client, name: str) -> None:
    """Row 14; the last one is Cyrillic."""
    body = {"departmentId": name, "name": "Cash window"}
    answer = client.post("/api/v1/departments", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert client.put(f"/api/v1/departments/{quote(name, safe='')}", json=body).status_code in (404, 405, 422)
    assert client.put("/api/v1/floor", json={"departments": {name: {"name": "Cash window"}}}).status_code == 422


def test_redis_has_only_our_keys(servers: Servers, client: httpx.Client) -> None:
    """Rows 13 and 14: after all of the above."""
    with Redis.from_url(servers.redis_url) as redis:
        assert [key for key in redis.scan_iter() if not key.startswith(b"tq:")] == []


@pytest.mark.parametrize(
    "name", ["token", "access_token", "api_key", "key", "authorization", "bearer", "Authorization"]
)
def test_a_credential_in_the_address_is_none(audited: AuditedApi, name: str) -> None:
    """Row 24: addresses are in logs, histories and referrers; ours has neither."""
    key = audited.key("admin")
    for path in ("/users", "/auth/me", "/departments"):
        answer = audited.ask("GET", path, "", params={name: key})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert key not in answer.text
    assert audited.ask("GET", "/auth/me", "", headers={"Cookie": f"{name}={key}"}).status_code == 401
    assert audited.ask("POST", "/auth/logout", "", data={name: key}).status_code == 401
    assert key not in audited.api.log.read_text()
    assert key not in str(audited.rows())
