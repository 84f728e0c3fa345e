"""Departments and branches."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from typing_extensions import TypedDict

from tokenq.contract import names, paths
from tokenq.contract.views import BranchView, DepartmentView
from tokenq_server.api.auth import Admin, Anybody, DepartmentPath, ServicesDep, Staff
from tokenq_server.api.floor_schema import branch_from
from tokenq_server.api.schemas import CreateBranch, CreateDepartment, DepartmentFields, PutDepartment, ReplaceBranch
from tokenq_server.api.strictness import StrictRoute

router = APIRouter(tags=["setup"], route_class=StrictRoute)
_DEPARTMENT = paths.DEPARTMENTS + "/{department_id}"
_BRANCH = paths.BRANCHES + "/{branch_id}"
BranchPath = Annotated[str, Path(pattern=names.BRANCH_ID, examples=["main"])]


class DepartmentList(TypedDict):
    """All departments."""

    items: list[DepartmentView]
    nextCursor: str | None


class BranchList(TypedDict):
    """All branches."""

    items: list[BranchView]
    nextCursor: str | None


@router.get(paths.DEPARTMENTS)
async def list_departments(_: Anybody, services: ServicesDep) -> DepartmentList:
    """All departments."""
    return {"items": await services.setup.departments(), "nextCursor": None}


@router.post(paths.DEPARTMENTS, status_code=201)
async def create_department(body: CreateDepartment, caller: Admin, services: ServicesDep) -> DepartmentView:
    """Create a department; only the name is required."""
    return await services.setup.create_department(body.department_id, body.settings(), caller.actor)


@router.get(_DEPARTMENT)
async def show_department(department_id: DepartmentPath, _: Anybody, services: ServicesDep) -> DepartmentView:
    """One department."""
    return await services.setup.department(department_id)


@router.put(_DEPARTMENT)
async def put_department(
    department_id: DepartmentPath, body: PutDepartment, caller: Admin, services: ServicesDep
) -> DepartmentView:
    """Create a department or replace its settings."""
    return await services.setup.put_department(department_id, body.settings(), caller.actor)


@router.patch(_DEPARTMENT)
async def change_department(
    department_id: DepartmentPath, body: DepartmentFields, caller: Admin, services: ServicesDep
) -> DepartmentView:
    """Change the given settings and keep the rest."""
    return await services.setup.change_department(department_id, body.settings(), caller.actor)


@router.delete(_DEPARTMENT, status_code=204)
async def delete_department(department_id: DepartmentPath, caller: Admin, services: ServicesDep) -> None:
    """Archive a department without live tokens; its history stays."""
    await services.setup.delete_department(department_id, caller.actor)


@router.post(_DEPARTMENT + "/open")
@router.post(_DEPARTMENT + "/close")
async def open_or_close(
    department_id: DepartmentPath, request: Request, caller: Staff, services: ServicesDep
) -> DepartmentView:
    """Start or stop issuing tokens; waiting customers are still served."""
    is_open = request.url.path.endswith("/open")
    return await services.setup.open_or_close(department_id, caller, is_open=is_open)


@router.get(paths.BRANCHES)
async def list_branches(_: Anybody, services: ServicesDep) -> BranchList:
    """All branches."""
    return {"items": await services.setup.branches(), "nextCursor": None}


@router.post(paths.BRANCHES, status_code=201)
async def create_branch(body: CreateBranch, caller: Admin, services: ServicesDep) -> BranchView:
    """Create a branch."""
    return await services.setup.create_branch(branch_from(body.branch_id, body), caller.actor)


@router.get(_BRANCH)
async def show_branch(branch_id: BranchPath, _: Anybody, services: ServicesDep) -> BranchView:
    """One branch."""
    return await services.setup.branch(branch_id)


@router.put(_BRANCH)
async def put_branch(branch_id: BranchPath, body: ReplaceBranch, caller: Admin, services: ServicesDep) -> BranchView:
    """Create a branch or replace its settings.

    If that would end a department's business day and live tokens would expire, it is refused (409 `in_use`; `ends`
    counts them per department and state) unless `endDay` is true.
    """
    branch = branch_from(branch_id, body)
    return await services.setup.put_branch(branch, caller.actor, may_end_day=body.end_day)


@router.delete(_BRANCH, status_code=204)
async def delete_branch(branch_id: BranchPath, _: Admin, services: ServicesDep) -> None:
    """Delete a branch without departments."""
    await services.setup.delete_branch(branch_id)
