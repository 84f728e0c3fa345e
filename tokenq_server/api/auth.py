"""Authentication and roles. Every route declares who may call it; a test checks the route table."""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import Scope

from tokenq.contract import names, paths
from tokenq.contract.enums import Role
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.setup import AccountReason
from tokenq.contract.reasons.system import RequestReason
from tokenq.contract.verbs import ISSUERS, VERBS, Verb
from tokenq_server.api.security_events import CALLER
from tokenq_server.api.sources import source_of
from tokenq_server.bootstrap import Services
from tokenq_server.domain.permissions import (
    ADMINS,
    ANYBODY,
    BOARDS,
    STAFF,
    WATCHERS,
    WORKERS,
    check_own_password,
    check_role,
)
from tokenq_server.domain.principal import Principal

_bearer = HTTPBearer(auto_error=False, description="A session token from /auth/login, or an API key.")
_KEY = re.compile(names.IDEMPOTENCY_KEY)
_LONGEST_CREDENTIAL = 256

PUBLIC = {"x-public": True}
"""``openapi_extra`` of a route that needs no login."""


def services_of(request: Request) -> Services:
    """Return the services that bootstrap opened for this process."""
    services: Services = request.app.state.services
    return services


BearerDep = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
ServicesDep = Annotated[Services, Depends(services_of)]


class Allowed:
    """A dependency that returns the caller, if they have one of the roles."""

    def __init__(self, roles: Collection[Role], *, even_before_new_password: bool = False) -> None:
        self.roles = frozenset(roles)
        self._even_before_new_password = even_before_new_password

    async def __call__(
        self,
        request: Request,
        services: ServicesDep,
        bearer: BearerDep,
    ) -> Principal:
        """Return the caller. Raises Refused (``unauthenticated``, ``forbidden``, ``rate_limited``)."""
        return await self.caller_of(request.scope, services, bearer.credentials if bearer else "")

    async def caller_of(self, scope: Scope, services: Services, credential: str) -> Principal:
        """Return the caller with this session token or key. Raises as :meth:`__call__`."""
        if not 0 < len(credential) <= _LONGEST_CREDENTIAL:
            raise refuse(AccountReason.LOGIN_NEEDED)
        principal = await services.public_limit.caller(credential, source_of(scope))
        scope[CALLER] = principal
        check_role(principal, self.roles)
        if not self._even_before_new_password:
            check_own_password(principal)
        return principal


def for_verb(verb: Verb) -> Allowed:
    """Allow the roles that may use the verb on some token."""
    return Allowed(VERBS[verb].roles)


Anybody = Annotated[Principal, Depends(Allowed(ANYBODY))]
Newcomers = Annotated[Principal, Depends(Allowed(ANYBODY, even_before_new_password=True))]
"""Any caller, even with an initial password that must still be changed."""
Identified = Annotated[Principal, Depends(Allowed(WATCHERS, even_before_new_password=True))]
"""Whoever has a login or a key, a board's too."""
Board = Annotated[Principal, Depends(Allowed(BOARDS))]
Watcher = Annotated[Principal, Depends(Allowed(WATCHERS))]
Staff = Annotated[Principal, Depends(Allowed(STAFF))]
Workers = Annotated[Principal, Depends(Allowed(WORKERS))]
Admin = Annotated[Principal, Depends(Allowed(ADMINS))]
Issuer = Annotated[Principal, Depends(Allowed(ISSUERS))]
Operator = Annotated[Principal, Depends(for_verb(Verb.CALL))]
"""Callers who call and serve the next token."""


@dataclass(frozen=True)
class Repeat:
    """What makes retries of a request safe: its key and a fingerprint of its content."""

    key: str | None
    fingerprint: bytes


def repeat_of(key: str | None, method: str, path: str, body: bytes) -> Repeat:
    """Return what makes a request's retries safe. Raises Refused (``invalid``): a key of the wrong form."""
    if key is None:
        return Repeat(None, b"")
    if not _KEY.fullmatch(key):
        raise refuse(RequestReason.WRONG_KEY)
    return Repeat(key, hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).digest())


async def _repeat(
    request: Request,
    key: Annotated[str | None, Header(alias=paths.IDEMPOTENCY_KEY_HEADER, description="Makes retries safe.")] = None,
) -> Repeat:
    return repeat_of(key, request.method, request.url.path, await request.body() if key is not None else b"")


RepeatDep = Annotated[Repeat, Depends(_repeat)]
DepartmentPath = Annotated[str, Path(pattern=names.DEPARTMENT_ID, examples=["CW"])]
IdPath = Annotated[int, Path(ge=1, le=2**63 - 1)]
