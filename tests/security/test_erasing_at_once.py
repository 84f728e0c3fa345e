"""Erasing a person while numbers are issued to that person and the account is changed: nobody keeps a name meanwhile.

Row 65.
"""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from tests.security.audited import AuditedApi
from tests.waiting import until
from tests.without_http import department_id

NAME = "Canary Name"

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@contextmanager
def held(dsn: str, statement: str, *values: str) -> Iterator[None]:
    """What this locks stays locked."""
    with psycopg.connect(dsn) as connection:
        connection.execute(sql.SQL(statement), values)  # type: ignore[arg-type]
        yield


def until_waiting(dsn: str, many: int) -> None:
    """Wait until so many wait for a lock."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        until(lambda: connection.execute(_WAITING).fetchone() == (many,))


def department(audited: AuditedApi) -> str:
    name = department_id()
    assert audited.ask("PUT", f"/departments/{name}", json={"name": "Cash window"}).status_code < 300
    return name


def user(audited: AuditedApi, **more: Any) -> int:
    body = {"name": NAME, "email": f"{secrets.token_hex(4)}@example.org", **more}
    return int(audited.ask("POST", "/users", json=body).json()["userId"])


def issue(audited: AuditedApi, department: str, **who: Any) -> httpx.Response:
    return audited.ask("POST", f"/departments/{department}/tokens", json=who)


def visit(audited: AuditedApi, department: str, **who: Any) -> dict[str, Any]:
    """A number that was cancelled."""
    token: dict[str, Any] = issue(audited, department, **who).json()
    body = {"claimVersion": token["claimVersion"]}
    assert audited.ask("POST", f"/tokens/{token['tokenId']}/cancel", json=body).status_code == 200
    return token


def erase(audited: AuditedApi, **person: Any) -> httpx.Response:
    return audited.ask("POST", "/erasures", json=person)


def named(dsn: str, user_id: int) -> list[int]:
    """The tokens that tell who the user was."""
    with psycopg.connect(dsn) as connection:
        found = "SELECT token_id FROM token WHERE user_id = %s AND (name IS NOT NULL OR email IS NOT NULL)"
        return [token_id for (token_id,) in connection.execute(found, [user_id]).fetchall()]


LOCK_DEPARTMENT = "SELECT 1 FROM dept_state WHERE department_id = %s FOR UPDATE"


def test_a_number_issued_elsewhere_while_an_erasure_waits_is_seen_by_it(audited: AuditedApi) -> None:
    """A live number refuses the erasure, as it would have a moment before."""
    here, there, user_id = department(audited), department(audited), user(audited)
    visit(audited, here, userId=user_id)
    with ThreadPoolExecutor() as pool:
        with held(audited.dsn, LOCK_DEPARTMENT, here):
            erasing = pool.submit(erase, audited, userId=user_id)
            until_waiting(audited.dsn, 1)
            token = issue(audited, there, userId=user_id).json()
        answer = erasing.result()
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use"), answer.text
    assert token["displayNumber"] in answer.json()["detail"]
    assert audited.ask("GET", f"/users/{user_id}").status_code == 200


def test_a_number_that_has_the_name_already_and_is_not_stored_yet_is_waited_for(audited: AuditedApi) -> None:
    there, user_id = department(audited), user(audited)
    with ThreadPoolExecutor() as pool:
        with held(audited.dsn, "LOCK TABLE token IN SHARE MODE"):
            issuing = pool.submit(issue, audited, there, userId=user_id)
            until_waiting(audited.dsn, 1)
            erasing = pool.submit(erase, audited, userId=user_id)
            until_waiting(audited.dsn, 2)
        issued, answer = issuing.result(), erasing.result()
    assert issued.status_code == 201, issued.text
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use"), answer.text


def test_who_is_erased_already_is_given_no_number(audited: AuditedApi) -> None:
    """The erasure has looked for numbers, and is not committed yet."""
    here, there, user_id = department(audited), department(audited), user(audited)
    visit(audited, here, userId=user_id)
    with ThreadPoolExecutor() as pool:
        with held(audited.dsn, "LOCK TABLE mail_job IN SHARE MODE"):
            erasing = pool.submit(erase, audited, userId=user_id)
            until_waiting(audited.dsn, 1)
            issuing = pool.submit(issue, audited, there, userId=user_id)
            until_waiting(audited.dsn, 2)
        issued, answer = issuing.result(), erasing.result()
    assert answer.status_code == 200, answer.text
    assert (issued.status_code, issued.json()["code"]) == (404, "unknown_user"), issued.text
    assert named(audited.dsn, user_id) == []


def test_a_number_of_an_address_that_ends_while_its_erasure_waits_is_erased_too(audited: AuditedApi) -> None:
    here, email = department(audited), f"{secrets.token_hex(4)}@example.org"
    visit(audited, here, email=email)
    with ThreadPoolExecutor() as pool:
        with held(audited.dsn, LOCK_DEPARTMENT, here):
            visiting = pool.submit(visit, audited, here, email=email)
            until_waiting(audited.dsn, 1)
            erasing = pool.submit(erase, audited, email=email)
            until_waiting(audited.dsn, 2)
        visiting.result()
        answer = erasing.result()
    if answer.status_code == 409:  # it was live at that moment
        answer = erase(audited, email=email)
    assert answer.status_code == 200, answer.text
    with psycopg.connect(audited.dsn) as connection:
        assert connection.execute("SELECT token_id FROM token WHERE email = %s", [email]).fetchall() == []


@pytest.mark.parametrize("is_import_first", [True, False])
def test_an_erasure_and_an_import_of_the_same_user_wait_for_each_other_in_turn(
    audited: AuditedApi, is_import_first: bool
) -> None:
    """Both lock the department before the account: in another order each would wait for the other for ever."""
    here, name = department(audited), f"u{secrets.token_hex(4)}"
    user_id = user(audited, username=name, password=secrets.token_hex(8), role="staff")
    visit(audited, here, userId=user_id)
    document = {"departments": {here: {"name": "Tellers"}}, "users": {name: {"name": "Ada", "role": "staff"}}}
    changes = [
        lambda: audited.ask("PUT", "/floor", json=document),
        lambda: erase(audited, userId=user_id),
    ]
    with ThreadPoolExecutor() as pool:
        with held(audited.dsn, LOCK_DEPARTMENT, here):
            running = []
            for many, change in enumerate(changes if is_import_first else changes[::-1], start=1):
                running.append(pool.submit(change))
                until_waiting(audited.dsn, many)
        answers = [each.result() for each in running]
    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]
