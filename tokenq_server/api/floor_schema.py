"""The whole configuration as a request may say it."""

from typing import Annotated

from pydantic import Field

from tokenq.contract.enums import Role
from tokenq_server.api.schemas import (
    AnyRole,
    Body,
    BranchId,
    CounterId,
    DepartmentId,
    Departments,
    Email,
    PersonName,
    PutBranch,
    PutDepartment,
    Username,
)
from tokenq_server.domain.hours import hours_from
from tokenq_server.services.floor_plan import Requested, UserSpec, at
from tokenq_server.services.setup_views import Branch


class CounterSpec(Body):
    """A counter: what it serves, in order; empty means every department of the branch."""

    departments: Departments = Field(default=[])


class UserSpecBody(Body):
    """A user who logs in; passwords are not part of a document."""

    name: PersonName
    email: Email | None = None
    role: AnyRole = Role.CUSTOMER
    departments: Departments = Field(default=[])
    disabled: bool = False


class FloorBody(Body):
    """Branches, departments, counters per branch, and users, each by its name."""

    branches: Annotated[dict[BranchId, PutBranch], Field(max_length=200)] = Field(default={})
    departments: Annotated[dict[DepartmentId, PutDepartment], Field(max_length=500)] = Field(default={})
    counters: Annotated[dict[BranchId, dict[CounterId, CounterSpec]], Field(max_length=200)] = Field(default={})
    users: Annotated[dict[Username, UserSpecBody], Field(max_length=2000)] = Field(default={})


def requested_plan(body: FloorBody) -> Requested:
    """The document as the use case takes it. Raises Refused for wrong hours."""
    branches: dict[str, Branch] = {}
    for name, one in body.branches.items():
        with at(f"branches.{name}"):
            branches[name] = branch_from(name, one)
    return Requested(
        branches=branches,
        departments={name: one.settings() for name, one in body.departments.items()},
        counters={
            (branch, name): tuple(one.departments)
            for branch, counters in body.counters.items()
            for name, one in counters.items()
        },
        users={
            name: UserSpec(one.name, one.email, str(one.role), tuple(one.departments), one.disabled)
            for name, one in body.users.items()
        },
    )


def branch_from(branch_id: str, body: PutBranch) -> Branch:
    """The branch that a body describes. Raises Refused for wrong hours."""
    hours = hours_from(body.hours.model_dump()) if body.hours else None
    return Branch(branch_id, body.name, body.timezone, body.rollover_hour, hours)
