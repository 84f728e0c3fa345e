"""The verbs on one token."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Response

from tokenq.contract import paths
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import TokenReason
from tokenq.contract.verbs import VERBS, Verb
from tokenq.contract.views import TokenView
from tokenq.contract.words import Role, TokenState
from tokenq_server.api.callers import Anybody, IdPath, RepeatDep, ServicesDep, Staff, check_works_in
from tokenq_server.api.dispatch import dispatch
from tokenq_server.api.move_bodies import BODIES, Cancel, ChangePriority, Move, Park, Transfer
from tokenq_server.bootstrap import Services
from tokenq_server.domain.commands import MoveToken, TransferToken, UndoMove
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Token

_ONE_TOKEN: dict[int | str, dict[str, Any]] = {200: {"model": TokenView}}

router = APIRouter(tags=["tokens"], default_response_class=Response, responses=_ONE_TOKEN)
_TOKEN = paths.TOKENS + "/{token_id}"


def _plain(verb: Verb, body_type: type[Move]) -> Callable[..., Awaitable[Response]]:
    """The route of a verb that needs nothing but what its row and its body say."""

    async def move(token_id: IdPath, body: Any, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
        said = {name: getattr(body, name) for name in body_type.model_fields if name != "claim_version"}
        return await dispatch(services, caller, await _move(services, caller, token_id, verb, body, **said), repeat)

    move.__annotations__["body"] = body_type
    return move


for _verb, _row in VERBS.items():
    if _row.is_by_people and _row.is_plain and _verb not in (Verb.CANCEL, Verb.UNDO):
        router.add_api_route(
            f"{_TOKEN}/{_verb}",
            _plain(_verb, BODIES.get(_verb, Move)),
            methods=["POST"],
            name=str(_verb).replace("-", "_"),
            description=_row.help,
        )


@router.post(_TOKEN + "/park")
async def park(token_id: IdPath, body: Park, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """Set somebody aside, until a time or until they are resumed; the counter is free again."""
    until = body.until
    if body.until_minutes is not None:
        if until is not None:
            raise refuse(TokenReason.TWO_TIMES)
        until = datetime.now(UTC) + timedelta(minutes=body.until_minutes)
    command = await _move(services, caller, token_id, Verb.PARK, body, reason=body.reason, until=until)
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/priority")
async def priority(
    token_id: IdPath, body: ChangePriority, caller: Staff, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """Change the class of somebody who waits."""
    more = {"reason": body.reason, "priority": body.priority}
    command = await _move(services, caller, token_id, Verb.PRIORITY, body, **more)
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/transfer")
async def transfer(
    token_id: IdPath, body: Transfer, caller: Staff, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """Send somebody to another department of the branch; the number stays."""
    token = await _mine(services, caller, token_id)
    command = TransferToken(
        token.department_id, caller.actor, token_id, body.to, body.claim_version, body.reason, token.user_id
    )
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/undo")
async def undo(token_id: IdPath, body: Move, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """Take the last move of a token back, within minutes."""
    token = await services.reading.find(token_id, caller)
    was = token.undo.was if token.undo else {}
    back_to = was.get("department_id")
    # Who sent somebody on by a slip need not be staff over there to take it back.
    check_works_in(caller, back_to or token.department_id)
    counter_id = was.get("counter_id", token.counter_id)
    command = UndoMove(
        department_id=token.department_id,
        actor=caller.actor,
        token_id=token_id,
        claim_version=body.claim_version,
        back_to=back_to,
        counter_id=counter_id,
        user_id=token.user_id,
        printed=(token.issued_in, token.display),
    )
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/cancel")
async def cancel(token_id: IdPath, body: Cancel, caller: Anybody, services: ServicesDep, repeat: RepeatDep) -> Response:
    """Take somebody out of the line: by staff, or by the customer whose token it is."""
    token = await services.reading.find(token_id, caller)
    command = _command(token, caller, Verb.CANCEL, claim_version=body.claim_version, reason=body.reason)
    if caller.role is Role.DESK and caller.may_issue_in(token.department_id):
        # Who put somebody in line may take them out again, until they are called: the claim guards that.
        command = replace(command, claim_version=token.claim_version)
        if token.state is not TokenState.WAITING:
            raise refuse(TokenReason.CANCEL_BY_DESK, number=token.display, state=str(token.state))
    elif caller.role is not Role.CUSTOMER:
        check_works_in(caller, token.department_id)
    return await dispatch(services, caller, command, repeat)


async def _mine(services: Services, caller: Principal, token_id: int) -> Token:
    """The token, if it is in one of the caller's departments."""
    token = await services.reading.find(token_id, caller)
    check_works_in(caller, token.department_id)
    return token


async def _move(services: Services, caller: Principal, token_id: int, verb: Verb, body: Move, **more: Any) -> MoveToken:
    token = await _mine(services, caller, token_id)
    return _command(token, caller, verb, claim_version=body.claim_version, **more)


def _command(token: Token, caller: Principal, verb: Verb, **more: Any) -> MoveToken:
    own: dict[str, Any] = {"user_id": token.user_id, "printed": (token.issued_in, token.display)}
    return MoveToken(token.department_id, caller.actor, token.token_id, verb, **own, **more)
