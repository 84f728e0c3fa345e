"""The counters of a branch."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from typing_extensions import TypedDict

from tokenq.contract import names, paths
from tokenq.contract.views import CounterView, TokenView
from tokenq_server.api.auth import Admin, RepeatDep, ServicesDep, Staff
from tokenq_server.api.dispatch import dispatch_call
from tokenq_server.api.move_schemas import CallAtCounter, CounterBody, DeclareCounter, OpenCounter, PauseCounter
from tokenq_server.api.schemas import Line
from tokenq_server.api.security_events import request_origin
from tokenq_server.api.strictness import StrictRoute
from tokenq_server.domain.commands import CallByProfile

router = APIRouter(tags=["counters"], route_class=StrictRoute)
_COUNTERS = paths.BRANCHES + "/{branch_id}/counters"
_ONE_TOKEN: dict[int | str, dict[str, Any]] = {200: {"model": TokenView}}
BranchPath = Annotated[str, Path(pattern=names.BRANCH_ID, examples=["main"])]
CounterQuery = Annotated[
    str, Query(alias="counterId", min_length=1, max_length=names.COUNTER_ID_LENGTH, examples=["3"]), Line
]


class CounterList(TypedDict):
    """The counters of a branch."""

    items: list[CounterView]
    nextCursor: str | None


@router.get(_COUNTERS)
async def list_counters(branch_id: BranchPath, caller: Staff, services: ServicesDep) -> CounterList:
    """List the counters of a branch, each with the token it holds."""
    return {"items": await services.counter_service.counters(branch_id, caller), "nextCursor": None}


@router.put(_COUNTERS)
async def declare_counter(
    branch_id: BranchPath, body: DeclareCounter, caller: Admin, services: ServicesDep
) -> CounterView:
    """Declare a counter with its work profile."""
    return await services.counter_service.declare(branch_id, body.counter_id, body.departments, caller)


@router.delete(_COUNTERS, status_code=204)
async def delete_counter(branch_id: BranchPath, counter_id: CounterQuery, _: Admin, services: ServicesDep) -> None:
    """Delete a counter that holds no token, with its work profile."""
    await services.counter_service.delete(branch_id, counter_id)


@router.post(_COUNTERS + "/open")
async def open_counter(
    branch_id: BranchPath, body: OpenCounter, caller: Staff, request: Request, services: ServicesDep
) -> CounterView:
    """Claim a counter for thirty seconds (renewed by ``beat``) and open it."""
    return await services.counter_service.open(
        branch_id,
        body.counter_id,
        caller,
        body.departments,
        request_origin(request.scope),
        take_over=body.take_over,
        as_it_is=body.as_it_is,
        may_create=body.may_create,
        console=body.console,
    )


@router.post(_COUNTERS + "/pause")
async def pause_counter(branch_id: BranchPath, body: PauseCounter, caller: Staff, services: ServicesDep) -> CounterView:
    """Pause a counter: it calls nobody until it is opened again."""
    return await services.counter_service.pause(branch_id, body.counter_id, caller, body.reason, console=body.console)


@router.post(_COUNTERS + "/close")
async def close_counter(branch_id: BranchPath, body: CounterBody, caller: Staff, services: ServicesDep) -> CounterView:
    """Close a counter that holds no token."""
    return await services.counter_service.close(branch_id, body.counter_id, caller, console=body.console)


@router.post(_COUNTERS + "/leave")
async def leave_counter(branch_id: BranchPath, body: CounterBody, caller: Staff, services: ServicesDep) -> CounterView:
    """Give up the caller's claim: close the counter, or leave it unchanged while it holds a token."""
    return await services.counter_service.leave(branch_id, body.counter_id, caller, console=body.console)


@router.post(_COUNTERS + "/beat")
async def beat(branch_id: BranchPath, body: CounterBody, caller: Staff, services: ServicesDep) -> CounterView:
    """Renew the caller's claim to a counter."""
    return await services.counter_service.beat(branch_id, body.counter_id, caller, console=body.console)


@router.post(_COUNTERS + "/call", response_class=Response, responses=_ONE_TOKEN)
async def call(
    branch_id: BranchPath, body: CallAtCounter, caller: Staff, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """Call the next token by the counter's work profile; a counter that holds a token gets that token back."""
    departments, is_ordered = await services.counter_service.profile_of(branch_id, body.counter_id, caller)
    command = CallByProfile(departments, caller, body.counter_id, is_ordered, body.console, body.may_create)
    return await dispatch_call(services, caller, command, repeat)
