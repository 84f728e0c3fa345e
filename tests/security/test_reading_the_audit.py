"""Reading the audit: for admins, newest first, by pages and filters; old events are forgotten."""

from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.security.audited import AuditedApi, audited_api
from tests.servers import Servers
from tests.waiting import until
from tokenq.contract.audit import AuditKind
from tokenq_server.adapters.postgres.audit import PostgresAudit, select_events
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.services.audit import AuditQuery

_OLD = "INSERT INTO audit (at, kind, target, result) SELECT now() - %s * interval '1 day', 'logout', %s, 'done'"


def items(audited: AuditedApi, **query: Any) -> list[dict[str, Any]]:
    answer = audited.ask("GET", "/audit", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


@pytest.mark.parametrize(("role", "status"), [("staff", 403), ("desk", 403), ("customer", 403), ("admin", 200)])
def test_only_admins_read_it(audited: AuditedApi, role: str, status: int) -> None:
    assert audited.ask("GET", "/audit", audited.key(role)).status_code == status


def test_pages_have_each_event_once_newest_first(audited: AuditedApi) -> None:
    for _ in range(5):
        audited.ask("POST", "/keys", json={"label": "kiosk", "role": "desk"})
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = audited.ask("GET", "/audit", params={"kind": "key.create", "limit": 2, **cursor}).json()
        seen += [item["auditId"] for item in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}

    assert len(seen) >= 5
    assert seen == sorted({row["audit_id"] for row in audited.rows(kind="key.create")}, reverse=True)


def test_filters_narrow_the_list(audited: AuditedApi) -> None:
    name, token = audited.session("staff", "CW")
    audited.ask("GET", "/users", token)
    audited.last()
    mine = items(audited, actor=name)
    assert [(item["kind"], item["result"], item["code"]) for item in mine] == [
        ("access", "refused", "forbidden"),
        ("login", "done", None),
    ]
    assert items(audited, actor=mine[0]["actorId"]) == mine
    assert [item["kind"] for item in items(audited, actor=name, result="refused")] == ["access"]
    assert [item["kind"] for item in items(audited, actor=name, kind="login")] == ["login"]
    assert items(audited, actor=name, **{"from": mine[0]["at"]}) == mine[:1]
    assert items(audited, actor=name, to=mine[0]["at"]) == mine[1:]
    day = mine[0]["at"][:10]
    assert items(audited, actor=name, to=day, **{"from": day}) == mine, "a day as the end is included"
    assert items(audited, actor=name, to="2020-01-01") == []


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"from": "2026-13-01"},
        {"from": "2026-11-23T08:00"},
        {"to": "9999-12-31"},
        {"to": "0001-01-01"},
        {"kind": "nothing"},
        {"result": "perhaps"},
        {"limit": 0},
        {"limit": 501},
        {"limit": "all"},
        {"cursor": 0},
        {"cursor": 2**63},
        {"actor": "x" * 81},
        {"actor": "a\nb"},
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_refused(audited: AuditedApi, query: dict[str, Any]) -> None:
    answer = audited.ask("GET", "/audit", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["hint"]


def test_the_documentation_lists_the_kinds(audited: AuditedApi) -> None:
    schema = httpx.get(f"{audited.api.url}/openapi.json").json()
    (kind,) = [each for each in schema["paths"]["/api/v1/audit"]["get"]["parameters"] if each["name"] == "kind"]
    assert set(AuditKind) == set(schema["components"]["schemas"]["AuditKind"]["enum"])
    assert kind


def test_a_kind_of_a_newer_release_can_be_read(audited: AuditedApi) -> None:
    """Both releases work on one database during an upgrade."""
    with psycopg.connect(audited.dsn) as connection:
        connection.execute("INSERT INTO audit (at, kind, target, result) VALUES (now(), 'moon.landing', 'x', 'done')")
    assert items(audited, limit=1)[0]["kind"] == "moon.landing"


async def test_one_kind_is_found_without_reading_the_others(servers: Servers, schema: str) -> None:
    """Whoever floods the audit with refusals must not make reading it slow."""
    dsn = servers.new_database(schema)
    statement, values = select_events(AuditQuery(kind=AuditKind.USER_ROLE, actor="ann", before=30_000))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"{_OLD} FROM generate_series(1, 30000)", [1, "x"])
        connection.execute("INSERT INTO audit (at, kind, target, result) VALUES (now(), 'user.role', 'x', 'done')")
        connection.execute("ANALYZE audit")
        plan = "\n".join(str(line) for (line,) in connection.execute(f"EXPLAIN {statement}", values))
    assert "audit_kind" in plan
    servers.drop_database(dsn)


def test_old_events_are_forgotten(servers: Servers, schema: str, tmp_path: Path) -> None:
    """TOKENQ_KEEP_AUDIT_DAYS, by housekeeping."""
    dsn = servers.new_database(schema)
    with psycopg.connect(dsn) as connection:
        for days in (40, 31, 29, 0):
            connection.execute(_OLD, [days, f"{days} days ago"])
    with audited_api(servers, dsn, tmp_path, TOKENQ_KEEP_AUDIT_DAYS="30") as api:
        until(lambda: [row["target"] for row in api.rows(kind="logout")] == ["29 days ago", "0 days ago"])
    servers.drop_database(dsn)


async def test_many_old_events_are_forgotten_in_portions(servers: Servers, schema: str) -> None:
    """One statement for all of them could take longer than a statement may, each time."""
    dsn = servers.new_database(schema)
    with psycopg.connect(dsn) as connection:
        connection.execute(f"{_OLD} FROM generate_series(1, 6000)", [10, "old"])
    database = Database(dsn, size=1)
    audit = PostgresAudit(database)
    assert [await audit.forget(5), await audit.forget(5), await audit.forget(5)] == [True, False, False]
    await database.close()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM audit").fetchone() == (0,)
    servers.drop_database(dsn)
