"""A command on its way from a route into the next batch."""

from fastapi import Response

from tokenq.contract.words import Role
from tokenq_server.api.callers import Repeat
from tokenq_server.bootstrap import Services
from tokenq_server.domain.commands import Command, departments_of
from tokenq_server.domain.principal import Principal
from tokenq_server.services.acting import Request


async def carry_out(services: Services, caller: Principal, command: Command, repeat: Repeat) -> Response:
    """Carry a command out and answer when it is durable. Raises Refused."""
    shows_person = caller.role is Role.CUSTOMER or all(map(caller.sees_people_of, departments_of(command)))
    request = Request(command, caller.identity, repeat.key, repeat.fingerprint, shows_person)
    reply = await services.commit.submit(request)
    headers = {"Idempotency-Replayed": "true"} if reply.replayed else None
    return Response(reply.body, reply.status, headers, media_type="application/json")
