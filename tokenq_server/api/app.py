"""The API as an ASGI application."""

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tokenq_server import logs
from tokenq_server.api import openapi, problems
from tokenq_server.api.direct_routes import DirectRoutes
from tokenq_server.api.first_admin import first_admin
from tokenq_server.api.head_requests import HeadAsGet
from tokenq_server.api.proxies import BehindProxies
from tokenq_server.api.request_ids import HEADER, RequestIds
from tokenq_server.api.routes import (
    audit,
    auth,
    board,
    board_page,
    counters,
    events,
    floor,
    health,
    moves,
    people,
    personal_data,
    reference,
    reports,
    setup,
    ticket_pages,
    tickets,
    tokens,
)
from tokenq_server.api.strictness import Bounded
from tokenq_server.bootstrap import Services, open_services
from tokenq_server.services.ports import Guard
from tokenq_server.settings import ServerSettings

ROUTERS = tuple(
    module.router
    for module in (
        auth,
        setup,
        people,
        tokens,
        moves,
        counters,
        floor,
        reports,
        board,
        events,
        health,
        audit,
        personal_data,
        tickets,
    )
)
PAGES = (board_page.router, ticket_pages.router)
"""For browsers, which come with a key in a cookie, a ticket's secret, or nothing."""


def _routes(routers: Iterable[APIRouter]) -> list[APIRoute]:
    return [route for router in routers for route in router.routes if isinstance(route, APIRoute)]


ROUTES = tuple(_routes(ROUTERS))
"""All that the OpenAPI document describes, and more."""

_ABOUT = """Queues for places where people take a number and wait.

Log in with `POST /api/v1/auth/login`, or use a key, and send it as `Authorization: Bearer tq_…`.
Send an `Idempotency-Key` with every change, and the same key when you retry: nothing is done twice.
Errors are `application/problem+json` with a stable `code`, a sentence and a hint.
"""


def create_app(settings: ServerSettings, guard: Guard | None = None) -> FastAPI:
    """Build the application. Stores are opened at startup; nothing is committed before ``guard`` has succeeded."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings, guard) as services:
            app.state.services = services
            async with AsyncExitStack() as stack:
                if settings.admin_token_file is not None:
                    await stack.enter_async_context(first_admin(services, settings.admin_token_file))
                yield

    app = _App(
        title="tokenq",
        version="1",
        description=_ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        openapi_url=None,
        max_body_size=settings.max_body_bytes,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.settings = settings
    routers = (*ROUTERS, *PAGES, *([reference.router] if settings.docs else []))
    problems.register(app, _routes(routers))
    for router in routers:
        app.include_router(router)
    return app


class _App(FastAPI):
    """FastAPI with layers around it: it answers too large a body as plain text, outside of all handlers."""

    settings: ServerSettings

    def openapi(self) -> dict[str, Any]:
        """The document, made once, with roles and failures."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.complete(super().openapi(), ROUTES)
        return self.openapi_schema

    def build_middleware_stack(self) -> ASGIApp:
        """The stack with additional layers around it; direct routes pass only those outside of them."""
        app: ASGIApp = problems.TooLargeAsProblem(super().build_middleware_stack())
        app = DirectRoutes(app, ROUTES, self.settings.max_body_bytes)
        if self.settings.proxies:
            app = BehindProxies(app, self.settings.proxies)
        return Outermost(Bounded(HeadAsGet(app)), RequestIds(self.settings.proxies))


class Outermost:
    """Gives requests an id, counts and times them by route, and disables caching.

    Plain ASGI: it cannot cancel a request.
    """

    def __init__(self, app: ASGIApp, request_ids: RequestIds) -> None:
        self._app, self._request_ids = app, request_ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request and record its duration."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500
        request_id = self._request_ids.id_of(scope)
        before = logs.request_id.set(request_id)

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers: list[Any] = message.setdefault("headers", [])
                headers += [
                    (b"cache-control", b"no-store"),
                    (b"x-content-type-options", b"nosniff"),
                    (HEADER, request_id.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            services: Services = scope["app"].state.services
            route = getattr(scope.get("route"), "path", "unknown")
            services.metrics.observe(scope["method"], route, status, time.perf_counter() - began)
            logs.request_id.reset(before)
