"""Health, readiness and metrics."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.datastructures import State
from typing_extensions import TypedDict

from tokenq.contract import paths
from tokenq.contract.problems import Refused
from tokenq_server.api.auth import PUBLIC, ServicesDep
from tokenq_server.api.inside import Inside
from tokenq_server.api.limits import LIMITED
from tokenq_server.api.strictness import StrictBody
from tokenq_server.bootstrap import Services
from tokenq_server.domain.permissions import MONITORS
from tokenq_server.services.ports import LedgerDown, LineDown
from tokenq_server.services.publishing import PublishFailed

router = APIRouter(tags=["operations"], route_class=StrictBody)
_UP, _DOWN, _UNUSED = "up", "down", "unused"
_LIMIT_SECONDS = 1.5
_UNPUBLISHED_SECONDS = 10.0
"""Seconds that an event may wait to be published before the relay counts as behind."""


class Readiness(TypedDict):
    """Whether the server is `ready`, `degraded` or `unavailable`, and the state of each part."""

    status: str
    parts: dict[str, str]


_READINESS: dict[int | str, dict[str, Any]] = {200: {"model": Readiness}, 503: {"model": Readiness}}


@router.get(paths.HEALTHZ, openapi_extra=PUBLIC)
async def healthz() -> dict[str, str]:
    """Answer if the process is alive."""
    return {"status": "alive"}


@router.get(paths.READYZ, openapi_extra=PUBLIC, responses=_READINESS)
async def readyz(request: Request, services: ServicesDep) -> JSONResponse:
    """Ready with Postgres; degraded but working without Redis, Kafka, relay or notify; 503 without Postgres.

    Notify is `unused` where none runs and none is missed: no e-mail is queued, and no live token may get one.
    """
    parts = await _parts(request.app.state, services)
    has_postgres = parts["postgres"] == _UP
    status = "unavailable" if not has_postgres else "degraded" if _DOWN in parts.values() else "ready"
    body: dict[str, Any] = {"status": status, "parts": parts}
    return JSONResponse(body, 200 if has_postgres else 503)


@router.get(
    paths.METRICS,
    dependencies=[Depends(Inside(MONITORS, warns_first=True)), LIMITED],
    response_class=PlainTextResponse,
)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Metrics for Prometheus. From another machine, it needs a key."""
    shown = services.metrics
    shown.queued.set(services.commit.queued)
    shown.watchers.set(services.feed.watchers)
    shown.show_waits(services.reading.waits())
    shown.show_counters(services.forecasts.counters_open())
    shown.show_parts({part: state != _DOWN for part, state in (await _parts(request.app.state, services)).items()})
    try:
        figures = await services.watching.figures()
    except Refused:
        figures = None
    shown.show_stores(figures)
    return Response(shown.page(), media_type=shown.content_type)


async def _parts(state: State, services: Services) -> dict[str, str]:
    """Ask every part, once for all who ask at the same moment.

    It has no rate limit, since a load balancer takes a server away that refuses to say if it is ready. So a flood must
    not become one of the stores.
    """
    checking: asyncio.Task[dict[str, str]] | None = getattr(state, "readiness", None)
    if checking is None or checking.done():
        checking = state.readiness = asyncio.create_task(_ask_parts(services), name="readiness")
    return await asyncio.shield(checking)


async def _ask_parts(services: Services) -> dict[str, str]:
    names = ("postgres", "redis", "kafka", "relay", "notify")
    pings = (
        services.database.ping(),
        services.line.ping(),
        services.topic.ping(),
        _is_published(services),
        _notify_state(services),
    )
    return dict(zip(names, await asyncio.gather(*map(_state, pings)), strict=True))


async def _is_published(services: Services) -> bool:
    """Whether events are being published: a broker may answer and accept nothing. Raises LedgerDown."""
    return await services.log.unpublished_for() <= _UNPUBLISHED_SECONDS


async def _notify_state(services: Services) -> str:
    is_running, is_needed = await services.log.notify_status()
    return _UP if is_running else _DOWN if is_needed else _UNUSED


async def _state(ping: Awaitable[bool | str | None]) -> str:
    """The state of a part: what it says itself; else it is up if it answers, and does not answer no."""
    try:
        answer = await asyncio.wait_for(ping, _LIMIT_SECONDS)
    except (Refused, LedgerDown, LineDown, PublishFailed, TimeoutError):
        return _DOWN
    return answer if isinstance(answer, str) else _DOWN if answer is False else _UP
