"""The whole configuration as one document: read, compared and written as a unit.

Things that a document does not name are left unchanged, unless pruned; settings that it omits get their defaults,
except whether a department is open now.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from tokenq.contract.enums import Role
from tokenq.contract.names import MAIN_BRANCH
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.setup import SetupReason
from tokenq_server.domain.counter_names import Place, check_listed, check_looks_like_no_other
from tokenq_server.domain.department import Department
from tokenq_server.domain.department_ids import check_prefix, numbering
from tokenq_server.domain.numbering import check_format
from tokenq_server.domain.principal import check_actor
from tokenq_server.domain.refusals import unknown_department
from tokenq_server.services.audit import Origin
from tokenq_server.services.setup import changed, check_zone, new_counters
from tokenq_server.services.setup_views import Branch, branch_view, department_view

Values = Mapping[str, Any]


@dataclass(frozen=True)
class UserSpec:
    """A document's settings of a user who can log in, without the password."""

    name: str
    email: str | None = None
    role: str = str(Role.CUSTOMER)
    departments: tuple[str, ...] = ()
    is_disabled: bool = False

    @property
    def rights(self) -> tuple[str, tuple[str, ...], bool]:
        """The user's rights."""
        return self.role, self.departments, self.is_disabled


@dataclass(frozen=True)
class FloorPlan:
    """The whole configuration. Counters are the declared ones, with their work profiles."""

    branches: Mapping[str, Branch] = field(default_factory=dict)
    departments: Mapping[str, Department] = field(default_factory=dict)
    counters: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    users: Mapping[str, UserSpec] = field(default_factory=dict)


@dataclass(frozen=True)
class Requested:
    """A document with checked types: per section, the settings given for each thing, in Python's spelling."""

    branches: Mapping[str, Branch]
    departments: Mapping[str, Values]
    counters: Mapping[Place, tuple[str, ...]]
    users: Mapping[str, UserSpec]


Document = dict[str, dict[str, dict[str, Any]]]
"""Section, thing, field."""

Ends = Mapping[str, Mapping[str, int]]
"""How many tokens a change would expire, per department and state."""


class FloorPlanStore(Protocol):
    """Storage of the configuration."""

    async def read(self) -> FloorPlan:
        """Return the whole configuration, consistently."""

    async def preview(self, decide: Callable[[FloorPlan], FloorPlan]) -> tuple[FloorPlan, FloorPlan, Ends]:
        """Read and decide; return the states before and after, and who would expire. Raises Refused."""

    async def transform(
        self, decide: Callable[[FloorPlan], FloorPlan], origin: Origin, *, may_end_day: bool
    ) -> tuple[FloorPlan, FloorPlan]:
        """Read, decide and write in one transaction, with log entries; return the states before and after.

        What happens to users is audited, as caused by ``origin``.

        Raises:
            Refused: among others ``in_use``, the change would end a business day, without ``may_end_day``.
        """


class FloorPlans:
    """Exports and applies the whole configuration."""

    def __init__(self, store: FloorPlanStore) -> None:
        self._store = store

    async def export(self, *, with_defaults: bool = False) -> Document:
        """Return the document that would create this configuration; settings at their defaults only if asked for."""
        plan = await self._store.read()
        sections = document(plan)
        if not with_defaults:
            sections = {
                section: {name: _without_defaults(section, name, settings) for name, settings in things.items()}
                for section, things in sections.items()
            }
        profiles: dict[str, dict[str, Any]] = {}
        for branch_id, counter_id in sorted(plan.counters):
            profiles.setdefault(branch_id, {})[counter_id] = sections["counters"][f"{branch_id}.{counter_id}"]
        return {**sections, "counters": profiles}

    async def preview(self, requested: Requested, *, prune: bool) -> tuple[list[dict[str, Any]], Ends]:
        """Return the changes that the document would make, and which tokens they would expire. Raises as ``apply``."""
        before, after, ends = await self._store.preview(partial(plan_after, requested=requested, prune=prune))
        return differences(before, after), ends

    async def apply(
        self, requested: Requested, origin: Origin, *, prune: bool, may_end_day: bool = False
    ) -> list[dict[str, Any]]:
        """Set the configuration to the document, entirely or not at all, and return the changes.

        Raises:
            Refused: the document is wrong; ``path`` in the problem says where. ``in_use``, it would end a business day
                on which tokens still wait, without ``may_end_day``. Nothing has changed.
        """
        decide = partial(plan_after, requested=requested, prune=prune)
        return differences(*await self._store.transform(decide, origin, may_end_day=may_end_day))


def plan_after(plan: FloorPlan, requested: Requested, *, prune: bool) -> FloorPlan:
    """Return the configuration after applying a document. Raises Refused with ``path``."""
    branches = {**({MAIN_BRANCH: plan.branches[MAIN_BRANCH]} if prune else plan.branches), **requested.branches}
    for name, branch in requested.branches.items():
        with at(f"branches.{name}"):
            check_zone(branch.timezone)
    departments = {} if prune else dict(plan.departments)
    for name, values in requested.departments.items():
        with at(f"departments.{name}"):
            departments[name] = _department(plan.departments.get(name), name, values, branches)
    _check_prefixes(departments, requested, plan.departments)
    counters = {**({} if prune else plan.counters), **requested.counters}
    for (branch_id, counter_id), profile in requested.counters.items():
        with at(f"counters.{branch_id}.{counter_id}"):
            _check_branch(branch_id, branches)
            in_branch = {name for name, department in departments.items() if department.branch_id == branch_id}
            _check_known(profile, in_branch.union(plan.counters.get((branch_id, counter_id), ())))
            if (branch_id, counter_id) not in plan.counters:
                check_looks_like_no_other(
                    (branch_id, counter_id), (name for branch, name in counters if branch == branch_id)
                )
    for name in requested.departments:
        with at(f"departments.{name}.counters"):
            department = departments[name]
            declared = [counter_id for branch_id, counter_id in counters if branch_id == department.branch_id]
            fresh = new_counters(department, plan.departments.get(name))
            check_listed(fresh, department.branch_id, declared, declared)
    for name, user in requested.users.items():
        if name not in plan.users:
            with at(f"users.{name}"):
                check_actor(name)
        with at(f"users.{name}.departments"):
            _check_known(user.departments, departments.keys() | _departments_of(plan.users.get(name)))
    return FloorPlan(branches, departments, counters, {**plan.users, **requested.users})


def differences(before: FloorPlan, after: FloorPlan) -> list[dict[str, Any]]:
    """Return additions, changes and deletions, field by field."""
    old, new = document(before), document(after)
    changes: list[dict[str, Any]] = []
    for section in new:
        for name in sorted({*old[section], *new[section]}):
            was, will = old[section].get(name), new[section].get(name)
            if will is None:
                changes.append({"kind": section, "id": name, "action": "delete"})
                continue
            if was is None:
                settings = _without_defaults(section, name, will)
                changes.append({"kind": section, "id": name, "action": "create", "after": settings})
                continue
            changes += [
                {"kind": section, "id": name, "action": "update", "field": key, "before": was[key], "after": will[key]}
                for key in will
                if was[key] != will[key]
            ]
    return changes


def document(plan: FloorPlan) -> Document:
    """Return the complete configuration in the API's spelling."""
    return {
        "branches": {
            name: _without({**branch_view(branch)}, "branchId") for name, branch in sorted(plan.branches.items())
        },
        "departments": {
            name: _without({**department_view(department)}, "departmentId")
            for name, department in sorted(plan.departments.items())
        },
        "counters": {
            f"{branch_id}.{counter_id}": {"departments": list(profile)}
            for (branch_id, counter_id), profile in sorted(plan.counters.items())
        },
        "users": {
            name: {
                "name": user.name,
                "email": user.email,
                "role": user.role,
                "departments": list(user.departments),
                "disabled": user.is_disabled,
            }
            for name, user in sorted(plan.users.items())
        },
    }


def _department(existing: Department | None, name: str, values: Values, branches: Mapping[str, Branch]) -> Department:
    fresh = Department(name, "", prefix=name, is_open=existing.is_open if existing else True)
    department = changed(fresh, dict(values))
    check_format(department.number_format, department.prefix)
    _check_branch(department.branch_id, branches)
    branch = branches[department.branch_id]
    return replace(department, timezone=branch.timezone, rollover_hour=branch.rollover_hour, branch_hours=branch.hours)


def _check_prefixes(
    departments: Mapping[str, Department], requested: Requested, before: Mapping[str, Department]
) -> None:
    given = requested.departments
    fresh = {
        name
        for name, department in departments.items()
        if name not in before or numbering(department) != numbering(before[name])
    }
    # Blame the department that sets its prefix, else one that is named in the document.
    names = sorted(departments, key=lambda name: (name in given, "prefix" in given.get(name, {})))
    for at_, name in enumerate(names):
        for other in names[:at_]:
            if fresh & {name, other}:
                with at(f"departments.{name}"):
                    check_prefix(departments[name], departments[other])


def _check_branch(branch_id: str, branches: Mapping[str, Branch]) -> None:
    if branch_id not in branches:
        raise refuse(SetupReason.BRANCH_NOT_NAMED, {"path": "branchId"}, branch=branch_id)


def _departments_of(user: UserSpec | None) -> set[str]:
    """A deleted department may stay: a user without any department would have the rights of all."""
    return set(user.departments) if user else set()


def _check_known(names: Iterable[str], departments: Set[str]) -> None:
    for name in names:
        if name not in departments:
            raise unknown_department(name)


def _without_defaults(section: str, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    default: Mapping[str, Any] = {
        "branches": branch_view(Branch(name, "")),
        "departments": department_view(Department(name, "", prefix=name)),
        "counters": {"departments": []},
        "users": {"email": None, "role": str(Role.CUSTOMER), "departments": [], "disabled": False},
    }[section]
    return {key: value for key, value in settings.items() if key == "name" or value != default.get(key)}


def _without(view: dict[str, Any], key: str) -> dict[str, Any]:
    view.pop(key)
    return view


@contextmanager
def at(path: str) -> Iterator[None]:
    """Add to a refusal its path in the document."""
    try:
        yield
    except Refused as refusal:
        problem = refusal.problem
        inner = problem.extra.get("path")
        where = f"{path}.{inner}" if inner else path
        raise Refused(replace(problem, extra={**problem.extra, "path": where})) from None
