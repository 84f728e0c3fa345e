"""Login, logout, and the caller's account."""

from fastapi import APIRouter, Request

from tokenq.contract import paths
from tokenq.contract.views import LoginView, MeView
from tokenq_server.api.auth import PUBLIC, Identified, Newcomers, ServicesDep
from tokenq_server.api.limits import LIMITED, SourceDep
from tokenq_server.api.schemas import ChangePassword, Login
from tokenq_server.api.security_events import request_origin
from tokenq_server.api.strictness import StrictRoute
from tokenq_server.domain.permissions import check_has_password

router = APIRouter(tags=["login"], route_class=StrictRoute)


@router.post(paths.LOGIN, openapi_extra=PUBLIC, dependencies=[LIMITED])
async def login(body: Login, source: SourceDep, request: Request, services: ServicesDep) -> LoginView:
    """Start a session of twelve hours."""
    async with services.login_limit.attempt(body.username, source):
        return await services.people.login(body.username, body.password, request_origin(request.scope))


@router.post(paths.LOGOUT, status_code=204)
async def logout(caller: Newcomers, request: Request, services: ServicesDep) -> None:
    """End the session."""
    await services.people.logout(caller, request_origin(request.scope))


@router.get(paths.ME)
async def me(caller: Identified) -> MeView:
    """Return the caller."""
    return {
        "kind": caller.kind,
        "name": caller.name,
        "role": str(caller.role),
        "departments": sorted(caller.departments),
        "userId": caller.user_id,
        "mustChangePassword": caller.must_change_password,
    }


@router.post(paths.PASSWORD, status_code=204)
async def change_password(
    body: ChangePassword, caller: Newcomers, source: SourceDep, request: Request, services: ServicesDep
) -> None:
    """Change the caller's password; all of their sessions end. Wrong old passwords count like those of a login."""
    check_has_password(caller)
    async with services.login_limit.attempt(caller.name, source):
        origin = request_origin(request.scope)
        await services.people.change_password(caller, body.old_password, body.new_password, origin)
