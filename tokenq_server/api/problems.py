"""Failures as RFC 9457 documents, whatever raised them."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tokenq.contract.problems import PROBLEM_MEDIA_TYPE, Problem, Refused, refuse
from tokenq.contract.reasons.system import FieldReason, RequestReason
from tokenq_server.api.security_events import audit_refusal
from tokenq_server.domain.refusals import database_unavailable
from tokenq_server.logs import request_id
from tokenq_server.services.ports import LedgerDown

logger = logging.getLogger(__name__)

_BY_STATUS = {
    400: RequestReason.UNREADABLE,
    404: RequestReason.NOT_FOUND,
    405: RequestReason.WRONG_METHOD,
    408: RequestReason.TOO_SLOW,
    413: RequestReason.TOO_LARGE,
}
_UNKNOWN_FIELD = "extra_forbidden"
_BY_TYPE = {
    "missing": FieldReason.MISSING,
    _UNKNOWN_FIELD: FieldReason.UNKNOWN,
    "string_pattern_mismatch": FieldReason.WRONG_FORM,
    "json_invalid": FieldReason.NO_JSON,
    "enum": FieldReason.NO_CHOICE,
    "string_type": FieldReason.NO_TEXT,
    "int_type": FieldReason.NO_WHOLE_NUMBER,
    "int_parsing": FieldReason.NO_WHOLE_NUMBER,
    "int_from_float": FieldReason.NO_WHOLE_NUMBER,
    "bool_type": FieldReason.NO_TRUTH,
    "list_type": FieldReason.NO_LIST,
    "dict_type": FieldReason.NO_MAPPING,
    "model_attributes_type": FieldReason.NO_OBJECT,
    "empty": FieldReason.EMPTY,
    "unprintable": FieldReason.UNPRINTABLE,
    "encoded_word": FieldReason.ENCODED_WORD,
}
"""The reason for a validation error, by the framework's name for it."""
_BY_LIMIT = {
    "max_length": FieldReason.TOO_LONG,
    "min_length": FieldReason.TOO_SHORT,
    "ge": FieldReason.TOO_SMALL,
    "le": FieldReason.TOO_GREAT,
}
_A_NAME = ".[key]"
"""What the framework appends to the location of an error in an object's key."""


class ProblemResponse(Response):
    """A problem as a response. When it is sent, it is audited if it is a security event."""

    def __init__(self, problem: Problem, headers: dict[str, str]) -> None:
        document = problem.to_wire()
        if current := request_id.get():
            document["requestId"] = current
        body = json.dumps(document, ensure_ascii=False)
        super().__init__(body, problem.code.status, headers, media_type=PROBLEM_MEDIA_TYPE)
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        audit_refusal(scope, self._problem)
        await super().__call__(scope, receive, send)


def respond(problem: Problem) -> Response:
    """Return the response for a problem."""
    status = problem.code.status
    headers = {}
    if "retryAfter" in problem.extra or status == 503:
        headers["Retry-After"] = str(problem.extra.get("retryAfter", 2))
    if status == 408:
        headers["Connection"] = "close"  # the rest of the body may still come
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return ProblemResponse(problem, headers)


def register(app: FastAPI, routes: Sequence[APIRoute] = ()) -> None:
    """Answer every failure of ``app`` as a problem; ``routes`` are all that it has."""
    app.state.routes = routes
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)


async def response_for(request: Request, error: Exception) -> Response:
    """Return the response for whatever a route raised."""
    return await _HANDLERS[_kind_of(error)](request, error)


def is_unexpected(error: Exception) -> bool:
    """Whether an error is nobody's answer but a fault of ours."""
    return _kind_of(error) is Exception


def _kind_of(error: Exception) -> type[Exception]:
    return next(kind for kind in _HANDLERS if isinstance(error, kind))


class TooLargeAsProblem:
    """Turns the framework's plain-text 413 into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, and replace a plain 413."""
        is_replaced = False

        async def replace(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                is_replaced = True
                await respond(refuse(_BY_STATUS[413]).problem)(scope, receive, send)
            elif not is_replaced:
                await send(message)

        await self._app(scope, receive, replace)


async def _respond_refused(_: Request, error: Any) -> Response:
    return respond(error.problem)


async def _invalid(_: Request, error: Any) -> Response:
    errors = error.errors()
    # A misspelt field is an unknown and a missing one: what was typed explains both.
    first = next((each for each in errors if each["type"] == _UNKNOWN_FIELD), errors[0])
    where = ".".join(map(str, _place(first, error.body)))
    named = where.removesuffix(_A_NAME)
    shown = where or "The request"
    if named != where:
        *place, thing = named.split(".")
        shown = f"'{thing}' in {'.'.join(place)}"
    reason, params = _what_is_wrong(first)
    return respond(refuse(reason, {"field": named}, field=shown, **params).problem)


def _place(error: dict[str, Any], body: Any) -> list[str | int]:
    """Return where an error is, without the names that the framework gives to the alternatives of a field."""
    source: str | int
    parts: list[str | int]
    source, *parts = error["loc"]
    if source != "body":
        return parts
    place: list[str | int] = []
    inner = body
    for index, part in enumerate(parts):
        is_missing = error["type"] == "missing" and index == len(parts) - 1
        if is_missing or part == "[key]" or _has(inner, part):
            place.append(part)
            inner = inner[part] if _has(inner, part) else None
    return place


def _has(whole: Any, part: str | int) -> bool:
    return part in whole if isinstance(whole, dict) else isinstance(whole, list) and part in range(len(whole))


def _what_is_wrong(error: dict[str, Any]) -> tuple[FieldReason, dict[str, Any]]:
    """Describe a validation error without the framework's terms."""
    kind, limits = error["type"], error.get("ctx") or {}
    if kind in _BY_TYPE:
        return _BY_TYPE[kind], {}
    if kind == "literal_error":
        return FieldReason.WRONG_VALUE, {"fault": f"must be {limits['expected']}"}
    if kind == "too_short":  # a list
        least = limits["min_length"]
        return (FieldReason.TOO_FEW, {"limit": least}) if least > 1 else (FieldReason.EMPTY, {})
    if kind == "too_long":
        return FieldReason.TOO_MANY, {"limit": limits["max_length"]}
    for name, reason in _BY_LIMIT.items():
        if name in limits:
            return reason, {"limit": limits[name]}
    if kind == "value_error":
        return FieldReason.WRONG_VALUE, {"fault": str(error["msg"]).removeprefix("Value error, ")}
    return FieldReason.WRONG_KIND, {"kind": kind.removesuffix("_type").removesuffix("_parsing").replace("_", " ")}


async def _http(request: Request, error: Any) -> Response:
    response = respond(refuse(_BY_STATUS.get(error.status_code, _BY_STATUS[400])).problem)
    if error.status_code == 405:
        # The framework names only the methods of the first route with this path.
        response.headers["Allow"] = ", ".join(_methods_at(request))
    return response


def _methods_at(request: Request) -> list[str]:
    routes: Sequence[APIRoute] = request.app.state.routes
    found = {method for route in routes if route.path_regex.match(request.url.path) for method in route.methods or ()}
    return sorted(found | {"HEAD"} if "GET" in found else found)


async def _ledger_down(_: Request, __: Any) -> Response:
    return respond(database_unavailable().problem)


async def _respond_internal(request: Request, error: Any) -> Response:
    logger.error("request failed", exc_info=error, extra={"path": request.url.path})
    return respond(refuse(RequestReason.FAILED).problem)


_HANDLERS: Mapping[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
    Refused: _respond_refused,
    RequestValidationError: _invalid,
    HTTPException: _http,
    LedgerDown: _ledger_down,
    Exception: _respond_internal,
}
"""The first that fits counts."""
