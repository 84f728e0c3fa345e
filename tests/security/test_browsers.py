"""What a browser, or who tells one where to go, could make of the API. Rows 17 and 18."""

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import tokenq_server
from tests.security.audited import AuditedApi

ORIGINS = ["https://evil.example", "null", "http://127.0.0.1", "file://", "https://evil.example\u00e9"]
ADDRESSES = ["/api/v1/departments", "/api/v1/departments/", "/docs"]
HOSTS = ["evil.example", "evil.example:80@127.0.0.1", "127.0.0.1.evil.example", ""]


@pytest.mark.parametrize("origin", ORIGINS, ids=ascii)
def test_no_other_site_may_read_an_answer(audited: AuditedApi, origin: str) -> None:
    """Row 17: a page in a clerk's browser is not let in, not even with its own origin."""
    sent = {"Origin": origin.encode("latin-1")}
    for method, path in (("GET", "/departments"), ("POST", "/auth/login"), ("GET", "/nowhere")):
        answer = audited.ask(method, path, headers=sent)
        assert [name for name in answer.headers if name.startswith("access-control-")] == []
    asked = sent | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = audited.ask("OPTIONS", "/departments/CW/tokens", "", headers=asked)
    assert answer.status_code == 405
    assert [name for name in answer.headers if name.startswith("access-control-")] == []


def test_no_answer_makes_a_browser_remember_anybody(audited: AuditedApi) -> None:
    """Row 17: without cookies, no other site can use a login."""
    name, _, password = audited.user("staff", "CW")
    answer = audited.login(name, password)
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", [*ADDRESSES, "/openapi.json", "/nowhere", "/readyz"])
def test_the_host_header_leads_nowhere(audited: AuditedApi, host: str, path: str) -> None:
    """Row 18."""
    assert "evil" not in raw(audited, f"GET {path} HTTP/1.1", f"Host: {host}")


@pytest.mark.parametrize("path", [*ADDRESSES, "/"])
def test_an_absolute_address_leads_nowhere(audited: AuditedApi, path: str) -> None:
    """Row 18: a server must take it, and the authority in it counts for nothing."""
    said = raw(
        audited, f"GET http://evil.example{path} HTTP/1.1", "Host: evil.example", "X-Forwarded-Host: evil.example"
    )
    assert "evil" not in said
    assert re.match(r"HTTP/1.1 (200|404|400)", said)


def test_no_link_is_made_of_a_request() -> None:
    """Row 18: neither pages nor letters read where a request was sent to."""
    reading = re.compile(r"base_url|url_for|\.netloc|\.hostname|headers\[.host|headers.get\(.host", re.IGNORECASE)
    package = Path(tokenq_server.__file__).parent
    for folder in ("api", "notify", "services", "adapters/channels"):
        for file in (package / folder).rglob("*.py"):
            assert not reading.search(file.read_text()), file


def raw(audited: AuditedApi, line: str, *headers: str) -> str:
    """Send a request of these lines as admin; return the whole answer."""
    address = urlsplit(audited.api.url)
    lines = [line, *headers, f"Authorization: Bearer {audited.api.token}", "Connection: close", "", ""]
    with socket.create_connection((address.hostname, address.port or 80), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer.decode()
