"""Branches and departments in the API's format."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from typing_extensions import TypedDict

from tokenq.contract.views import BranchView, DepartmentView
from tokenq_server.domain.department import Department
from tokenq_server.domain.hours import Hours, hours_document
from tokenq_server.domain.rules import rules_document


@dataclass(frozen=True)
class Branch:
    """A site with its time zone, the hour at which its business day begins, and its hours (``None``: always open).

    ``languages`` are those of its screens, tickets and notifications, its own first. ``counter_words`` is what it calls
    a counter, by language, where that is not the usual word. ``public_url`` is where customers reach the server.
    """

    branch_id: str
    name: str
    timezone: str = "UTC"
    rollover_hour: int = 4
    hours: Hours | None = None
    languages: tuple[str, ...] = ("en",)
    counter_words: Mapping[str, str] = field(default_factory=dict)
    public_url: str = ""


def branch_view(branch: Branch) -> BranchView:
    """Return a branch in the API's format."""
    return {
        "branchId": branch.branch_id,
        "name": branch.name,
        "timezone": branch.timezone,
        "rolloverHour": branch.rollover_hour,
        "hours": hours_document(branch.hours) if branch.hours else None,
        **branch_texts(branch),
    }


class BranchTexts(TypedDict):
    """How a branch speaks to its customers, in the API's format."""

    languages: list[str]
    counterWords: dict[str, str]
    publicUrl: str


def branch_texts(branch: Branch) -> BranchTexts:
    """Return how a branch speaks to its customers, in the API's format."""
    return {
        "languages": list(branch.languages),
        "counterWords": dict(branch.counter_words),
        "publicUrl": branch.public_url,
    }


def branch_with_texts(branch: Branch, document: Mapping[str, Any]) -> Branch:
    """Return a branch with what ``branch_texts`` returned; what is missing has its default."""
    return replace(
        branch,
        languages=tuple(document.get("languages") or branch.languages),
        counter_words=document.get("counterWords") or {},
        public_url=document.get("publicUrl") or "",
    )


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
