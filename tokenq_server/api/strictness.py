"""Requests taken strictly: what could be read in two ways or would be ignored, and headers and bodies without end."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, get_args, get_origin

from fastapi import HTTPException
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import RequestReason
from tokenq_server.api.problems import respond

HEADER_BYTES = 32 * 1024
"""The longest headers of a request: names and values together."""
BODY_SECONDS = 20.0
"""How long a request's body may take to arrive."""
_SHOWN = 64
"""Characters of an unknown name that are repeated."""


def read_json(raw: bytes) -> Any:
    """Read a JSON text: UTF-8 without byte order mark, no name twice in an object, no NaN or infinity.

    Python's own reader takes UTF-16 and UTF-32 as well, and the last of two equal names; others take the first.

    Raises:
        json.JSONDecodeError: it is no such text.
    """
    try:
        return _decode(raw.decode())
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(str(error), "", 0) from None


class StrictBody(APIRoute):
    """A route that reads its body by ``read_json``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, given a strict request."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


class StrictRoute(StrictBody):
    """A route that also refuses query parameters that it does not have, or that come twice where it takes one.

    A misspelt ``dryRun`` would be ignored, and the change made.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, for requests whose query is right."""
        handle = super().get_route_handler()
        takes_several = dict(_query_parameters(self.dependant))

        async def handle_strictly(request: Request) -> Response:
            for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
                if name not in takes_several:
                    raise refuse(RequestReason.UNKNOWN_PARAMETER, name=name[:_SHOWN])
                if times > 1 and not takes_several[name]:
                    raise refuse(RequestReason.REPEATED_PARAMETER, name=name)
            return await handle(request)

        return handle_strictly


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Yield the names of all query parameters of a route, and whether each may come several times."""
    for field in dependant.query_params:
        kind = field.field_info.annotation
        yield field.alias, any(get_origin(each) is list for each in (kind, *get_args(kind)))
    for inner in dependant.dependencies:
        yield from _query_parameters(inner)


class _StrictRequest(Request):
    async def json(self) -> Any:
        return read_json(await self.body())


class Bounded:
    """Refuses headers that are too long (431) and bodies that do not arrive in time (408)."""

    def __init__(self, app: ASGIApp, body_seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
            await respond(refuse(RequestReason.HEADERS_TOO_LARGE).problem)(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + self._body_seconds
        has_body = False

        async def receive_in_time() -> Message:
            nonlocal has_body
            if has_body:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408) from None
            has_body = not message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time, send)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice")
    return found


_decode = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object).decode
