"""The OpenAPI document: how each operation may fail, and who may call it."""

from typing import Any

import pytest

from tokenq.contract.enums import Role
from tokenq.contract.problems import PROBLEM_MEDIA_TYPE, ProblemCode
from tokenq_server.api.app import create_app
from tokenq_server.settings import ServerSettings

DOCUMENT: dict[str, Any] = create_app(ServerSettings()).openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
READY = ("GET /readyz", "503")
"""No problem: it says which part is down."""


OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a reference points to."""
    found: Any = DOCUMENT
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_failure_is_a_problem(name: str) -> None:
    """So that a generated client has it as a type."""
    failures = {status: part for status, part in OPERATIONS[name]["responses"].items() if int(status) >= 400}
    assert {"431", "500"} <= failures.keys()
    for status, part in failures.items():
        if (name, status) == READY:
            continue
        response = resolved(part)
        assert response["content"] == {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for code in ProblemCode:
            assert (f"`{code}`" in response["description"]) is (code.status == int(status))


def test_the_schema_has_every_code_and_what_is_sent() -> None:
    problem = SCHEMAS["Problem"]
    assert problem["properties"]["code"]["enum"] == [str(code) for code in ProblemCode]
    assert set(problem["properties"]["status"]["enum"]) == {code.status for code in ProblemCode}
    (example,) = problem["examples"]
    assert set(problem["required"]) <= example.keys() <= problem["properties"].keys()


def test_every_status_of_a_problem_is_some_operation_s() -> None:
    """But 405, which no operation answers."""
    listed = {int(status) for operation in OPERATIONS.values() for status in operation["responses"]}
    assert {code.status for code in ProblemCode} - listed == {405}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_lists_only_failures_that_it_can_have(name: str) -> None:
    operation = OPERATIONS[name]
    statuses, roles = set(operation["responses"]), operation.get("x-roles")
    has_body = "requestBody" in operation
    assert ("422" in statuses) is (operation["tags"] != ["operations"])
    assert {"408", "413"} & statuses == ({"408", "413"} if has_body else set())
    assert ("401" in statuses) is (roles is not None or name == "POST /api/v1/auth/login")
    assert ("429" in statuses) is ("401" in statuses)
    assert ("403" in statuses) is (roles is not None and name != "GET /api/v1/auth/me")
    assert ("security" in operation) is (roles is not None)
    assert roles is None or set(roles) <= set(Role)


def test_what_the_framework_would_send_is_not_in_it() -> None:
    assert not {"HTTPValidationError", "ValidationError"} & SCHEMAS.keys()


def test_what_is_no_json_is_not_called_json() -> None:
    contents = {
        name: operation["responses"]["200"]["content"]
        for name, operation in OPERATIONS.items()
        if "200" in operation["responses"]
    }
    assert set(contents["GET /metrics"]) == {"text/plain"}
    assert set(contents["GET /events"]) == {"text/event-stream"}
    assert contents["GET /readyz"]["application/json"]["schema"]["$ref"].endswith("/Readiness")
