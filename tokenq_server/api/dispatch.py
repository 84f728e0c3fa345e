"""Pass commands from a route to the next batch, and their answers back."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from fastapi import Response
from starlette.types import Scope

from tokenq.contract.problems import Refused
from tokenq.contract.views import TokenView
from tokenq_server.api.auth import Repeat
from tokenq_server.api.security_events import audit_refusal
from tokenq_server.bootstrap import Services
from tokenq_server.domain.commands import Command
from tokenq_server.domain.principal import Principal
from tokenq_server.services.command_handlers import handler_of
from tokenq_server.services.requests import Answer, Request

logger = logging.getLogger(__name__)

_LookUp = Callable[[Sequence[TokenView], Principal], Awaitable[Mapping[int, Sequence[object]]]]


async def dispatch(services: Services, caller: Principal, command: Command, repeat: Repeat) -> Response:
    """Execute a command and answer when it is durable. Raises Refused."""
    return _response(await answer_to(services, caller, command, repeat))


async def dispatch_call(services: Services, caller: Principal, command: Command, repeat: Repeat) -> Response:
    """Execute a call; the answer says if its customer is at another counter, too. Raises Refused."""
    answer = await answer_to(services, caller, command, repeat)
    return _response(await _with_found(answer, "alsoAt", services.same_customer.at_other_counters, caller))


async def dispatch_with_same_address(
    services: Services, caller: Principal, command: Command, repeat: Repeat
) -> Response:
    """Execute a command; the answer names the other numbers of its tokens' addresses. Raises Refused."""
    answer = await answer_to(services, caller, command, repeat)
    return _response(await _with_found(answer, "alsoWaiting", services.same_customer.other_numbers, caller))


async def dispatch_all(
    services: Services, caller: Principal, commands: Sequence[Command], repeat: Repeat, scope: Scope
) -> list[dict[str, Any]]:
    """Execute each command independently; return a token or ``{"problem": …}`` for each.

    The answer is no refusal, so what is refused of this request (``scope``) is audited here.

    Raises:
        Refused: the caller may not give one of the commands, so none was executed.
    """
    for command in commands:
        handler_of(command).may_ask(command)
    key = hashlib.sha256(repeat.key.encode()).hexdigest() if repeat.key else None
    repeats = [Repeat(f"{key}#{index}" if key else None, repeat.fingerprint) for index in range(len(commands))]
    work = [answer_to(services, caller, command, its) for command, its in zip(commands, repeats, strict=True)]
    return [_item(outcome, scope) for outcome in await asyncio.gather(*work, return_exceptions=True)]


async def _with_found(answer: Answer, field: str, look_up: _LookUp, caller: Principal) -> Answer:
    """Add what else is found about the customers. The change has been made, whatever happens to this."""
    tokens = answer.group or ((answer.token,) if answer.token else ())
    try:
        found = await look_up(tokens, caller)
    except Exception:
        logger.exception("looking for customers' other tokens failed")
        return answer

    def view(token: TokenView) -> TokenView:
        others = found.get(token["tokenId"])
        return cast("TokenView", {**token, field: others}) if others else token

    return replace(answer, token=answer.token and view(answer.token), group=tuple(map(view, answer.group)))


async def answer_to(
    services: Services, caller: Principal, command: Command, repeat: Repeat = Repeat(None, b"")
) -> Answer:
    """Execute a command and return the answer itself when it is durable. Raises Refused."""
    return await services.issuing.submit(Request(command, caller.identity, repeat.key, repeat.fingerprint))


def _response(answer: Answer) -> Response:
    headers = {"Idempotency-Replayed": "true"} if answer.is_repeat else None
    if answer.body is None:
        return Response(status_code=204, headers=headers)
    return Response(answer.text, 201 if answer.is_new else 200, headers, media_type="application/json")


def _item(outcome: Answer | BaseException, scope: Scope) -> dict[str, Any]:
    if isinstance(outcome, Refused):
        audit_refusal(scope, outcome.problem)
        return {"problem": outcome.problem.to_wire()}
    if isinstance(outcome, BaseException):
        raise outcome
    return dict(outcome.token or {})
