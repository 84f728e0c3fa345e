"""Branches and departments in the API's format."""

from dataclasses import dataclass

from tokenq.contract.views import BranchView, DepartmentView
from tokenq_server.domain.department import Department
from tokenq_server.domain.hours import Hours, hours_document
from tokenq_server.domain.rules import rules_document


@dataclass(frozen=True)
class Branch:
    """A site with its time zone, the hour at which its business day begins, and its hours (``None``: always open)."""

    branch_id: str
    name: str
    timezone: str = "UTC"
    rollover_hour: int = 4
    hours: Hours | None = None


def branch_view(branch: Branch) -> BranchView:
    """Return a branch in the API's format."""
    return {
        "branchId": branch.branch_id,
        "name": branch.name,
        "timezone": branch.timezone,
        "rolloverHour": branch.rollover_hour,
        "hours": hours_document(branch.hours) if branch.hours else None,
    }


def department_view(department: Department) -> DepartmentView:
    """Return a department in the API's format."""
    return {
        "departmentId": department.department_id,
        "name": department.name,
        "branchId": department.branch_id,
        "open": department.is_open,
        "prefix": department.prefix,
        "numberFormat": department.number_format,
        "ratio": str(department.policy.ratio),
        "maxWaitMinutes": int(department.policy.max_wait.total_seconds() // 60),
        **rules_document(department.rules),  # type: ignore[typeddict-item]
    }
