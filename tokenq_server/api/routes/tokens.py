"""Issuing, calling and moving tokens, and looking at them."""

import asyncio
import hashlib
import json
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from typing_extensions import TypedDict

from tokenq.contract import names, paths
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.views import NextView, QueueView, TokenView
from tokenq.contract.words import Priority, Role, TokenState
from tokenq_server.api.bodies import Call, Cancel, IssueToken, IssueTokens, Line, Move, NoShow, Requeue, Serve
from tokenq_server.api.callers import (
    Anybody,
    DepartmentPath,
    IdPath,
    Repeat,
    RepeatDep,
    ServicesDep,
    Staff,
    Workers,
    check_works_in,
    forbidden,
)
from tokenq_server.bootstrap import Services
from tokenq_server.domain.commands import CallNext, CallToken, Command, Issue, MoveToken, ServeNext
from tokenq_server.domain.lifecycle import Verb
from tokenq_server.domain.principal import Principal
from tokenq_server.services.batch import Request
from tokenq_server.services.reading import Sought

router = APIRouter(tags=["tokens"])
_DEPARTMENT = paths.DEPARTMENTS + "/{department_id}"
_TOKEN = paths.TOKENS + "/{token_id}"
_ONE_TOKEN: dict[int | str, dict[str, Any]] = {200: {"model": TokenView}}
_NEW_TOKEN: dict[int | str, dict[str, Any]] = {201: {"model": TokenView}}


class TokenList(TypedDict):
    """A page of tokens."""

    items: list[TokenView]
    nextCursor: str | None


class EventList(TypedDict):
    """A token's events, as on the wire."""

    items: list[dict[str, Any]]
    nextCursor: str | None


@router.post(_DEPARTMENT + "/tokens", status_code=201, response_class=Response, responses=_NEW_TOKEN)
async def issue(
    department_id: DepartmentPath, body: IssueToken, caller: Anybody, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """Put somebody in line; answers when the token is durable."""
    return await _carry_out(services, caller, _issue(department_id, body, caller), repeat)


@router.post(_DEPARTMENT + "/tokens:batch", status_code=201)
async def issue_many(
    department_id: DepartmentPath, body: IssueTokens, caller: Workers, services: ServicesDep, repeat: RepeatDep
) -> EventList:
    """Put up to a hundred in line; each item of the answer is a token, or ``{"problem": …}``."""
    commands = [_issue(department_id, one, caller) for one in body.tokens]
    repeats = [
        Repeat(f"{hashlib.sha256(repeat.key.encode()).hexdigest()}#{index}" if repeat.key else None, repeat.fingerprint)
        for index in range(len(commands))
    ]
    work = [_carry_out(services, caller, command, one) for command, one in zip(commands, repeats, strict=True)]
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    return {"items": [_item(outcome) for outcome in outcomes], "nextCursor": None}


@router.post(_DEPARTMENT + "/call", response_class=Response, responses=_ONE_TOKEN)
async def call(
    department_id: DepartmentPath, body: Call, caller: Staff, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """Call the next one by the policy, or a certain token out of order with a reason."""
    check_works_in(caller, department_id)
    command: Command = CallNext(department_id, caller.actor, body.counter_id)
    if body.token_id is not None:
        if body.reason is None:
            raise refuse(ProblemCode.INVALID, "Calling out of order needs a reason.", "Say why in 'reason'.")
        command = CallToken(department_id, caller.actor, body.counter_id, body.token_id, body.reason)
    return await _carry_out(services, caller, command, repeat)


@router.post(_DEPARTMENT + "/serve", response_class=Response, responses=_ONE_TOKEN)
async def serve_next(
    department_id: DepartmentPath, body: Serve, caller: Staff, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """Serve whom the counter holds, else the next one, straight to SERVED."""
    check_works_in(caller, department_id)
    return await _carry_out(services, caller, ServeNext(department_id, caller.actor, body.counter_id), repeat)


@router.get(_DEPARTMENT + "/queue")
async def queue(
    department_id: DepartmentPath,
    caller: Workers,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> QueueView:
    """Who waits in the order of calling, who is called, served and parked, and the day's counts."""
    return await services.reading.queue(department_id, caller, limit)


@router.get(_DEPARTMENT + "/next")
async def peek(department_id: DepartmentPath, caller: Workers, services: ServicesDep) -> NextView:
    """Who would be called now, and why."""
    return await services.reading.next(department_id, caller)


@router.get(paths.TOKENS)
async def list_tokens(
    caller: Anybody,
    services: ServicesDep,
    department_id: Annotated[str | None, Query(alias="departmentId", pattern=names.DEPARTMENT_ID)] = None,
    state: Annotated[list[TokenState] | None, Query()] = None,
    user_id: Annotated[int | None, Query(alias="userId", ge=1, le=2**63 - 1)] = None,
    business_day: Annotated[date | None, Query(alias="businessDay")] = None,
    display_number: Annotated[str | None, Query(alias="displayNumber", min_length=1, max_length=24), Line] = None,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> TokenList:
    """Tokens, latest first; a display number means the department's current business day."""
    if caller.role is Role.CUSTOMER:
        user_id = caller.user_id or 0
    sought = Sought(department_id, tuple(state or ()), user_id, business_day, display_number, cursor, limit)
    found = await services.reading.tokens(sought, caller)
    return {"items": found, "nextCursor": str(found[-1]["tokenId"]) if len(found) == limit else None}


@router.get(_TOKEN)
async def show(token_id: IdPath, caller: Anybody, services: ServicesDep) -> TokenView:
    """One token, with its place in line."""
    return await services.reading.token(token_id, caller)


@router.get(_TOKEN + "/events")
async def history(token_id: IdPath, caller: Anybody, services: ServicesDep) -> EventList:
    """Everything that happened to a token."""
    return {"items": await services.reading.events(token_id, caller), "nextCursor": None}


@router.post(_TOKEN + "/recall", response_class=Response, responses=_ONE_TOKEN)
async def recall(token_id: IdPath, body: Move, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """Call somebody once more."""
    return await _move(services, caller, repeat, token_id, Verb.RECALL, body.claim_version)


@router.post(_TOKEN + "/start", response_class=Response, responses=_ONE_TOKEN)
async def start(token_id: IdPath, body: Move, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """The customer is at the counter."""
    return await _move(services, caller, repeat, token_id, Verb.START, body.claim_version)


@router.post(_TOKEN + "/serve", response_class=Response, responses=_ONE_TOKEN)
async def serve(token_id: IdPath, body: Move, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """The customer has been served."""
    return await _move(services, caller, repeat, token_id, Verb.SERVE, body.claim_version)


@router.post(_TOKEN + "/no-show", response_class=Response, responses=_ONE_TOKEN)
async def no_show(token_id: IdPath, body: NoShow, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """The customer did not come."""
    return await _move(services, caller, repeat, token_id, Verb.NO_SHOW, body.claim_version, reason=body.reason)


@router.post(_TOKEN + "/requeue", response_class=Response, responses=_ONE_TOKEN)
async def requeue(token_id: IdPath, body: Requeue, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """Put somebody back in line."""
    return await _move(services, caller, repeat, token_id, Verb.REQUEUE, body.claim_version, position=body.position)


@router.post(_TOKEN + "/cancel", response_class=Response, responses=_ONE_TOKEN)
async def cancel(token_id: IdPath, body: Cancel, caller: Anybody, services: ServicesDep, repeat: RepeatDep) -> Response:
    """Take somebody out of the line: by staff, or by the customer whose token it is."""
    return await _move(services, caller, repeat, token_id, Verb.CANCEL, body.claim_version, reason=body.reason)


def _issue(department_id: str, body: IssueToken, caller: Principal) -> Issue:
    if not caller.may_issue_in(department_id):
        raise forbidden(f"You may not issue tokens in {department_id}.")
    user_id = body.user_id
    if caller.role is Role.CUSTOMER:
        if body.priority is not Priority.NORMAL:
            raise forbidden("Only staff may give priority.")
        if user_id not in (None, caller.user_id) or caller.user_id is None:
            raise forbidden("You may only issue tokens for yourself.")
        # A customer's letters go to the customer's own address, as it is registered.
        return Issue(department_id, caller.actor, caller.user_id)
    return Issue(department_id, caller.actor, user_id, body.name, body.email, body.priority)


async def _move(
    services: Services,
    caller: Principal,
    repeat: Repeat,
    token_id: int,
    verb: Verb,
    claim_version: int | None,
    **more: Any,
) -> Response:
    token = await services.reading.find(token_id, caller)
    if caller.role is Role.DESK and verb is Verb.CANCEL and caller.may_issue_in(token.department_id):
        # Who put somebody in line may take them out again, until they are called: the claim guards that.
        claim_version = token.claim_version
        if token.state is not TokenState.WAITING:
            raise forbidden(f"{token.display} is {token.state}: only staff may cancel it now.")
    elif caller.role is not Role.CUSTOMER:
        check_works_in(caller, token.department_id)
    command = MoveToken(token.department_id, caller.actor, token_id, verb, claim_version, **more)
    return await _carry_out(services, caller, command, repeat)


async def _carry_out(services: Services, caller: Principal, command: Command, repeat: Repeat) -> Response:
    shows_person = caller.sees_people_of(command.department_id) or caller.role is Role.CUSTOMER
    request = Request(command, caller.identity, repeat.key, repeat.fingerprint, shows_person)
    reply = await services.commit.submit(request)
    headers = {"Idempotency-Replayed": "true"} if reply.replayed else None
    return Response(reply.body, reply.status, headers, media_type="application/json")


def _item(outcome: Response | BaseException) -> dict[str, Any]:
    if isinstance(outcome, Refused):
        return {"problem": outcome.problem.to_wire()}
    if isinstance(outcome, BaseException):
        raise outcome
    item: dict[str, Any] = json.loads(bytes(outcome.body))
    return item
