"""The verbs on one token."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Response

from tokenq.contract import paths
from tokenq.contract.problems import ProblemCode, refuse
from tokenq.contract.views import TokenView
from tokenq.contract.words import Role, TokenState
from tokenq_server.api.callers import Anybody, IdPath, RepeatDep, ServicesDep, Staff, check_works_in, forbidden
from tokenq_server.api.dispatch import dispatch
from tokenq_server.api.move_bodies import Cancel, ChangePriority, Move, NoShow, Park, Reinstate, Requeue, Transfer
from tokenq_server.bootstrap import Services
from tokenq_server.domain.commands import MoveToken, TransferToken, UndoMove
from tokenq_server.domain.lifecycle import Verb
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Token

_ONE_TOKEN: dict[int | str, dict[str, Any]] = {200: {"model": TokenView}}

router = APIRouter(tags=["tokens"], default_response_class=Response, responses=_ONE_TOKEN)
_TOKEN = paths.TOKENS + "/{token_id}"


@router.post(_TOKEN + "/recall")
async def recall(token_id: IdPath, body: Move, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """Call somebody once more."""
    command = await _move(services, caller, token_id, Verb.RECALL, body)
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/start")
async def start(token_id: IdPath, body: Move, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """The customer is at the counter."""
    command = await _move(services, caller, token_id, Verb.START, body)
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/serve")
async def serve(token_id: IdPath, body: Move, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """The customer has been served."""
    command = await _move(services, caller, token_id, Verb.SERVE, body)
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/no-show")
async def no_show(token_id: IdPath, body: NoShow, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """The customer did not come."""
    command = await _move(services, caller, token_id, Verb.NO_SHOW, body, reason=body.reason)
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/requeue")
async def requeue(token_id: IdPath, body: Requeue, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """Put somebody back in line."""
    command = await _move(services, caller, token_id, Verb.REQUEUE, body, position=body.position)
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/park")
async def park(token_id: IdPath, body: Park, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """Set somebody aside, until a time or until they are resumed; the counter is free again."""
    until = body.until
    if body.until_minutes is not None:
        if until is not None:
            raise refuse(ProblemCode.INVALID, "Both 'until' and 'untilMinutes' are given.", "Give one of them.")
        until = datetime.now(UTC) + timedelta(minutes=body.until_minutes)
    command = await _move(services, caller, token_id, Verb.PARK, body, reason=body.reason, until=until)
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/resume")
async def resume(token_id: IdPath, body: Move, caller: Staff, services: ServicesDep, repeat: RepeatDep) -> Response:
    """Let a parked customer back into the line, at the old place."""
    command = await _move(services, caller, token_id, Verb.RESUME, body)
    return await dispatch(services, caller, command, repeat)


@router.post(_TOKEN + "/reinstate")
async def reinstate(
    token_id: IdPath, body: Reinstate, caller: Staff, services: ServicesDep, repeat: RepeatDep
) -> Response:
    """Let somebody back into the line who was counted as no-show or cancelled today."""
    more = {"reason": body.reason, "position": body.position}
    command = await _move(services, caller, token_id, Verb.REINSTATE, body, **more)
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
        token.department_id, caller.actor, token_id, body.claim_version, back_to, counter_id, token.user_id
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
            raise forbidden(f"{token.display} is {token.state}: only staff may cancel it now.")
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
    return MoveToken(token.department_id, caller.actor, token.token_id, verb, user_id=token.user_id, **more)
