"""No text of a user is part of a statement. Row 73."""

import ast
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

import tokenq_server
from tests.security.audited import AuditedApi

PACKAGE = Path(tokenq_server.__file__).parent
SENDS = {
    "execute",
    "executemany",
    "row",
    "rows",
    "change",
    "stream",
    "copy",
    "run",
    "statement",
    "SQL",
    "text",
    "scalar",
}
"""What sends a statement, or makes one of a text."""
BUILDS = (ast.JoinedStr, ast.BinOp)
KNOWN = {("queries.py", "_NUMBERED + part")}
"""Its parts are constants with as many numbered parameters as a typed number has readings."""
LIST = [
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; DROP TABLE token; --",
    "'); DELETE FROM app_user; --",
    '" OR ""="',
    "admin'--",
    "admin'/*",
    "' UNION SELECT null, version() --",
    "1; SELECT pg_sleep(10)",
    "'||(SELECT pg_sleep(10))||'",
    "$$; DROP TABLE token; $$",
    "$1",
    "%s",
    "%(name)s",
    "%",
    "{department_id}",
    "{0}",
    ":name",
    "?",
    "\\'; SELECT 1; --",
    "\\",
    "E'\\x27'",
    "U&'\\0027'",
    "a'b''c'''d",
    "`ls`",
    "(SELECT 1)",
    "NULL",
    "CAST('x' AS int)",
    "x' AND ascii(substr((SELECT 'a'),1,1))=97 --",
    "COPY token TO PROGRAM 'id'",
    "'; NOTIFY x; --",
    "ʼ OR 1=1 --",
]
"""As sqlmap and its like try them."""


def calls() -> Iterator[tuple[Path, ast.Call, str]]:
    """Every call in the server that sends a statement or makes one."""
    for file in PACKAGE.rglob("*.py"):
        if "migrations" in file.parts:
            continue  # they have no input
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in SENDS:
                    yield file, node, name


def is_constant(text: ast.expr) -> bool:
    """Whether a text is written in the code: a literal, the name of a constant, or several of them."""
    if isinstance(text, ast.BinOp) and isinstance(text.op, ast.Add):
        return is_constant(text.left) and is_constant(text.right)
    return isinstance(text, ast.Constant) or (isinstance(text, ast.Name) and text.id.isupper())


def test_no_statement_is_made_of_a_text_and_a_value() -> None:
    """Neither an f-string, nor what is added to a statement, nor ``format`` or ``%`` reaches the database."""
    found = list(calls())
    assert len(found) > 50
    for file, call, name in found:
        first = call.args[0]
        is_formatted = isinstance(first, ast.Call) and getattr(first.func, "attr", "") in ("format", "join")
        of_sql = is_formatted and isinstance(first, ast.Call) and "SQL" in ast.dump(first.func)
        if (file.name, ast.unparse(first)) not in KNOWN:
            assert not isinstance(first, BUILDS) or is_constant(first), (file, call.lineno, name)
        assert not is_formatted or of_sql, (file, call.lineno, name)


@pytest.mark.parametrize("text", LIST, ids=ascii)
def test_what_looks_like_sql_is_text(audited: AuditedApi, text: str) -> None:
    """In every field that takes any text it is stored as it is, and changes nothing else."""
    with psycopg.connect(audited.dsn) as connection:
        tables = "SELECT count(*), (SELECT count(*) FROM pg_tables WHERE schemaname = 'public') FROM app_user"
        before = connection.execute(tables).fetchone()
        connection.rollback()
        ask = audited.ask
        token = ask("POST", "/departments/CW/tokens", json={"name": text}).json()
        assert token["name"] == text
        path = f"/tokens/{token['tokenId']}"
        assert ask("PATCH", path, json={"name": f"{text}."}).json()["name"] == f"{text}."
        assert ask("POST", f"{path}/cancel", json={"reason": text}).json()["state"] == "CANCELLED"
        assert text in ask("GET", f"{path}/events").text.encode().decode("unicode_escape") or text in str(
            ask("GET", f"{path}/events").json()
        )
        assert ask("PATCH", "/departments/HR", json={"name": text}).json()["name"] == text
        assert ask("PUT", "/branches/other", json={"name": text}).json()["name"] == text
        key = ask("POST", "/keys", json={"label": text, "role": "desk"}).json()
        assert key["label"] == text
        counter = ask("POST", "/branches/main/counters/open", json={"counterId": text[:16].strip()}).json()
        assert counter["counterId"] == text[:16].strip()
        for query in ({"displayNumber": text[:16]}, {"departmentId": text}, {"state": text}, {"cursor": text}):
            answer = ask("GET", "/tokens", params=query)
            assert is_refused_or_empty(answer), answer.text
        assert ask("GET", "/audit", params={"actor": text}).json()["items"] == []
        assert ask("POST", "/auth/login", "", json={"username": text, "password": text}).status_code in (401, 429)
        assert ask("GET", "/departments", "", headers={"Authorization": f"Bearer {text}".encode()}).status_code == 401
        ask("DELETE", f"/keys/{key['keyId']}")
        assert connection.execute(tables).fetchone() == before


def is_refused_or_empty(answer: httpx.Response) -> bool:
    """Whether a search has found nothing that it should not."""
    return answer.status_code in (404, 422) or answer.json()["items"] == []
