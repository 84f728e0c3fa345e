"""Who calls, and whether that one may. Every route declares it; a test walks the route table."""

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tokenq.contract import names, paths
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq.contract.reasons.setup import AccountReason
from tokenq.contract.reasons.system import RequestReason
from tokenq.contract.words import Role
from tokenq_server.bootstrap import Services
from tokenq_server.domain.principal import Principal

_bearer = HTTPBearer(auto_error=False, description="A session from /auth/login, or a key.")
_KEY = re.compile(names.IDEMPOTENCY_KEY)

PUBLIC = {"x-public": True}
"""Marks a route that needs no login, as ``openapi_extra``."""


def services_of(request: Request) -> Services:
    """What bootstrap opened for this process."""
    services: Services = request.app.state.services
    return services


BearerDep = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
ServicesDep = Annotated[Services, Depends(services_of)]


class Allowed:
    """A dependency that answers the caller, if the caller has one of the roles."""

    def __init__(self, *roles: Role, even_before_new_password: bool = False) -> None:
        self.roles = frozenset(roles) | {Role.ADMIN}
        self._even_before_new_password = even_before_new_password

    async def __call__(
        self,
        services: ServicesDep,
        bearer: BearerDep,
    ) -> Principal:
        """The caller. Raises Refused (``unauthenticated``, ``forbidden``)."""
        if bearer is None or not bearer.credentials or len(bearer.credentials) > 256:
            raise refuse(AccountReason.LOGIN_NEEDED)
        principal = await services.people.who(bearer.credentials)
        if principal.role not in self.roles:
            raise refuse(AccountReason.WRONG_ROLE, role=str(principal.role))
        if principal.must_change_password and not self._even_before_new_password:
            raise refuse(AccountReason.FIRST_PASSWORD)
        return principal


Anybody = Annotated[Principal, Depends(Allowed(Role.STAFF, Role.DESK, Role.CUSTOMER))]
Newcomers = Annotated[Principal, Depends(Allowed(Role.STAFF, Role.DESK, Role.CUSTOMER, even_before_new_password=True))]
"""Anybody, also with a first password that is still to be changed."""
Staff = Annotated[Principal, Depends(Allowed(Role.STAFF))]
Workers = Annotated[Principal, Depends(Allowed(Role.STAFF, Role.DESK))]
Admin = Annotated[Principal, Depends(Allowed())]


def check_works_in(caller: Principal, department_id: str) -> None:
    """Refuse staff of other departments. Raises Refused (``forbidden``)."""
    if not caller.may_work_in(department_id):
        raise refuse(DepartmentReason.NOT_YOURS, department=department_id)


@dataclass(frozen=True)
class Repeat:
    """What makes repeating a request harmless: its key and a fingerprint of everything it says."""

    key: str | None
    fingerprint: bytes


async def _repeat(
    request: Request,
    key: Annotated[
        str | None, Header(alias=paths.IDEMPOTENCY_KEY_HEADER, description="Makes repeating harmless.")
    ] = None,
) -> Repeat:
    if key is None:
        return Repeat(None, b"")
    if not _KEY.fullmatch(key):
        raise refuse(RequestReason.WRONG_KEY)
    said = b"\0".join([request.method.encode(), request.url.path.encode(), await request.body()])
    return Repeat(key, hashlib.sha256(said).digest())


RepeatDep = Annotated[Repeat, Depends(_repeat)]
DepartmentPath = Annotated[str, Path(pattern=names.DEPARTMENT_ID, examples=["CW"])]
IdPath = Annotated[int, Path(ge=1, le=2**63 - 1)]
