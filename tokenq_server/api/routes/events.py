"""The live event stream (Server-Sent Events)."""

import json
import re
import time
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.security import HTTPAuthorizationCredentials
from fastapi.sse import EventSourceResponse, ServerSentEvent

from tokenq.contract import paths
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.system import RequestReason
from tokenq_server.api.auth import BearerDep, ServicesDep, Watcher
from tokenq_server.api.stream_places import place_of
from tokenq_server.api.strictness import StrictRoute
from tokenq_server.bootstrap import Services
from tokenq_server.domain.permissions import departments_to_watch, is_public_reader, sees_people_of
from tokenq_server.domain.principal import Principal
from tokenq_server.services.event_views import public_event, without_people
from tokenq_server.services.feed import Arrival, Resync, positions_in
from tokenq_server.services.people import hash_of
from tokenq_server.services.ports import LedgerDown

router = APIRouter(tags=["tokens"], route_class=StrictRoute)
_POSITION = re.compile(r"^[A-Z][A-Z0-9]{0,7}:[0-9]{1,18}$")
_PING_EVERY = 10
_RECHECK_SECONDS = 1.0


def _positions(
    last_event_id: Annotated[str | None, Header(alias=paths.LAST_EVENT_ID_HEADER)] = None,
) -> dict[str, int] | None:
    if not last_event_id:
        return None
    parts = last_event_id.split(",")
    if len(last_event_id) > 16_384 or not all(_POSITION.fullmatch(part) for part in parts):
        raise refuse(RequestReason.WRONG_EVENT_ID)
    return positions_in(last_event_id)


async def _watcher(caller: Watcher) -> AsyncIterator[Principal]:
    """Take one of the caller's places until the response has ended, whether or not its stream ever began."""
    with place_of(caller):
        yield caller


async def _departments(
    caller: Watcher,
    services: ServicesDep,
    department_id: Annotated[list[str] | None, Query(alias="departmentId", max_length=1000)] = None,
) -> frozenset[str]:
    """The departments to watch: decided before the response begins, since a stream cannot be refused."""
    await services.setup.check_watched(department_id or ())
    return departments_to_watch(caller, department_id or ())


@router.get(paths.EVENTS, response_class=EventSourceResponse)
@router.get(paths.API + paths.EVENTS, response_class=EventSourceResponse, include_in_schema=False)
async def events(
    caller: Annotated[Principal, Depends(_watcher)],
    bearer: BearerDep,
    services: ServicesDep,
    last: Annotated[dict[str, int] | None, Depends(_positions)],
    departments: Annotated[frozenset[str], Depends(_departments)],
) -> AsyncIterator[ServerSentEvent]:
    """Stream the events of the given departments (default: all), from now or from ``Last-Event-ID`` on.

    Only staff of its department see whose token it is; a board's key gets public fields only, and only of its
    departments. ``resync`` means that events were missed: fetch again.
    """
    welcome_until = time.monotonic() + _RECHECK_SECONDS
    silence = -1
    try:
        async for arrival in services.feed.watch(departments, last):
            if silence < 0:  # the watcher is registered by now, so the stream may count as live
                yield ServerSentEvent(comment="tokenq", retry=1000)
            silence = silence + 1 if arrival is None else 0
            if arrival is not None:
                yield _message(arrival, caller)
            elif silence and silence % _PING_EVERY == 0:
                yield ServerSentEvent(comment="ping")
            if time.monotonic() > welcome_until:
                now = await _as_of_now(services, caller, bearer)
                if now is None or _watches_other_things(caller, now):
                    return
                caller = now
                welcome_until = time.monotonic() + _RECHECK_SECONDS
    except LedgerDown:
        return


async def _as_of_now(
    services: Services, caller: Principal, bearer: HTTPAuthorizationCredentials | None
) -> Principal | None:
    """The caller with current rights, or ``None``; if the database is unavailable, nothing changes."""
    try:
        return await services.people.who(hash_of(bearer.credentials if bearer else ""))
    except Refused as refusal:
        return None if refusal.problem.code is ProblemCode.UNAUTHENTICATED else caller


def _watches_other_things(caller: Principal, now: Principal) -> bool:
    """Whether a board's key was changed: what it may watch is decided when a stream begins."""
    rights = (caller.role, caller.departments), (now.role, now.departments)
    return rights[0] != rights[1] and (is_public_reader(caller) or is_public_reader(now))


def _message(arrival: Arrival, caller: Principal) -> ServerSentEvent:
    position = ",".join(f"{name}:{seq}" for name, seq in sorted(arrival.positions.items()))
    if isinstance(arrival.item, Resync):
        return ServerSentEvent(raw_data="{}", event="resync", id=position)
    event_type, text = _sse_text(arrival.item.payload, _form_for(caller, arrival.item.department_id))
    return ServerSentEvent(raw_data=text, event=event_type, id=position)


Form = Callable[[dict[str, Any]], dict[str, Any]]
"""What a reader sees of a wire event."""


def _form_for(caller: Principal, department_id: str) -> Form:
    if is_public_reader(caller):
        return public_event
    return dict if sees_people_of(caller, department_id) else without_people


@lru_cache(maxsize=1024)
def _sse_text(payload: str, form: Form) -> tuple[str, str]:
    """An event's type and text, cached: up to a thousand watchers may get the same."""
    event = json.loads(payload)
    visible = form(event)
    return event["eventType"], json.dumps(visible, ensure_ascii=False, separators=(",", ":"))
