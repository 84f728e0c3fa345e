"""Login, logout, and who one is."""

from fastapi import APIRouter, Request

from tokenq.contract import paths
from tokenq.contract.views import LoginView, MeView
from tokenq_server.api.bodies import ChangePassword, Login
from tokenq_server.api.callers import PUBLIC, Newcomers, ServicesDep
from tokenq_server.api.limits import LoginLimit

router = APIRouter(tags=["login"])
_limit = LoginLimit()


@router.post(paths.LOGIN, openapi_extra=PUBLIC)
async def login(body: Login, request: Request, services: ServicesDep) -> LoginView:
    """Begin a session of twelve hours."""
    source = request.client.host if request.client else ""
    with _limit.attempt(body.username, source):
        return await services.people.login(body.username, body.password)


@router.post(paths.LOGOUT, status_code=204)
async def logout(caller: Newcomers, services: ServicesDep) -> None:
    """End the session."""
    await services.people.logout(caller)


@router.get(paths.ME)
async def me(caller: Newcomers) -> MeView:
    """Who the caller is."""
    return {
        "kind": caller.kind,
        "name": caller.name,
        "role": str(caller.role),
        "departments": sorted(caller.departments),
        "userId": caller.user_id,
        "mustChangePassword": caller.must_change_password,
    }


@router.post(paths.PASSWORD, status_code=204)
async def change_password(body: ChangePassword, caller: Newcomers, services: ServicesDep) -> None:
    """Change one's own password; all of one's sessions end."""
    await services.people.change_password(caller, body.old_password, body.new_password)
