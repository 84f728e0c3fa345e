"""Failures as RFC 9457 documents, whatever raised them."""

import json
import logging
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tokenq.contract.problems import KINDS, PROBLEM_MEDIA_TYPE, Problem, ProblemCode, Refused
from tokenq_server.domain.refusals import database_away
from tokenq_server.services.ports import LedgerDown

logger = logging.getLogger(__name__)

_BY_STATUS = {
    400: (ProblemCode.INVALID, "The request could not be read.", "Send JSON as the API's documentation shows."),
    404: (ProblemCode.NOT_FOUND, "There is nothing at this address.", "See /docs for what there is."),
    405: (ProblemCode.METHOD_NOT_ALLOWED, "This address does not take that method.", "See /docs for what it takes."),
    413: (ProblemCode.TOO_LARGE, "The request is too large.", "Send less at once."),
}

_PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_pattern_mismatch": "does not have the right form",
    "json_invalid": "is not JSON",
    "enum": "is none of the words allowed there",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_attributes_type": "must be a JSON object",
}
_A_NAME = ".[key]"
"""What the framework calls the name of a thing in an object, after the name itself."""
_LIMITS = {
    "max_length": "must not be longer than {} characters",
    "min_length": "must have at least {} characters",
    "ge": "must be at least {}",
    "le": "must be at most {}",
}


def respond(problem: Problem) -> Response:
    """The answer that carries a problem."""
    status = KINDS[problem.code].status
    headers = {}
    if "retryAfter" in problem.extra or status == 503:
        headers["Retry-After"] = str(problem.extra.get("retryAfter", 2))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = json.dumps(problem.to_wire(), ensure_ascii=False)
    return Response(body, status, headers, media_type=PROBLEM_MEDIA_TYPE)


def register(app: FastAPI) -> None:
    """Let every failure of ``app`` be answered as a problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(LedgerDown, _ledger_down)
    app.add_exception_handler(Exception, _unexpected)


class TooLargeAsProblem:
    """Turns the framework's plain-text 413 into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and replace a bare 413."""
        is_replaced = False

        async def replace(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                is_replaced = True
                await respond(Problem(*_BY_STATUS[413]))(scope, receive, send)
            elif not is_replaced:
                await send(message)

        await self._app(scope, receive, replace)


async def _refused(_: Request, error: Any) -> Response:
    return respond(error.problem)


async def _invalid(_: Request, error: Any) -> Response:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "path", "query", "header"))
    named = where.removesuffix(_A_NAME)
    if named != where:
        *place, thing = named.split(".")
        detail = f"'{thing}' in {'.'.join(place)} {_what_is_wrong(first)}."
        return respond(Problem(ProblemCode.INVALID, detail, "Correct it and send it again.", {"field": named}))
    detail = f"{where or 'The request'} {_what_is_wrong(first)}."
    return respond(Problem(ProblemCode.INVALID, detail, "Correct it and send it again.", {"field": where}))


def _what_is_wrong(error: dict[str, Any]) -> str:
    """One validation error in words that do not need the framework to be understood."""
    kind, limits = error["type"], error.get("ctx") or {}
    if kind in _PLAIN:
        return _PLAIN[kind]
    for name, words in _LIMITS.items():
        if name in limits:
            return words.format(limits[name])
    if kind == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    return f"must be {kind.removesuffix('_type').removesuffix('_parsing').replace('_', ' ')}"


async def _http(_: Request, error: Any) -> Response:
    known = _BY_STATUS.get(error.status_code, _BY_STATUS[400])
    return respond(Problem(*known))


async def _ledger_down(_: Request, __: Any) -> Response:
    return respond(database_away().problem)


async def _unexpected(request: Request, error: Any) -> Response:
    logger.error("request failed", exc_info=error, extra={"path": request.url.path})
    problem = Problem(ProblemCode.INTERNAL, "The server failed to answer this.", "Its log says why; please report it.")
    return respond(problem)
