"""Login, logout, and the caller's account."""

import logging

from fastapi import APIRouter, Request

from tokenq.contract import paths
from tokenq.contract.views import LoginView, MeView
from tokenq_server.api.auth import PUBLIC, Newcomers, ServicesDep
from tokenq_server.api.limits import LoginLimit
from tokenq_server.api.proxies import VIA, network_of
from tokenq_server.api.schemas import ChangePassword, Login
from tokenq_server.api.strictness import StrictRoute

logger = logging.getLogger(__name__)

router = APIRouter(tags=["login"], route_class=StrictRoute)
_limit = LoginLimit()
_change_limit = LoginLimit()
_told: set[str] = set()


@router.post(paths.LOGIN, openapi_extra=PUBLIC)
async def login(body: Login, request: Request, services: ServicesDep) -> LoginView:
    """Start a session of twelve hours."""
    with _limit.attempt(body.username, _source(request)):
        return await services.people.login(body.username, body.password)


@router.post(paths.LOGOUT, status_code=204)
async def logout(caller: Newcomers, services: ServicesDep) -> None:
    """End the session."""
    await services.people.logout(caller)


@router.get(paths.ME)
async def me(caller: Newcomers) -> MeView:
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
async def change_password(body: ChangePassword, caller: Newcomers, services: ServicesDep) -> None:
    """Change the caller's password; all of their sessions end. Wrong old passwords are limited as at a login."""
    with _change_limit.attempt(caller.identity, caller.identity):
        await services.people.change_password(caller, body.old_password, body.new_password)


def _source(request: Request) -> str:
    """The network that a login comes from.

    A proxy that is not configured is logged once: all its clients count as one.
    """
    host = request.client.host if request.client else ""
    if not _told and VIA not in request.scope and "x-forwarded-for" in request.headers:
        _told.add(host)
        logger.warning(
            "X-Forwarded-For is ignored; if your own proxy sends it, set TOKENQ_TRUSTED_PROXIES",
            extra={"peer": host},
        )
    return network_of(host)
