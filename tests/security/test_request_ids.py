"""A request's id is in its answer, in the log lines written meanwhile, and in its security events."""

import re
from pathlib import Path

import httpx

from tests.security.audited import AuditedApi, audited_api
from tests.servers import Servers
from tests.waiting import until

OWN = re.compile(r"[0-9a-f]{16}")


def test_each_answer_has_an_id_of_its_own(audited: AuditedApi) -> None:
    ids = {audited.ask("GET", "/departments").headers["x-request-id"] for _ in range(5)}
    ids.add(audited.ask("GET", "/nowhere").headers["x-request-id"])
    assert len(ids) == 6
    assert all(OWN.fullmatch(each) for each in ids)


def test_a_client_cannot_choose_it(audited: AuditedApi) -> None:
    answer = audited.ask("GET", "/users", "no key", headers={"X-Request-Id": "chosen-by-a-client"})
    assert OWN.fullmatch(answer.headers["x-request-id"])
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
    until(lambda: answer.headers["x-request-id"] in audited.api.log.read_text())
    assert "chosen-by-a-client" not in audited.api.log.read_text()


def test_a_trusted_proxy_chooses_it_if_it_is_well_formed(servers: Servers, schema: str, tmp_path: Path) -> None:
    """And what the proxy says of the client is the source of the event, not what the client says itself."""
    dsn = servers.new_database(schema)
    with audited_api(servers, dsn, tmp_path, TOKENQ_TRUSTED_PROXIES="127.0.0.1") as api:
        headers = {"X-Request-Id": "0af7651916cd43dd8448eb211c80319c", "X-Forwarded-For": "6.6.6.6, 198.51.100.7"}
        assert api.ask("GET", "/users", "no key", headers=headers).headers["x-request-id"] == headers["X-Request-Id"]
        until(lambda: api.rows(kind="access"))
        (row,) = api.rows(kind="access")
        assert (row["request_id"], row["source"]) == (headers["X-Request-Id"], "198.51.100.7")
        for malformed in ("short", "with space in it", "a" * 65, "", 'quote"quote"'):
            answer = api.ask("GET", "/departments", headers={"X-Request-Id": malformed})
            assert OWN.fullmatch(answer.headers["x-request-id"])
        twice = [("X-Request-Id", "first-of-two"), ("X-Request-Id", "second-of-two")]
        assert OWN.fullmatch(httpx.get(f"{api.api.url}/healthz", headers=twice).headers["x-request-id"])
    servers.drop_database(dsn)


def test_log_lines_can_be_text(servers: Servers, schema: str, tmp_path: Path) -> None:
    """TOKENQ_LOG_FORMAT=text: a line each, for people."""
    dsn = servers.new_database(schema)
    with audited_api(servers, dsn, tmp_path, TOKENQ_LOG_FORMAT="text") as api:
        answer = api.ask("GET", "/users", "no key")
        text = api.api.log.read_text()
    assert f'requestId="{answer.headers["x-request-id"]}"' in text
    assert " info tokenq_server.audit security event " in text
    servers.drop_database(dsn)
