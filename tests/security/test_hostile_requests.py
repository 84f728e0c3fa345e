"""Requests that are meant to exhaust or confuse: bodies, connections and keys. Rows 36, 37, 39 and 40."""

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.security.audited import AuditedApi
from tests.waiting import until

ISSUE = "/api/v1/departments/CW/tokens"
CONFUSING: list[bytes] = [
    b"[" * 10_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b"{" + b",".join(b'"k%d":1' % number for number in range(20_000)) + b"}",
    b'{"nearTurn":1e400}',
    b'{"nearTurn":-1e400}',
    b'{"nearTurn":9223372036854775808}',
    b'{"nearTurn":' + b"9" * 5_000 + b"}",
    b'{"nearTurn":-1}',
    b'{"nearTurn":true}',
    b'{"nearTurn":"1"}',
    b'{"nearTurn":1.0}',
    b'{"nearTurn":-0.0}',
    b'{"force":1}',
    b'{"force":"true"}',
    b'{"force":null}',
    b'{"name":["Ada"]}',
    b'{"name":{"a":1}}',
    b'{"name":"\\ud83d"}',
    b'{"name":"\\udfff\\ud800"}',
    b'{"name":"A\\u0000B"}',
    b'{"\\u0000":1}',
    b'{"__proto__":{"admin":true}}',
    b'{"name":"Ada"}{"name":"Bob"}',
    b'{"name":"Ada"} x',
    b"\x00" * 1000,
    b"name=Ada",
    b"<name>Ada</name>",
]
KEYS = [b"", b" ", b"a" * 256, b"a" * 5_000, b"\xc3\xbc", b"\xff", b"a b", b"a\tb", b"a\x7f", b"\x00"]


@pytest.fixture(scope="module")
def client(audited: AuditedApi) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {audited.api.token}"}
    with httpx.Client(base_url=audited.api.url, headers=headers, timeout=20) as found:
        yield found


def connect(audited: AuditedApi) -> socket.socket:
    """A connection to the API."""
    address = urlsplit(audited.api.url)
    return socket.create_connection((address.hostname, address.port or 80), timeout=30)


def head(audited: AuditedApi, *headers: str, path: str = ISSUE, method: str = "POST") -> bytes:
    """The beginning of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {audited.api.token}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def answer_of(connection: socket.socket) -> bytes:
    """What comes until the other side has closed, or enough to know the status."""
    answer = b""
    with suppress(ConnectionError):
        while b"\r\n" not in answer and (piece := connection.recv(65536)):
            answer += piece
    return answer.split(b"\r\n")[0]


def seq_of(client: httpx.Client) -> int:
    return int(client.get("/api/v1/departments/CW/queue").json()["seq"])


@pytest.mark.parametrize("raw", CONFUSING, ids=lambda raw: repr(raw[:30]))
def test_a_confusing_body_is_refused(client: httpx.Client, raw: bytes) -> None:
    """Row 37: never a 5xx, and nothing is issued; see also BAD_BODIES of tests/integration/test_api_strictness.py."""
    before = seq_of(client)
    answer = client.post(ISSUE, content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code in (413, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert seq_of(client) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_another_kind_of_body_is_no_json(client: httpx.Client, kind: str) -> None:
    """Row 37: what a form of another site can send is refused."""
    before = seq_of(client)
    answer = client.post(ISSUE, content=b'{"name":"Ada"}', headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 422
    assert seq_of(client) == before


def test_ten_megabytes_are_refused(audited: AuditedApi, client: httpx.Client) -> None:
    """Row 36."""
    with connect(audited) as connection:
        connection.sendall(head(audited, "Content-Type: application/json", f"Content-Length: {10**7}"))
        with suppress(ConnectionError):
            for _ in range(160):
                connection.sendall(b"x" * 65_536)
        assert answer_of(connection).split()[1:2] in ([b"413"], [])
    assert client.get("/healthz").status_code == 200


def test_a_body_without_end_is_refused(audited: AuditedApi, client: httpx.Client) -> None:
    """Row 36: chunks, none of which is large."""
    with connect(audited) as connection:
        connection.sendall(head(audited, "Content-Type: application/json", "Transfer-Encoding: chunked"))
        with suppress(ConnectionError):
            for _ in range(1_000):
                connection.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
        assert answer_of(connection).split()[1:2] in ([b"413"], [])
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "18446744073709551616", "5, 5", "abc"])
def test_a_length_that_is_none_is_refused(audited: AuditedApi, length: str) -> None:
    """Row 36: what two servers could read differently ends the connection."""
    with connect(audited) as connection:
        connection.sendall(head(audited, "Content-Type: application/json", f"Content-Length: {length}") + b"{}")
        assert answer_of(connection).split()[1:2] in ([b"400"], [b"413"], [])


def test_two_lengths_smuggle_nothing(audited: AuditedApi, client: httpx.Client) -> None:
    """Row 36: a length and chunks at once."""
    before = seq_of(client)
    hidden = head(audited, "Content-Length: 2", "Content-Type: application/json") + b"{}"
    with connect(audited) as connection:
        lies = ("Content-Type: application/json", "Content-Length: 4", "Transfer-Encoding: chunked")
        connection.sendall(head(audited, *lies) + b"0\r\n\r\n" + hidden)
        answer_of(connection)
    assert seq_of(client) <= before + 1, "the hidden request is one of its own, or none"


def test_many_that_never_finish_keep_nobody_waiting(audited: AuditedApi, client: httpx.Client) -> None:
    """Row 36: half a head or half a body each."""
    begun = head(audited, "Content-Type: application/json", "Content-Length: 100")
    with ExitStack() as stack:
        for number in range(200):
            connection = stack.enter_context(connect(audited))
            connection.sendall(begun + b"{" if number % 2 else begun[:40])
        for _ in range(5):
            assert client.post(ISSUE, json={}).status_code == 201


def test_streams_that_are_reset_at_once_leave_their_places(audited: AuditedApi) -> None:
    """Row 39: the place of a stream that never began is free again."""
    for _ in range(100):
        with connect(audited) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(head(audited, path="/events", method="GET"))

    def has_a_place() -> bool:
        with connect(audited) as connection:
            connection.sendall(head(audited, path="/events", method="GET"))
            return b"200" in answer_of(connection)

    until(has_a_place)


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_an_odd_key_is_refused(audited: AuditedApi, client: httpx.Client, key: bytes) -> None:
    """Row 40, on the socket: no library repairs it before."""
    before = seq_of(client)
    with connect(audited) as connection:
        request = head(audited, "Content-Type: application/json", "Content-Length: 2", "Idempotency-Key: KEY") + b"{}"
        connection.sendall(request.replace(b"KEY", key))
        assert answer_of(connection).split()[1] in (b"400", b"422")
    assert seq_of(client) == before


def test_a_key_cannot_add_a_header(audited: AuditedApi, client: httpx.Client) -> None:
    """Row 40: behind a line break there is another header, which has no power of its own."""
    with connect(audited) as connection:
        injected = "Idempotency-Key: abc\r\nX-Forwarded-For: 203.0.113.1"
        connection.sendall(head(audited, "Content-Type: application/json", "Content-Length: 2", injected) + b"{}")
        assert answer_of(connection).split()[1] == b"201"


def test_a_key_is_its_owner_s(audited: AuditedApi) -> None:
    """Row 40: the same key of somebody else is another request; for another body it is refused."""
    sent = {"Idempotency-Key": "the-same"}
    ada, bob = audited.key("desk", "CW"), audited.key("desk", "CW")
    issue = "/departments/CW/tokens"
    first = audited.ask("POST", issue, ada, json={"name": "Ada"}, headers=sent)
    again = audited.ask("POST", issue, ada, json={"name": "Ada"}, headers=sent)
    other = audited.ask("POST", issue, bob, json={"name": "Ada"}, headers=sent)
    assert first.content == again.content
    assert first.json()["tokenId"] != other.json()["tokenId"]
    changed = audited.ask("POST", issue, ada, json={"name": "Eve"}, headers=sent)
    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_mismatch")


def test_stored_answers_are_forgotten(audited: AuditedApi) -> None:
    """Row 40: any number of keys is gone after two days."""
    audited.ask("POST", "/departments/CW/tokens", json={}, headers={"Idempotency-Key": "old"})
    with psycopg.connect(audited.dsn, autocommit=True) as connection:
        connection.execute("UPDATE idempotency SET created_at = created_at - interval '3 days' WHERE key = 'old'")
        until(lambda: not connection.execute("SELECT 1 FROM idempotency WHERE key = 'old'").fetchall())
