"""Users, roles and keys."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from typing_extensions import TypedDict

from tokenq.contract import paths
from tokenq.contract.views import KeyView, RoleView, UserView
from tokenq_server.api.auth import Admin, Anybody, IdPath, ServicesDep
from tokenq_server.api.schemas import ChangeKey, ChangeUser, CreateKey, CreateUser
from tokenq_server.api.security_events import request_origin
from tokenq_server.api.strictness import StrictRoute
from tokenq_server.domain.permissions import MAY

router = APIRouter(tags=["people"], route_class=StrictRoute)
_USER = paths.USERS + "/{user_id}"
_NOT_NULL = ("name", "role", "departments", "disabled")


class UserList(TypedDict):
    """A page of users."""

    items: list[UserView]
    nextCursor: str | None


class KeyList(TypedDict):
    """All keys."""

    items: list[KeyView]
    nextCursor: str | None


class RoleList(TypedDict):
    """All roles."""

    items: list[RoleView]
    nextCursor: str | None


@router.get(paths.USERS)
async def list_users(
    _: Admin,
    services: ServicesDep,
    cursor: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> UserList:
    """List users, a page at a time."""
    users = await services.people.users(cursor, limit)
    return {"items": users, "nextCursor": str(users[-1]["userId"]) if len(users) == limit else None}


@router.post(paths.USERS, status_code=201)
async def create_user(body: CreateUser, _: Admin, request: Request, services: ServicesDep) -> UserView:
    """Create a user; a customer needs neither username nor password."""
    await services.setup.check_departments(body.departments)
    return await services.people.create_user(_values(body.model_dump()), request_origin(request.scope))


@router.get(_USER)
async def show_user(user_id: IdPath, _: Admin, services: ServicesDep) -> UserView:
    """One user."""
    return await services.people.user(user_id)


@router.patch(_USER)
async def change_user(user_id: IdPath, body: ChangeUser, _: Admin, request: Request, services: ServicesDep) -> UserView:
    """Change a user; their sessions end if role, departments or password change."""
    await services.setup.check_departments(body.departments or [])
    return await services.people.change_user(user_id, _values(body.given()), request_origin(request.scope))


@router.delete(_USER, status_code=204)
async def delete_user(user_id: IdPath, _: Admin, request: Request, services: ServicesDep) -> None:
    """Delete a user."""
    await services.people.delete_user(user_id, request_origin(request.scope))


@router.get(paths.ROLES)
async def list_roles(_: Anybody) -> RoleList:
    """List the roles and what each may do."""
    return {"items": [{"role": str(role), "may": may} for role, may in MAY.items()], "nextCursor": None}


@router.get(paths.KEYS)
async def list_keys(_: Admin, services: ServicesDep) -> KeyList:
    """List all keys, without their secrets."""
    return {"items": await services.people.keys(), "nextCursor": None}


@router.post(paths.KEYS, status_code=201)
async def create_key(body: CreateKey, _: Admin, request: Request, services: ServicesDep) -> KeyView:
    """Create a key; its secret is shown in this answer only."""
    await services.setup.check_departments(body.departments)
    origin = request_origin(request.scope)
    return await services.people.create_key(body.label, body.role, body.departments, origin)


@router.patch(paths.KEYS + "/{key_id}")
async def change_key(key_id: IdPath, body: ChangeKey, _: Admin, request: Request, services: ServicesDep) -> KeyView:
    """Change a key's label and rights; its secret stays the same."""
    changes = {name: value for name, value in body.given().items() if value is not None}
    await services.setup.check_departments(body.departments or [])
    return await services.people.change_key(key_id, changes, request_origin(request.scope))


@router.delete(paths.KEYS + "/{key_id}", status_code=204)
async def delete_key(key_id: IdPath, _: Admin, request: Request, services: ServicesDep) -> None:
    """Delete a key; it stops working at once."""
    await services.people.delete_key(key_id, request_origin(request.scope))


def _values(given: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in given.items() if value is not None or name not in _NOT_NULL}
    if "role" in values:
        values["role"] = str(values["role"])
    if "disabled" in values:
        values["is_disabled"] = bool(values.pop("disabled"))
    return values
