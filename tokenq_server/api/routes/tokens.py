"""Issuing, calling, listing and explaining tokens."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from typing_extensions import TypedDict

from tokenq.contract import names, paths
from tokenq.contract.enums import TokenState
from tokenq.contract.numbers import NUMBER_LENGTH
from tokenq.contract.views import LetterView, NextView, QueueView, TokenView, WhyView
from tokenq_server.api.auth import (
    Anybody,
    DepartmentPath,
    IdPath,
    Issuer,
    Operator,
    Repeat,
    RepeatDep,
    ServicesDep,
    Workers,
)
from tokenq_server.api.dispatch import dispatch, dispatch_all, dispatch_call, dispatch_with_same_address
from tokenq_server.api.move_schemas import Call, Serve
from tokenq_server.api.schemas import CalendarDay, IssueToken, IssueTokens, Line
from tokenq_server.api.strictness import StrictRoute
from tokenq_server.bootstrap import Services
from tokenq_server.domain.commands import CallNext, CallToken, Command, Issue, IssueGroup, ServeNext
from tokenq_server.domain.principal import Principal
from tokenq_server.services.queries import TokenFilter

router = APIRouter(tags=["tokens"], route_class=StrictRoute)
_DEPARTMENT = paths.DEPARTMENTS + "/{department_id}"
_TOKEN = paths.TOKENS + "/{token_id}"
_ONE_TOKEN: dict[int | str, dict[str, Any]] = {200: {"model": TokenView}}
_NEW_TOKEN: dict[int | str, dict[str, Any]] = {201: {"model": TokenView}}


class TokenList(TypedDict):
    """A page of tokens."""

    items: list[TokenView]
    nextCursor: str | None


class TokenHistory(TypedDict):
    """A token's wire events. Before the day ``keptFrom``, some of them may be deleted; null: it has all.

    ``letters`` are its notifications, oldest first; empty for readers who may not know whose token it is.
    """

    items: list[dict[str, Any]]
    nextCursor: str | None
    keptFrom: str | None
    letters: list[LetterView]


class EventList(TypedDict):
    """A token's wire events."""

    items: list[dict[str, Any]]
    nextCursor: str | None


@router.post(_DEPARTMENT + "/tokens", status_code=201, response_class=Response, responses=_NEW_TOKEN)
async def issue(
    department_id: DepartmentPath, body: IssueToken, caller: Issuer, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """Issue a token; answers when it is durable.

    For workers, the answer names the other live numbers of the branch with the same e-mail address.
    """
    return await _sending(body)(services, caller, _issue(department_id, body, caller), repeat)


@router.post(_DEPARTMENT + "/tokens:batch", status_code=201, response_model=EventList)
async def issue_many(
    department_id: DepartmentPath,
    body: IssueTokens,
    caller: Workers,
    services: ServicesDep,
    repeat: RepeatDep,
    request: Request,
) -> EventList | Response:
    """Issue up to a hundred tokens; each item of the answer is a token, or ``{"problem": …}``.

    With ``allOrNone`` all are issued in one step, or the whole request is refused.
    """
    commands = [_issue(department_id, token, caller) for token in body.tokens]
    if body.all_or_none:
        group = IssueGroup(department_id, caller, tuple(commands))
        return await _sending(*body.tokens)(services, caller, group, repeat)
    return {"items": await dispatch_all(services, caller, commands, repeat, request.scope), "nextCursor": None}


@router.post(_DEPARTMENT + "/call", response_class=Response, responses=_ONE_TOKEN)
async def call(
    department_id: DepartmentPath, body: Call, caller: Operator, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """Call the next token by policy, or a given token out of order with a reason."""
    command: Command = CallNext(department_id, caller, body.counter_id, body.may_create)
    if body.token_id is not None:
        command = CallToken(department_id, caller, body.counter_id, body.token_id, body.reason, body.may_create)
    return await dispatch_call(services, caller, command, repeat)


@router.post(_DEPARTMENT + "/serve", response_class=Response, responses=_ONE_TOKEN)
async def serve_next(
    department_id: DepartmentPath, body: Serve, caller: Operator, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """Serve the token that the counter holds, or call and serve the next one in one step."""
    command = ServeNext(department_id, caller, body.counter_id, body.may_create)
    return await dispatch_call(services, caller, command, repeat)


@router.get(_DEPARTMENT + "/queue")
async def queue(
    department_id: DepartmentPath,
    caller: Workers,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> QueueView:
    """The waiting tokens in calling order, those called, serving and parked, and the day's counts."""
    return await services.reading.queue(department_id, caller, limit)


@router.get(_DEPARTMENT + "/next")
async def peek(department_id: DepartmentPath, caller: Workers, services: ServicesDep) -> NextView:
    """Return who would be called now, and why."""
    return await services.explaining.next(department_id, caller)


@router.get(paths.TOKENS)
async def list_tokens(
    caller: Anybody,
    services: ServicesDep,
    department_id: Annotated[str | None, Query(alias="departmentId", pattern=names.DEPARTMENT_ID)] = None,
    state: Annotated[list[TokenState] | None, Query(max_length=2 * len(TokenState))] = None,
    user_id: Annotated[int | None, Query(alias="userId", ge=1, le=2**63 - 1)] = None,
    business_day: Annotated[CalendarDay | None, Query(alias="businessDay")] = None,
    display_number: Annotated[
        str | None, Query(alias="displayNumber", min_length=1, max_length=NUMBER_LENGTH), Line
    ] = None,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> TokenList:
    """List tokens, latest first.

    A display number may be written in any form (`CW-012`, `cw12`) and finds every token it may refer to: the live ones
    of any day and today's final ones, except final ones that a live token of the same department hides. With
    `businessDay`, it finds the tokens that had it on that day.
    """
    token_filter = TokenFilter(department_id, tuple(state or ()), user_id, business_day, display_number, cursor, limit)
    tokens = await services.reading.tokens(token_filter, caller)
    return {"items": tokens, "nextCursor": str(tokens[-1]["tokenId"]) if len(tokens) == limit else None}


@router.get(_TOKEN)
async def show(token_id: IdPath, caller: Anybody, services: ServicesDep) -> TokenView:
    """Return a token with its position."""
    return await services.reading.token(token_id, caller)


@router.get(_TOKEN + "/why")
async def why(token_id: IdPath, caller: Anybody, services: ServicesDep) -> WhyView:
    """Explain why a token is where it is: who goes before it and by which rule, and the estimated wait."""
    return await services.explaining.why(token_id, caller)


@router.get(_TOKEN + "/events")
async def history(token_id: IdPath, caller: Anybody, services: ServicesDep) -> TokenHistory:
    """List all events of a token that are kept."""
    events, kept_from = await services.reading.events(token_id, caller)
    letters = await services.reading.letters(token_id, caller)
    first = kept_from.isoformat() if kept_from else None
    return {"items": events, "nextCursor": None, "keptFrom": first, "letters": letters}


def _issue(department_id: str, body: IssueToken, caller: Principal) -> Issue:
    return Issue(
        department_id,
        caller,
        body.user_id,
        body.name,
        body.email,
        body.priority,
        body.near_turn,
        body.force,
        body.language,
    )


def _sending(*tokens: IssueToken) -> Callable[[Services, Principal, Command, Repeat], Awaitable[Response]]:
    """How to send what issues these tokens: without any address, there is nothing to look up."""
    has_address = any(token.email or token.user_id is not None for token in tokens)
    return dispatch_with_same_address if has_address else dispatch
