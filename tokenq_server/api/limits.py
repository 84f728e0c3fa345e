"""Rate limits by the address that a request comes from."""

from typing import Annotated

from fastapi import Depends, Request

from tokenq_server.api.auth import ServicesDep
from tokenq_server.api.sources import source_of


async def _source(request: Request) -> str:
    return source_of(request.scope)


SourceDep = Annotated[str, Depends(_source)]
"""The network that a request comes from."""


async def _limited(source: SourceDep, services: ServicesDep) -> None:
    """Refuse too many requests from one address to what needs no login. Raises Refused (``rate_limited``)."""
    await services.public_limit.count(source)


LIMITED = Depends(_limited)
"""For public routes; those with a login count by the caller, after it."""
