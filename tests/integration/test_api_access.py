"""Permissions: every route declares them, and the server enforces them."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi.routing import APIRoute

from tests.stack import Stack
from tests.without_http import department_id
from tokenq.contract.enums import Role
from tokenq_server.api.app import ROUTES
from tokenq_server.api.openapi import roles_of

PUBLIC = {"/api/v1/auth/login", "/healthz", "/readyz"}
INSIDE = {"/metrics"}
"""Open to this machine; see tests/security/test_production.py."""


def example_of(route: APIRoute) -> str:
    return route.path.format(department_id="CW", branch_id="main", token_id=1, user_id=1, key_id=1, secret="A")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_every_route_declares_its_roles(route: APIRoute) -> None:
    """A new route without a role that is not marked public is a hole."""
    is_public = bool((route.openapi_extra or {}).get("x-public"))

    assert is_public == (roles_of(route) is None) == (route.path in PUBLIC)


def test_reading_never_changes() -> None:
    """The first implementation issued tokens on GET: every crawler took a number."""
    for route in ROUTES:
        verbs = ("issue", "call", "serve", "cancel", "create", "delete", "put", "change", "open")
        assert not ({"GET", "HEAD"} & route.methods and route.name.startswith(verbs)), route.path


class Caller:
    """A client with a key."""

    def __init__(self, stack: Stack, key: str) -> None:
        self._client = httpx.Client(
            base_url=stack.endpoints.api, headers={"Authorization": f"Bearer {key}"}, timeout=10
        )

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._client.request(method, path, **more)

    def close(self) -> None:
        self._client.close()


MakeCaller = Callable[..., Caller]
MakePerson = Callable[..., tuple[int, Caller]]


@pytest.fixture
def department(running: Stack) -> str:
    name = department_id()
    running.ask("PUT", "/api/v1/departments/ZZ", {"name": "Somewhere else"})
    status, _ = running.ask("POST", "/api/v1/departments", {"departmentId": name, "name": "Cash window"})
    assert status == 201
    return name


@pytest.fixture
def enter(running: Stack) -> Iterator[Callable[[str], Caller]]:
    """A factory of clients by bearer token; closed at the end."""
    made: list[Caller] = []

    def come(bearer: str) -> Caller:
        made.append(Caller(running, bearer))
        return made[-1]

    yield come
    for caller in made:
        caller.close()


@pytest.fixture
def caller(running: Stack, enter: Callable[[str], Caller]) -> Callable[..., Caller]:
    """A factory: ``caller("staff", "CW")`` has a key of that role for those departments."""

    def make(role: str, *departments: str) -> Caller:
        body = {"label": f"{role} key", "role": role, "departments": list(departments)}
        return enter(running.ask("POST", "/api/v1/keys", body)[1]["key"])

    return make


@pytest.fixture
def person(running: Stack, enter: Callable[[str], Caller]) -> Callable[..., tuple[int, Caller]]:
    """A factory of logged-in users with a password: id and caller."""

    def make(role: str, *departments: str) -> tuple[int, Caller]:
        name, password = f"u{secrets.token_hex(4)}", secrets.token_hex(8)
        body = {"name": "Ada", "username": name, "role": role, "departments": list(departments), "password": password}
        user = running.ask("POST", "/api/v1/users", body)[1]
        login = running.ask("POST", "/api/v1/auth/login", {"username": name, "password": password})[1]
        return user["userId"], enter(login["token"])

    return make


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Basic YWRtaW46YWRtaW4=", "Bearer " + "x" * 500])
def test_no_route_works_without_a_login(running: Stack, authorization: str) -> None:
    """401 with WWW-Authenticate, on every route but the public ones."""
    headers = {"Authorization": authorization} if authorization else {}
    with httpx.Client(base_url=running.endpoints.api, headers=headers, timeout=10) as client:
        answers = [(route, client.request(min(route.methods), example_of(route))) for route in ROUTES]
    for route, answer in answers:
        if route.path not in PUBLIC | INSIDE:
            assert answer.status_code == 401, route.path
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["code"] == "unauthenticated"


def test_staff_work_in_their_departments_only(running: Stack, department: str, caller: MakeCaller) -> None:
    """Staff cannot call, serve, move or open in another department, by path or by token id."""
    stranger, own = caller("staff", "ZZ"), caller("staff", department)
    token = own("POST", f"/api/v1/departments/{department}/tokens", json={}).json()
    paths = [f"departments/{department}/call", f"departments/{department}/serve"]

    for path in paths:
        assert stranger("POST", f"/api/v1/{path}", json={"counterId": department}).status_code == 403
    assert stranger("POST", f"/api/v1/departments/{department}/close").status_code == 403
    move = {"claimVersion": token["claimVersion"]}
    assert stranger("POST", f"/api/v1/tokens/{token['tokenId']}/cancel", json=move).status_code == 403
    assert own("POST", f"/api/v1/departments/{department}/call", json={"counterId": department}).status_code == 200


@pytest.mark.parametrize("role", ["staff", "desk", "customer"])
def test_only_admins_set_up(running: Stack, caller: MakeCaller, role: str) -> None:
    """Generated from the route table: routes for admins refuse everyone else."""
    key = caller(role)
    admin_only = [route for route in ROUTES if roles_of(route) == frozenset({Role.ADMIN})]
    assert len(admin_only) > 10

    for route in admin_only:
        assert key(min(route.methods), example_of(route), json={}).status_code == 403, route.path


def test_a_customer_sees_and_cancels_only_own_tokens(department: str, person: MakePerson) -> None:
    """Someone else's token gets the same response as a missing one."""
    (_, ada), (_, bob) = person("customer"), person("customer")
    issue = f"/api/v1/departments/{department}/tokens"
    token = ada("POST", issue, json={}).json()
    path = f"/api/v1/tokens/{token['tokenId']}"

    missing = bob("GET", "/api/v1/tokens/999999999")
    foreign = bob("GET", path)
    assert (
        (foreign.status_code, foreign.json()["code"])
        == (missing.status_code, missing.json()["code"])
        == (404, "unknown_token")
    )
    assert bob("POST", f"{path}/cancel", json={}).status_code == 404
    assert bob("GET", "/api/v1/tokens").json()["items"] == []
    assert ada("POST", issue, json={"priority": "urgent"}).status_code == 403
    assert ada("POST", issue, json={"userId": 1}).status_code == 403
    assert ada("GET", f"/api/v1/departments/{department}/queue").status_code == 403
    assert ada("POST", f"{path}/cancel", json={}).json()["state"] == "CANCELLED"


def test_names_and_addresses_are_for_staff_of_the_department(
    running: Stack, department: str, caller: MakeCaller
) -> None:
    """A kiosk or another desk sees only numbers."""
    token = running.ask(
        "POST", f"/api/v1/departments/{department}/tokens", {"name": "Ada", "email": "ada@example.com"}
    )[1]
    path = f"/api/v1/tokens/{token['tokenId']}"

    for key, sees in ((caller("staff", department), True), (caller("staff", "ZZ"), False), (caller("desk"), False)):
        assert (key("GET", path).json()["name"] is not None) == sees
        assert ("ada@example.com" in key("GET", f"/api/v1/departments/{department}/queue").text) == sees
        assert ("ada@example.com" in key("GET", f"{path}/events").text) == sees


@pytest.mark.parametrize("change", [{"role": "staff"}, {"disabled": True}], ids=str)
def test_a_demoted_or_disabled_user_loses_access_within_a_second(
    running: Stack, person: MakePerson, change: dict[str, object]
) -> None:
    """An open session does not outlive its permission."""
    user_id, ada = person("admin")
    assert ada("GET", "/api/v1/users").status_code == 200

    running.ask("PATCH", f"/api/v1/users/{user_id}", change)

    assert ada("GET", "/api/v1/users").status_code == 401


def test_a_wrong_old_password_changes_nothing(running: Stack, person: MakePerson) -> None:
    _, ada = person("staff")
    wrong = ada("POST", "/api/v1/auth/password", json={"oldPassword": "nonsense", "newPassword": "long enough"})
    assert wrong.json()["code"] == "forbidden"
    assert ada("GET", "/api/v1/auth/me").json()["role"] == "staff"


def test_logout_ends_the_session(running: Stack, person: MakePerson) -> None:
    """The token is invalid afterwards."""
    _, ada = person("staff")

    assert ada("POST", "/api/v1/auth/logout").status_code == 204
    assert ada("GET", "/api/v1/auth/me").status_code == 401


def test_a_deleted_key_is_invalid(running: Stack, enter: Callable[[str], Caller]) -> None:
    """Deleting a key revokes it; the list never shows the secret."""
    body = {"label": "kiosk", "role": "desk", "departments": []}
    key = running.ask("POST", "/api/v1/keys", body)[1]
    kiosk = enter(key["key"])
    assert kiosk("GET", "/api/v1/auth/me").json()["name"] == "kiosk"
    assert key["key"] not in str(running.ask("GET", "/api/v1/keys"))

    running.ask("DELETE", f"/api/v1/keys/{key['keyId']}")

    assert kiosk("GET", "/api/v1/auth/me").status_code == 401


def test_an_unknown_name_is_refused_like_a_wrong_password(running: Stack) -> None:
    """Responses do not reveal which names exist; guessing is throttled."""
    answers = [
        running.ask("POST", "/api/v1/auth/login", {"username": name, "password": "wrong password"})
        for name in ("admin", "nobody-of-this-name")
    ]
    assert answers[0][1].pop("requestId") != answers[1][1].pop("requestId")
    assert answers[0] == answers[1]

    name = f"g{secrets.token_hex(4)}"
    codes = [running.ask("POST", "/api/v1/auth/login", {"username": name, "password": "x"})[0] for _ in range(12)]
    assert codes[0] == 401
    assert codes[-1] == 429


def test_secrets_are_not_stored_in_clear_text(running: Stack, person: MakePerson) -> None:
    """A stolen dump contains no bearer token and no password."""
    person("staff")
    with psycopg.connect(running.endpoints.postgres) as connection:
        rows = connection.execute(
            "SELECT credential::text FROM credential UNION ALL SELECT app_user::text FROM app_user"
        )
        dump = "\n".join(row[0] for row in rows)

    assert running.token not in dump
    assert "tq_" not in dump
    assert "$argon2id$" in dump


def test_the_last_admin_stays(running: Stack) -> None:
    """The last admin cannot be demoted, disabled or deleted."""
    users = running.ask("GET", "/api/v1/users?limit=500")[1]["items"]
    admins = [user["userId"] for user in users if user["role"] == "admin" and not user["disabled"]]
    for user_id in admins[1:]:
        running.ask("DELETE", f"/api/v1/users/{user_id}")
    last = f"/api/v1/users/{admins[0]}"

    for method, body in (("PATCH", {"role": "staff"}), ("PATCH", {"disabled": True}), ("DELETE", None)):
        assert running.ask(method, last, body)[1]["code"] == "in_use"
    assert running.ask("GET", last)[1]["role"] == "admin"


def test_the_first_password_only_allows_changing_it(running: Stack, enter: Callable[[str], Caller]) -> None:
    """The random password in a file only allows changing it."""
    first = Path(running.endpoints.admin_token_file).with_name("admin.password").read_text().strip()
    with psycopg.connect(running.endpoints.postgres) as connection:
        found = connection.execute("SELECT username FROM app_user WHERE must_change_password").fetchone()
    assert found is not None
    login = running.ask("POST", "/api/v1/auth/login", {"username": found[0], "password": first})[1]
    admin = enter(login["token"])

    assert admin("GET", "/api/v1/auth/me").json()["mustChangePassword"]
    assert admin("POST", "/api/v1/keys", json={"label": "x", "role": "admin"}).status_code == 403
    assert admin("POST", "/api/v1/auth/logout").status_code == 204


def test_a_kiosk_learns_no_address(running: Stack, department: str, caller: MakeCaller) -> None:
    """A desk key that issues for a registered user does not learn who that is."""
    user = running.ask("POST", "/api/v1/users", {"name": "Ada Byron", "email": "ada@example.com"})[1]
    answer = caller("desk")("POST", f"/api/v1/departments/{department}/tokens", json={"userId": user["userId"]})

    assert answer.status_code == 201
    assert "ada" not in answer.text.lower()


def test_a_customer_cannot_send_e_mails_to_others(running: Stack, department: str, person: MakePerson) -> None:
    """Issuing and cancelling in a loop must not flood mailboxes."""
    _, ada = person("customer")
    body = {"email": "victim@example.com", "name": "Somebody else"}
    token = ada("POST", f"/api/v1/departments/{department}/tokens", json=body).json()

    assert (token["email"], token["name"]) == (None, "Ada")


def test_parallel_guesses_are_counted(running: Stack) -> None:
    """Forty parallel guesses count as forty."""
    body = {"username": f"g{secrets.token_hex(4)}", "password": "x"}
    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda _: running.ask("POST", "/api/v1/auth/login", body)[0], range(40)))

    assert codes.count(429) >= 20


def test_wrong_old_passwords_are_limited_like_logins(person: MakePerson) -> None:
    """A stolen session is no way to guess the password."""
    _, ada = person("staff")
    body = {"oldPassword": "wrong", "newPassword": "correct horse battery"}
    codes = [ada("POST", "/api/v1/auth/password", json=body).status_code for _ in range(15)]
    assert codes == [403] * 10 + [429] * 5


@pytest.mark.parametrize("new", ["a password\0of two", "tab\tulated", "\ud800 a surrogate"])
def test_a_password_that_cannot_be_typed_is_refused(running: Stack, new: str) -> None:
    body = {"name": "Bob", "role": "staff", "username": f"u{secrets.token_hex(4)}", "password": new}
    status, answer = running.ask("POST", "/api/v1/users", body)
    assert (status, answer["code"]) == (422, "invalid")


def test_a_key_has_no_password(caller: MakeCaller) -> None:
    """It is no guess at a password either: asking often is never answered with a wait."""
    asks = caller("staff")
    for _ in range(15):
        answer = asks("POST", "/api/v1/auth/password", json={"oldPassword": "x" * 8, "newPassword": "y" * 8})
        assert (answer.status_code, answer.json()["reason"]) == (403, "account.key_has_no_password")


def test_a_new_password_is_another_one(running: Stack, enter: Callable[[str], Caller]) -> None:
    """Above all the first one, which somebody else knows."""
    name, password = f"u{secrets.token_hex(4)}", secrets.token_hex(8)
    body = {"name": "Ada", "username": name, "role": "staff", "departments": [], "password": password}
    assert running.ask("POST", "/api/v1/users", body)[0] == 201
    ada = enter(running.ask("POST", "/api/v1/auth/login", {"username": name, "password": password})[1]["token"])
    same = ada("POST", "/api/v1/auth/password", json={"oldPassword": password, "newPassword": password})
    assert (same.status_code, same.json()["detail"]) == (422, "The new password is the old one.")


def test_rights_in_unknown_departments_are_refused(running: Stack) -> None:
    """A mistyped department would create a user who can serve nothing."""
    body = {"name": "Bob", "role": "staff", "departments": ["NOSUCH"]}

    assert running.ask("POST", "/api/v1/users", body)[1]["code"] == "unknown_department"
    body = {"label": "kiosk", "role": "desk", "departments": ["NOSUCH"]}
    assert running.ask("POST", "/api/v1/keys", body)[1]["code"] == "unknown_department"


def test_a_desk_can_cancel_until_the_token_is_called(running: Stack, department: str, caller: MakeCaller) -> None:
    """Until the token is called, and only in its own departments."""
    desk, staff = caller("desk", department), caller("staff", department)
    issue = f"/api/v1/departments/{department}/tokens"
    first, second = (desk("POST", issue, json={}).json()["tokenId"] for _ in range(2))

    assert caller("desk", "ZZ")("POST", f"/api/v1/tokens/{first}/cancel", json={}).status_code == 403
    assert desk("POST", f"/api/v1/tokens/{first}/cancel", json={}).json()["state"] == "CANCELLED"
    staff("POST", f"/api/v1/departments/{department}/call", json={"counterId": department})
    assert desk("POST", f"/api/v1/tokens/{second}/cancel", json={}).status_code == 403
