"""Verbs on one token."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from tokenq.contract import paths
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import TokenReason
from tokenq.contract.verbs import VERBS, Verb
from tokenq.contract.views import TokenView
from tokenq_server.api.auth import IdPath, Repeat, RepeatDep, ServicesDep, for_verb
from tokenq_server.api.dispatch import dispatch, dispatch_with_same_address
from tokenq_server.api.move_schemas import BODIES, Cancel, ChangePriority, Edit, Move, Park, Transfer
from tokenq_server.api.strictness import StrictRoute
from tokenq_server.bootstrap import Services
from tokenq_server.domain.commands import EditToken, MoveToken, TransferToken, UndoMove
from tokenq_server.domain.permissions import sees
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Whereabouts

_ONE_TOKEN: dict[int | str, dict[str, Any]] = {200: {"model": TokenView}}

router = APIRouter(tags=["tokens"], route_class=StrictRoute, default_response_class=Response, responses=_ONE_TOKEN)
_TOKEN = paths.TOKENS + "/{token_id}"


def _plain_route(verb: Verb, body_type: type[Move | Cancel]) -> Callable[..., Awaitable[Response]]:
    """Return the route of a verb that needs only its row and its body."""

    async def move(token_id: IdPath, body: Any, caller: Any, services: ServicesDep, repeat: RepeatDep) -> Response:
        fields = {name: getattr(body, name) for name in body_type.model_fields}
        return await _move(services, caller, token_id, verb, repeat, **fields)

    move.__annotations__ |= {"body": body_type, "caller": Annotated[Principal, Depends(for_verb(verb))]}
    return move


for _verb, _row in VERBS.items():
    if _row.is_by_people and _row.is_plain and _verb is not Verb.UNDO:
        router.add_api_route(
            f"{_TOKEN}/{_verb}",
            _plain_route(_verb, BODIES.get(_verb, Move)),
            methods=["POST"],
            name=str(_verb).replace("-", "_"),
            description=_row.help,
        )


@router.post(_TOKEN + "/park")
async def park(
    token_id: IdPath,
    body: Park,
    caller: Annotated[Principal, Depends(for_verb(Verb.PARK))],
    services: ServicesDep,
    repeat: RepeatDep,
) -> Response:
    """Park a token until a time or until it is resumed; the counter becomes free."""
    until = body.until
    if body.until_minutes is not None:
        if until is not None:
            raise refuse(TokenReason.TWO_TIMES)
        until = datetime.now(UTC) + timedelta(minutes=body.until_minutes)
    fields = {"claim_version": body.claim_version, "reason": body.reason, "until": until}
    return await _move(services, caller, token_id, Verb.PARK, repeat, **fields)


@router.post(_TOKEN + "/priority")
async def priority(
    token_id: IdPath,
    body: ChangePriority,
    caller: Annotated[Principal, Depends(for_verb(Verb.PRIORITY))],
    services: ServicesDep,
    repeat: RepeatDep,
) -> Response:
    """Change the class of a waiting token."""
    fields = {"claim_version": body.claim_version, "reason": body.reason, "priority": body.priority}
    return await _move(services, caller, token_id, Verb.PRIORITY, repeat, **fields)


@router.post(_TOKEN + "/transfer")
async def transfer(
    token_id: IdPath,
    body: Transfer,
    caller: Annotated[Principal, Depends(for_verb(Verb.TRANSFER))],
    services: ServicesDep,
    repeat: RepeatDep,
) -> Response:
    """Transfer a token to another department of the branch; it keeps its number.

    It waits there last, first, or where its arrival would have placed it (``original``).
    """
    at = await services.reading.whereabouts(token_id, caller)
    command = TransferToken(
        at.department_id, caller, token_id, body.to, body.claim_version, body.reason, at.user_id, body.position
    )
    return await dispatch(services, caller, command, repeat)


@router.patch(_TOKEN)
async def edit(
    token_id: IdPath,
    body: Edit,
    caller: Annotated[Principal, Depends(for_verb(Verb.EDIT))],
    services: ServicesDep,
    repeat: RepeatDep,
) -> Response:
    """Correct the name or the e-mail address of a live token.

    Later notifications go to the new address; the log says which fields changed.
    """
    if body.name is None and body.email is None:
        raise refuse(TokenReason.NOTHING_TO_EDIT)
    at = await services.reading.whereabouts(token_id, caller)
    command = EditToken(
        at.department_id, caller, token_id, body.name, body.email, body.claim_version, user_id=at.user_id
    )
    return await (dispatch_with_same_address if body.email else dispatch)(services, caller, command, repeat)


@router.post(_TOKEN + "/undo")
async def undo(
    token_id: IdPath,
    body: Move,
    caller: Annotated[Principal, Depends(for_verb(Verb.UNDO))],
    services: ServicesDep,
    repeat: RepeatDep,
) -> Response:
    """Undo the last move of a token, within minutes."""
    at = await services.reading.whereabouts(token_id, caller)
    command = UndoMove(
        at.department_id,
        caller,
        token_id,
        body.claim_version,
        back_to=at.back_to,
        counter_id=at.back_to_counter,
        user_id=at.user_id,
        printed=at.printed,
    )
    return await dispatch(services, caller, command, repeat)


async def _move(
    services: Services, caller: Principal, token_id: int, verb: Verb, repeat: Repeat, **fields: Any
) -> Response:
    """Move a token from where it was last seen here; if it has been moved on elsewhere, from where it is."""

    async def move_at(at: Whereabouts) -> Response:
        command = MoveToken(at.department_id, caller, token_id, verb, **fields, user_id=at.user_id, printed=at.printed)
        send = dispatch_with_same_address if verb is Verb.REINSTATE else dispatch
        return await send(services, caller, command, repeat)

    seen = services.last_seen.whereabouts(token_id)
    if seen is not None and sees(caller, seen):
        try:
            return await move_at(seen)
        except Refused as refusal:
            if refusal.problem.reason != TokenReason.MOVED_ON.id:
                raise
    return await move_at(await services.reading.whereabouts(token_id, caller))
