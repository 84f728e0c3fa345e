"""A command on its way from a route into the next batch, and the answer on its way back."""

import json

from fastapi import Response

from tokenq.contract.words import Role
from tokenq_server.api.callers import Repeat
from tokenq_server.bootstrap import Services
from tokenq_server.domain.commands import Command
from tokenq_server.domain.principal import Principal
from tokenq_server.services.command_handlers import departments_of
from tokenq_server.services.requests import Answer, Request


async def dispatch(services: Services, caller: Principal, command: Command, repeat: Repeat) -> Response:
    """Carry a command out and answer when it is durable. Raises Refused."""
    shows_person = caller.role is Role.CUSTOMER or all(map(caller.sees_people_of, departments_of(command)))
    request = Request(command, caller.identity, repeat.key, repeat.fingerprint, shows_person)
    return _response(await services.commit.submit(request))


def _response(answer: Answer) -> Response:
    headers = {"Idempotency-Replayed": "true"} if answer.is_repeat else None
    if answer.token is None:
        return Response(status_code=204, headers=headers)
    body = json.dumps(answer.token, ensure_ascii=False, separators=(",", ":"))
    return Response(body, 201 if answer.is_new else 200, headers, media_type="application/json")
