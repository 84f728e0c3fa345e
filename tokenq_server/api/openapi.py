"""The OpenAPI document: what the framework knows of the routes, and what it does not: roles and failures."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.routing import APIRoute

from tokenq.contract import paths
from tokenq.contract.enums import Role
from tokenq.contract.problems import PROBLEM_MEDIA_TYPE, ProblemCode, refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq_server.api.auth import Allowed
from tokenq_server.api.inside import Inside
from tokenq_server.api.strictness import StrictRoute

Document = dict[str, Any]

_ACCOUNT_TAG = "login"
_MEANINGS = {
    401: "No login, an invalid or an ended one.",
    403: "The caller may not do this.",
    404: "Something that the request names does not exist.",
    408: "The body did not arrive in time.",
    409: "The request contradicts the present state.",
    413: "The body is too large.",
    422: "The request is not valid.",
    429: "Too many requests.",
    431: "The headers are too large.",
    500: "The server failed.",
    503: "A store is unavailable, or the server is overloaded; nothing is known to be lost.",
}
_HEADERS = {
    401: {"WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
}
_TEXT = {"type": "string"}
_PROBLEM: Document = {
    "title": "Problem",
    "description": "Why a request failed (RFC 9457). Some codes have more members than these.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "hint"],
    "properties": {
        "type": _TEXT | {"format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer", "enum": sorted({code.status for code in ProblemCode})},
        "code": _TEXT
        | {"enum": [str(code) for code in ProblemCode], "description": "For programs. Newer releases may add some."},
        "detail": _TEXT | {"description": "What is wrong: one English sentence."},
        "hint": _TEXT | {"description": "What to do next: one English sentence, or empty."},
        "reason": _TEXT | {"description": "The name of the sentence, to say it in other words."},
        "params": {"type": "object", "description": "What the sentence is filled with."},
        "action": {
            "type": "object",
            "description": "The hint as an action.",
            "required": ["name", "params"],
            "properties": {"name": _TEXT, "params": {"type": "object"}},
        },
        "retryAfter": {"type": "integer", "description": "Seconds to wait."},
        "requestId": _TEXT | {"description": "The request in the server's log."},
    },
    "examples": [refuse(DepartmentReason.EMPTY, departments=["CW"], department="CW").problem.to_wire()],
}


def roles_of(route: APIRoute) -> frozenset[Role] | None:
    """Return the roles that a route admits, or ``None`` if it needs no login."""
    pending = list(route.dependant.dependencies)
    while pending:
        dependant = pending.pop()
        if isinstance(dependant.call, Allowed | Inside):
            return dependant.call.roles
        pending += dependant.dependencies
    return None


def _is_inside(route: APIRoute) -> bool:
    return any(isinstance(dependant.call, Inside) for dependant in route.dependant.dependencies)


def complete(document: Document, routes: Iterable[APIRoute]) -> Document:
    """Add to the framework's document who may call each operation, and each failure it may answer."""
    components = document["components"]
    for name in ("HTTPValidationError", "ValidationError"):  # the framework's own, which is never sent
        components["schemas"].pop(name, None)
    components["schemas"]["Problem"] = _PROBLEM
    components["responses"] = {f"Problem{status}": _response(status) for status in _MEANINGS}
    for route in routes:
        for method in route.methods or ():
            operation = document["paths"].get(route.path, {}).get(method.lower())
            if operation is not None:
                _complete(operation, route, method)
    return document


def _complete(operation: Document, route: APIRoute, method: str) -> None:
    roles = roles_of(route)
    if roles is not None:
        operation["x-roles"] = sorted(map(str, roles))
        operation["security"] = [{"HTTPBearer": []}, *([{}] if _is_inside(route) else [])]
    responses = operation["responses"]
    for status in _failures(operation, route, method, roles):
        if "content" not in responses.get(str(status), {}) or status == 422:
            responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}


def _failures(operation: Document, route: APIRoute, method: str, roles: frozenset[Role] | None) -> Iterator[int]:
    """Yield the statuses of an operation's failures."""
    is_account = _ACCOUNT_TAG in operation["tags"]
    identifies = roles is not None or route.path == paths.LOGIN
    has_body = "requestBody" in operation
    parameters = {(each["in"], each["name"]) for each in operation.get("parameters", [])}
    names_something = any(place == "path" for place, _ in parameters) or ("query", "departmentId") in parameters
    applies: dict[int, bool] = {
        401: identifies,
        403: roles is not None and route.path != paths.ME,
        404: names_something or (has_body and not is_account),
        408: has_body,
        409: method != "GET" and not is_account,
        413: has_body,
        422: isinstance(route, StrictRoute),
        429: identifies,  # guesses are limited
        431: True,
        500: True,
        503: route.path != paths.HEALTHZ,
    }
    return (status for status, does_apply in applies.items() if does_apply)


def _response(status: int) -> Document:
    codes = ", ".join(f"`{code}`" for code in ProblemCode if code.status == status)
    return {
        "description": f"{_MEANINGS[status]} Codes: {codes}.",
        "headers": _HEADERS.get(status, {}),
        "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
