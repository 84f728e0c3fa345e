"""What goes wrong is told as a problem, and tells nothing about the machine. Row 16."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.security.audited import AuditedApi
from tests.security.conftest import Start
from tests.security.processes import running
from tests.security.test_role_matrix import DOCUMENT
from tests.servers import Running, Servers
from tests.valkeys import OwnValkey
from tokenq.contract.enums import Role
from tokenq.contract.problems import ProblemCode

INTERNALS = ("Traceback", "psycopg", "sqlalchemy", "pydantic", "fastapi", "starlette", "SELECT ", "INSERT ", "UPDATE ")
INTERNALS += (
    "postgresql://",
    "redis://",
    "127.0.0.1",
    "site-packages",
    ".py",
    "/home/",
    "/usr/",
    "/tmp/",
    "0x",
    "Error",
)
BIG = 2**63
FAILURES: list[tuple[str, str, Any]] = [
    ("GET", "/nowhere", None),
    ("GET", "/api/v1/../../etc/passwd", None),
    ("GET", "/api/v1/departments/nowhere", None),
    ("GET", "/api/v1/departments/NONE", None),
    ("GET", "/api/v1/departments/NONE/report?businessDay=0000-00-00", None),
    ("GET", "/api/v1/departments/CW/report?businessDay=9999-12-31", None),
    ("GET", "/api/v1/departments/CW/report?from=today&to=2020-01-01", None),
    ("GET", "/api/v1/departments/CW/simulation?counters=9-1", None),
    ("GET", "/api/v1/branches/nowhere/board", None),
    ("GET", "/api/v1/branches/nowhere/counters", None),
    ("GET", "/api/v1/tokens/abc", None),
    ("GET", "/api/v1/tokens/0", None),
    ("GET", f"/api/v1/tokens/{BIG}", None),
    ("GET", f"/api/v1/tokens/{BIG - 1}", None),
    ("GET", "/api/v1/tokens?state=ASLEEP", None),
    ("GET", "/api/v1/tokens?businessDay=0", None),
    ("GET", "/api/v1/tokens?businessDay=2026-13-45", None),
    ("GET", "/api/v1/tokens?cursor=-1", None),
    ("GET", "/api/v1/users/999999", None),
    ("GET", "/api/v1/users?limit=1e9", None),
    ("GET", "/api/v1/audit?from=whenever", None),
    ("GET", "/events?departmentId=" + "&departmentId=".join(["X"] * 1001), None),
    ("DELETE", "/api/v1/departments/NONE", None),
    ("DELETE", "/api/v1/branches/main", None),
    ("DELETE", "/api/v1/keys/999999", None),
    ("DELETE", "/api/v1/branches/main/counters?counterId=none", None),
    ("DELETE", "/api/v1/tokens/1", None),
    ("POST", "/api/v1/departments", {"name": "X", "branchId": "nowhere"}),
    ("POST", "/api/v1/departments", {"name": "X", "numberFormat": "{number.__class__}"}),
    ("POST", "/api/v1/departments", {"name": "X", "hours": "whenever"}),
    ("POST", "/api/v1/departments/CW/tokens", {"userId": 987_654_321}),
    ("POST", "/api/v1/departments/CW/tokens", {"userId": BIG}),
    ("POST", "/api/v1/departments/CW/tokens", {"name": 5}),
    ("POST", "/api/v1/departments/CW/tokens", {"name": "x" * 500_000}),
    ("POST", "/api/v1/departments/CW/tokens:batch", {"tokens": [{}] * 101}),
    ("POST", "/api/v1/departments/CW/call", {"counterId": "1", "tokenId": 999_999, "reason": "x"}),
    ("POST", "/api/v1/departments/HR/call", {"counterId": "1"}),
    ("POST", "/api/v1/tokens/999999/serve", {"claimVersion": 0}),
    ("POST", "/api/v1/users", {"name": "X", "role": "king"}),
    ("POST", "/api/v1/users", {"name": "X", "role": "staff", "departments": ["NONE"]}),
    ("POST", "/api/v1/users", {"name": "X", "username": "a b"}),
    ("POST", "/api/v1/auth/login", {"username": "admin", "password": "wrong"}),
    ("POST", "/api/v1/auth/password", {"oldPassword": "x", "newPassword": "short"}),
    ("PUT", "/api/v1/floor", {"departments": {"CW": {"name": "X", "branchId": "nowhere"}}}),
    ("PUT", "/api/v1/branches/main", {"name": "X", "timezone": "../../etc/passwd"}),
    ("PATCH", "/api/v1/departments/CW", {"ratio": "0:0"}),
]
READS = [
    path for path, methods in DOCUMENT["paths"].items() if "get" in methods and path not in ("/events", "/metrics")
]


def check(answer: httpx.Response, *secrets: str) -> None:
    """It is a problem, as the document describes it, without a word about our insides."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    schema = DOCUMENT["components"]["schemas"]["Problem"]
    assert set(schema["required"]) <= problem.keys()
    assert problem["code"] in schema["properties"]["code"]["enum"]
    assert ProblemCode(problem["code"]).status == problem["status"] == answer.status_code
    assert problem["detail"].endswith((".", "?"))
    assert [word for word in (*INTERNALS, *secrets) if word in answer.text] == []


@pytest.fixture(scope="module")
def client(audited: AuditedApi) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {audited.api.token}"}
    with httpx.Client(base_url=audited.api.url, headers=headers, timeout=20) as found:
        yield found


def test_forty_failures_are_provoked() -> None:
    assert len(FAILURES) >= 40


@pytest.mark.parametrize(("method", "path", "body"), FAILURES, ids=lambda value: str(value)[:40])
def test_a_failure_is_a_problem_and_tells_nothing_else(client: httpx.Client, method: str, path: str, body: Any) -> None:
    answer = client.request(method, path, json=body)
    assert 400 <= answer.status_code < 500
    check(answer)


async def test_a_database_that_is_away_is_one_sentence(servers: Servers, schema: str) -> None:
    dsn = servers.new_database(schema)
    async with running(dsn, servers.redis_url, number=1) as one:
        admin = one.client(await one.key(Role.ADMIN))
        await one.department()
        assert (await admin.get("/api/v1/auth/me")).status_code == 200
        servers.drop_database(dsn)
        for path in READS:
            example = path.format(department_id="CW", branch_id="main", token_id=1, user_id=1, secret="A" * 22)
            answer = await admin.get(example + ("?counters=1" if "simulation" in path else ""))
            if path == "/readyz":
                continue
            if answer.status_code != 200:  # some answer from memory
                assert answer.status_code == 503, (path, answer.text)
                assert answer.headers["retry-after"]
                check(answer, dsn)
        answer = await admin.post("/api/v1/departments/CW/tokens", json={})
        assert answer.status_code == 503
        check(answer, dsn)


async def test_without_redis_nothing_is_told_about_it(start: Start, own_valkey: Running[OwnValkey]) -> None:
    async with start() as both:
        admin = both.client(await both.key(Role.ADMIN))
        await both.department()
        own_valkey.kill()
        for method, path, body in FAILURES[:12]:
            answer = await admin.request(method, path, json=body)
            check(answer, own_valkey.server.url)
        assert (await admin.post("/api/v1/departments/CW/tokens", json={})).status_code == 201


async def test_a_bug_is_one_sentence(servers: Servers, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that nobody has foreseen tells its number in the log, and nothing else."""
    async with start(number=1) as one:
        admin = one.client(await one.key(Role.ADMIN))
        await one.department()

        async def fail(*_: object) -> None:
            raise RuntimeError("postgresql://tokenq:canary@db.internal/tokenq in /srv/tokenq/x.py: SELECT 1")

        monkeypatch.setattr(one.services.reading, "queue", fail)
        transport = httpx.ASGITransport(one.apps[0], raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://queue.example", headers=admin.headers
        ) as client:
            answer = await client.get("/api/v1/departments/CW/queue")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        check(answer, "canary", "db.internal", "RuntimeError")
        assert json.loads(answer.text)["requestId"] == answer.headers["x-request-id"]
