"""Everyday requests, straight to their routes.

The framework's layers cost several times as much as the work of issuing a number: two dozen nested calls, and a tree of
dependencies that is walked for each request. A well-formed request to a route of the usual shape (one path parameter, a
body, a caller, an idempotency key) does not need them. Whatever is unusual about a request goes through the framework,
before anything was done: what is refused for its form, and in which words, is decided in one place.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tokenq.contract import names, paths
from tokenq.contract.problems import Refused
from tokenq_server.api.auth import Allowed, DepartmentPath, IdPath, Repeat, RepeatDep, ServicesDep, repeat_of
from tokenq_server.api.problems import is_unexpected, response_for
from tokenq_server.api.strictness import read_json
from tokenq_server.bootstrap import Services

_JSON = b"application/json"
_HEADERS = frozenset({b"authorization", b"content-type", b"idempotency-key"})
"""Those that count; a request that repeats one of them is unusual."""
_is_bearer = re.compile(rb"Bearer ([\x21-\x7e]+)").fullmatch
_is_id = re.compile("[1-9][0-9]{0,17}").fullmatch
_is_department = re.compile(names.DEPARTMENT_ID).fullmatch


def _token_id(text: str) -> int | None:
    return int(text) if _is_id(text) else None


def _department_id(text: str) -> str | None:
    return text if _is_department(text) else None


_READERS: Sequence[tuple[Any, Callable[[str], Any]]] = ((DepartmentPath, _department_id), (IdPath, _token_id))


@dataclass(frozen=True)
class DirectRoute:
    """A route of the usual shape: one path parameter, a body, a caller, an idempotency key; it makes its response."""

    route: APIRoute
    parameter: str
    read_parameter: Callable[[str], Any]
    body: type[BaseModel]
    allowed: Allowed

    @classmethod
    def of(cls, route: APIRoute) -> "DirectRoute | None":
        """Return it; ``None`` if the route has another shape."""
        hints = get_type_hints(route.endpoint, include_extras=True)
        returned, body = hints.pop("return", None), hints.pop("body", None)
        allowed = _allowed_by(hints.pop("caller", None))
        is_usual = hints.pop("services", None) == ServicesDep and hints.pop("repeat", None) == RepeatDep
        if not is_usual or returned is not Response or not allowed or route.methods != {"POST"} or len(hints) != 1:
            return None
        ((parameter, kind),) = hints.items()
        reader = next((reader for known, reader in _READERS if known == kind), None)
        if reader is None or not (isinstance(body, type) and issubclass(body, BaseModel)):
            return None
        return cls(route, parameter, reader, body, allowed)

    @property
    def shape(self) -> tuple[str, ...]:
        """The parts of its path, without its parameter."""
        return _shape(self.route.path.split("/"))

    def read(self, scope: Scope, parts: Sequence[str], body: bytes) -> "_Asked | None":
        """Read a request; ``None`` if anything about it is unusual."""
        if scope.get("query_string"):
            return None
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in _HEADERS:
                if name in headers:
                    return None
                headers[name] = value
        parameter = self.read_parameter(parts[_PLACE])
        bearer = _is_bearer(headers.get(b"authorization", b""))
        if headers.get(b"content-type") != _JSON or bearer is None or parameter is None:
            return None
        key = headers.get(b"idempotency-key")
        try:
            model = self.body.__pydantic_validator__.validate_python(read_json(body))
            repeat = repeat_of(key.decode() if key is not None else None, "POST", scope["path"], body)
        except (json.JSONDecodeError, ValidationError, UnicodeDecodeError, Refused):
            return None
        return _Asked(parameter, model, bearer[1].decode(), repeat)

    async def answer(self, scope: Scope, asked: "_Asked") -> Response:
        """Carry out a request. Raises what its route raises."""
        services: Services = scope["app"].state.services
        caller = await self.allowed.caller_of(scope, services, asked.credential)
        given = {self.parameter: asked.parameter, "body": asked.body, "repeat": asked.repeat}
        response: Response = await self.route.endpoint(caller=caller, services=services, **given)
        return response


@dataclass(frozen=True)
class _Asked:
    """A well-formed request."""

    parameter: Any
    body: BaseModel
    credential: str
    repeat: Repeat


class DirectRoutes:
    """Answers well-formed requests to usual routes; passes all others on to ``app``, untouched. Plain ASGI."""

    def __init__(self, app: ASGIApp, routes: Sequence[APIRoute], max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._routes = {direct.shape: direct for route in routes if (direct := DirectRoute.of(route))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        direct = None
        if scope["type"] == "http" and scope["method"] == "POST":
            parts = scope["path"].split("/")
            direct = self._routes.get(_shape(parts))
        if direct is None:
            await self._app(scope, receive, send)
            return
        try:
            first = await receive()
        except HTTPException as error:  # the body took too long
            await (await response_for(Request(scope), error))(scope, receive, send)
            return
        body = first.get("body", b"")
        is_whole = first["type"] == "http.request" and not first.get("more_body") and len(body) <= self._max_body_bytes
        asked = direct.read(scope, parts, body) if is_whole else None
        if asked is None:
            await self._app(scope, _once_more(first, receive), send)
            return
        # As the framework's router would leave it, for those who describe the request.
        scope.update(route=direct.route, path_params={direct.parameter: parts[_PLACE]})
        try:
            response = await direct.answer(scope, asked)
        except Exception as error:
            await (await response_for(Request(scope), error))(scope, receive, send)
            if is_unexpected(error):
                raise
        else:
            await response(scope, receive, send)


def _once_more(first: Message, receive: Receive) -> Receive:
    """What has been received already, and then what follows."""
    messages = [first]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


def _allowed_by(caller: Any) -> Allowed | None:
    """Who may be the caller, by the annotation of that parameter."""
    found = [given.dependency for given in get_args(caller) if isinstance(getattr(given, "dependency", None), Allowed)]
    return found[0] if len(found) == 1 else None


_PLACE = len(f"{paths.TOKENS}/x".split("/")) - 1
"""Where a path has its parameter, counted in slashes."""


def _shape(parts: Sequence[str]) -> tuple[str, ...]:
    return (*parts[:_PLACE], *parts[_PLACE + 1 :])
