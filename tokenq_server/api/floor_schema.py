"""Request schema of the whole configuration."""

from typing import Annotated

from pydantic import Field

from tokenq.contract.enums import Role
from tokenq_server.api.schemas import (
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
    UserRole,
)
from tokenq_server.domain.hours import hours_from
from tokenq_server.services.floor_plan import Requested, UserSpec, at
from tokenq_server.services.setup_views import Branch


class CounterSpec(Body):
    """A counter's departments, in order; empty means every department of the branch."""

    departments: Departments = Field(default=[])


class UserSpecBody(Body):
    """A user who can log in; passwords are not part of the document."""

    name: PersonName
    email: Email | None = None
    role: UserRole = Role.CUSTOMER
    departments: Departments = Field(default=[])
    disabled: bool = False


class FloorBody(Body):
    """Branches, departments, counters per branch, and users, each by its name."""

    branches: Annotated[dict[BranchId, PutBranch], Field(max_length=200)] = Field(default={})
    departments: Annotated[dict[DepartmentId, PutDepartment], Field(max_length=500)] = Field(default={})
    counters: Annotated[dict[BranchId, dict[CounterId, CounterSpec]], Field(max_length=200)] = Field(default={})
    users: Annotated[dict[Username, UserSpecBody], Field(max_length=2000)] = Field(default={})


def requested_plan(body: FloorBody) -> Requested:
    """Convert the document for the use case. Raises Refused for invalid hours."""
    branches: dict[str, Branch] = {}
    for name, branch in body.branches.items():
        with at(f"branches.{name}"):
            branches[name] = branch_from(name, branch)
    return Requested(
        branches=branches,
        departments={name: department.settings() for name, department in body.departments.items()},
        counters={
            (branch, name): tuple(counter.departments)
            for branch, counters in body.counters.items()
            for name, counter in counters.items()
        },
        users={
            name: UserSpec(user.name, user.email, str(user.role), tuple(user.departments), user.disabled)
            for name, user in body.users.items()
        },
    )


def branch_from(branch_id: str, body: PutBranch) -> Branch:
    """Return the branch that a body describes. Raises Refused for invalid hours."""
    hours = hours_from(body.hours.model_dump()) if body.hours else None
    return Branch(
        branch_id,
        body.name,
        body.timezone,
        body.rollover_hour,
        hours,
        tuple(body.languages),
        body.counter_words,
        body.public_url.rstrip("/"),
    )
