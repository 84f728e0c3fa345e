"""A change without its row in the audit is impossible: both are one transaction."""

import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.security.audited import AuditedApi

State = list[tuple[Any, ...]]


@pytest.fixture
def full_audit(audited: AuditedApi) -> Iterator[None]:
    """The audit takes no row."""
    with psycopg.connect(audited.dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE audit ADD CONSTRAINT full_audit CHECK (false) NOT VALID")
        yield
        connection.execute("ALTER TABLE audit DROP CONSTRAINT full_audit")


def accounts(audited: AuditedApi) -> tuple[State, State, State]:
    with psycopg.connect(audited.dsn) as connection:
        return (
            connection.execute("SELECT * FROM app_user ORDER BY user_id").fetchall(),
            connection.execute("SELECT credential_id, label, role, departments FROM credential ORDER BY 1").fetchall(),
            connection.execute("SELECT counter_id, operator_identity FROM counter ORDER BY 1").fetchall(),
        )


@pytest.fixture
def user(audited: AuditedApi) -> tuple[str, int, str]:
    return audited.user("staff", "CW")


@pytest.fixture
def key_id(audited: AuditedApi) -> int:
    return int(audited.ask("POST", "/keys", json={"label": "kiosk", "role": "desk"}).json()["keyId"])


@pytest.fixture
def claim(audited: AuditedApi) -> str:
    """A claim of counter 5, and the token of somebody who may take it over."""
    first, second = audited.key("staff", "CW"), audited.key("staff", "CW")
    audited.ask("POST", "/branches/main/counters/open", first, json={"counterId": "5", "takeOver": True})
    return second


def test_no_change_is_made_that_cannot_be_audited(
    audited: AuditedApi, user: tuple[str, int, str], key_id: int, claim: str, full_audit: None
) -> None:
    name, user_id, password = user
    fresh = f"u{secrets.token_hex(4)}"
    before = accounts(audited)
    for method, path, body in [
        ("PATCH", f"/users/{user_id}", {"role": "admin"}),
        ("PATCH", f"/users/{user_id}", {"disabled": True}),
        ("PATCH", f"/users/{user_id}", {"password": "a-new-password"}),
        ("DELETE", f"/users/{user_id}", None),
        ("POST", "/users", {"name": "Eve", "username": fresh, "role": "admin"}),
        ("POST", "/keys", {"label": "kiosk", "role": "admin"}),
        ("PATCH", f"/keys/{key_id}", {"role": "admin"}),
        ("DELETE", f"/keys/{key_id}", None),
        ("PUT", "/floor", {"users": {fresh: {"name": "Eve", "role": "admin"}}}),
        ("POST", "/auth/login", {"username": name, "password": password}),
    ]:
        assert not audited.ask(method, path, json=body).is_success, (method, path, body)
    body = {"counterId": "5", "takeOver": True}
    assert not audited.ask("POST", "/branches/main/counters/open", claim, json=body).is_success

    assert accounts(audited) == before


def test_a_refused_change_leaves_no_row(audited: AuditedApi) -> None:
    """The last admin cannot be deleted: nothing was done, and nobody lacked a permission."""
    users = audited.ask("GET", "/users").json()["items"]
    (admin,) = [user for user in users if user["role"] == "admin"]
    before = audited.last()
    assert audited.ask("DELETE", f"/users/{admin['userId']}").status_code == 409
    audited.last()

    assert audited.rows(before, kind="user.delete") == []
