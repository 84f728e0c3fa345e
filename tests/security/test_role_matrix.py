"""Who may call what: every operation of the OpenAPI document with every kind of caller. Rows 1 to 6, generated."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.security.audited import AuditedApi
from tokenq.contract.enums import Role
from tokenq.contract.reasons.setup import AccountReason
from tokenq_server.api.app import create_app
from tokenq_server.settings import ServerSettings

DOCUMENT = create_app(ServerSettings()).openapi()
ANYBODY = {"login", "healthz", "readyz"}
"""The operations without a login, by name."""
READABLE = {"show_department", "queue", "peek", "show", "why", "history", "day_log"}
"""What staff of another department may read, without names and addresses; see tests/integration/test_api_access.py."""
PEOPLE = {
    "staff": ("staff", "CW"),
    "staff elsewhere": ("staff", "HR"),
    "desk": ("desk", "CW"),
    "customer": ("customer",),
}
"""Callers with a password, by their role and departments; the others have keys."""
EXAMPLES: dict[str, Any] = {
    "claimVersion": 0,
    "counterId": "9",
    "departments": ["CW"],
    "label": "kiosk",
    "name": "Ada",
    "role": "desk",
    "to": "CW",
    "tokens": [{}],
    "branchId": "other",
    "departmentId": "NEW",
    "oldPassword": "wrong",
    "newPassword": "correct horse",
    "username": "nobody",
    "password": "wrong",
    "priority": "urgent",
    "email": "ada@example.org",
    "counters": "1-2",
}


@dataclass(frozen=True)
class Operation:
    """An operation of the document."""

    method: str
    path: str
    about: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of its function."""
        return str(self.about["summary"]).lower().replace(" ", "_")

    @property
    def roles(self) -> list[str]:
        """Those that the document names."""
        return list(self.about.get("x-roles", []))

    @property
    def is_open_here(self) -> bool:
        """Whether this machine needs no login for it."""
        return {} in self.about.get("security", [{}])

    @property
    def is_of_a_department(self) -> bool:
        """Whether it changes or shows one department or one token."""
        return "{department_id}" in self.path or "{token_id}" in self.path

    def body(self) -> dict[str, Any] | None:
        """The least that is valid."""
        content = self.about.get("requestBody", {}).get("content", {})
        if not content:
            return None
        schema = content["application/json"]["schema"]
        schema = DOCUMENT["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
        fields = list(schema.get("required", []))
        if self.name == "edit":
            fields.append("name")
        return {field: EXAMPLES[field] for field in fields}

    def query(self) -> dict[str, Any]:
        """The parameters that it needs."""
        parameters = [each for each in self.about.get("parameters", []) if each["in"] == "query"]
        return {each["name"]: EXAMPLES[each["name"]] for each in parameters if each["required"]}


OPERATIONS = [
    Operation(method.upper(), path, about)
    for path, methods in DOCUMENT["paths"].items()
    for method, about in methods.items()
]


@dataclass
class Callers:
    """One of each kind, by name, and the API."""

    api: AuditedApi
    sessions: dict[str, str]
    client: httpx.Client

    def ask(self, operation: Operation, caller: str) -> httpx.Response:
        """Send the request about CW, a new token of CW, or a user and a key that do not exist."""
        path = operation.path
        if "{token_id}" in path:
            as_admin = {"Authorization": f"Bearer {self.api.api.token}"}
            token = self.client.post("/api/v1/departments/CW/tokens", json={}, headers=as_admin).json()
            path = path.replace("{token_id}", str(token["tokenId"]))
        path = path.format(department_id="CW", branch_id="main", user_id=999_999, key_id=999_999, secret="A" * 22)
        credential = self.sessions[caller]
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        request = self.client.build_request(
            operation.method, path, params=operation.query(), json=operation.body(), headers=headers
        )
        answer = self.client.send(request, stream=True)
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
        answer.close()
        if operation.name == "logout":
            self.begin(caller)
        return answer

    def begin(self, caller: str) -> None:
        """Sign a person in; who is none has a key or nothing."""
        if caller in PEOPLE:
            self.sessions[caller] = self.api.session(*PEOPLE[caller])[1]


@pytest.fixture(scope="module")
def callers(audited: AuditedApi) -> Iterator[Callers]:
    """One of each kind."""
    sessions = {
        "nobody": "",
        "garbage": "tq_garbage",
        "admin": audited.key("admin"),
        "board": audited.key("board", "CW"),
    }
    with httpx.Client(base_url=audited.api.url, timeout=20) as client:
        found = Callers(audited, sessions, client)
        for person in PEOPLE:
            found.begin(person)
        yield found


def test_the_document_names_the_roles_of_every_operation() -> None:
    assert {operation.name for operation in OPERATIONS if not operation.roles} == ANYBODY
    assert len(OPERATIONS) > 60
    for operation in OPERATIONS:
        assert set(operation.roles) <= set(Role)


@pytest.mark.parametrize("caller", ["nobody", "garbage"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_nobody_does_anything_without_a_login(callers: Callers, operation: Operation, caller: str) -> None:
    """Row 6."""
    answer = callers.ask(operation, caller)
    if operation.name == "login":
        assert answer.json()["reason"] == AccountReason.WRONG_LOGIN.id
    elif operation.is_open_here:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("caller", ["admin", "staff", "staff elsewhere", "desk", "customer", "board"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_a_role_does_what_the_document_says_and_nothing_else(
    callers: Callers, operation: Operation, caller: str
) -> None:
    """Rows 3 to 5."""
    answer = callers.ask(operation, caller)
    is_admitted = operation.is_open_here or caller.split()[0] in operation.roles
    reason = answer.json().get("reason") if answer.status_code in (401, 403, 404) else None
    assert answer.status_code < 500, answer.text
    if not is_admitted:
        assert (answer.status_code, reason) == (403, AccountReason.WRONG_ROLE.id)
        return
    assert reason != AccountReason.WRONG_ROLE.id
    if caller == "staff elsewhere" and operation.is_of_a_department and operation.name not in READABLE:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    elif caller == "customer" and "{token_id}" in operation.path:
        assert (answer.status_code, reason) == (404, "token.unknown"), "Rows 1 and 2: as if it did not exist."
    elif caller in ("admin", "staff", "desk") and operation.name not in ("change_password", "login"):
        assert answer.status_code not in (401, 403), answer.text
