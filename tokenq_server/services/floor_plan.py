"""The whole configuration as one document: read, compared and written in one piece.

What a document does not name is left alone, unless it shall be pruned; what it does not say about something it
names gets its default, but for whether a department is open now.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.setup import SetupReason
from tokenq_server.domain.counters import Place
from tokenq_server.domain.department import Department
from tokenq_server.domain.department_ids import check_prefix, numbering
from tokenq_server.domain.numbering import check_format
from tokenq_server.domain.refusals import unknown_department
from tokenq_server.services.setup import MAIN_BRANCH, changed, check_zone
from tokenq_server.services.setup_views import Branch, branch_view, department_view

Values = Mapping[str, Any]


@dataclass(frozen=True)
class UserSpec:
    """What a document says about a user who can log in; never the password."""

    name: str
    email: str | None = None
    role: str = "customer"
    departments: tuple[str, ...] = ()
    is_disabled: bool = False

    @property
    def rights(self) -> tuple[str, tuple[str, ...], bool]:
        """What the user may do."""
        return self.role, self.departments, self.is_disabled


@dataclass(frozen=True)
class FloorPlan:
    """Everything that admins set up. Counters are those that are declared, with their work profiles."""

    branches: Mapping[str, Branch] = field(default_factory=dict)
    departments: Mapping[str, Department] = field(default_factory=dict)
    counters: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    users: Mapping[str, UserSpec] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """A document, checked in its shapes: per section the values said of each thing, in Python's spelling."""

    branches: Mapping[str, Branch]
    departments: Mapping[str, Values]
    counters: Mapping[Place, tuple[str, ...]]
    users: Mapping[str, UserSpec]


Document = dict[str, dict[str, dict[str, Any]]]
"""Section, thing, field."""


class FloorPlanStore(Protocol):
    """Where the configuration is kept."""

    async def read(self) -> FloorPlan:
        """All of it, at one moment."""

    async def transform(self, decide: Callable[[FloorPlan], FloorPlan], actor: str) -> tuple[FloorPlan, FloorPlan]:
        """Read, decide and write in one transaction, telling the logs; answers before and after. Raises Refused."""


class FloorPlans:
    """Shows and sets the whole configuration."""

    def __init__(self, store: FloorPlanStore) -> None:
        self._store = store

    async def export(self) -> Document:
        """The document that would make this configuration; defaults are left out."""
        plan = await self._store.read()
        sections: dict[str, dict[str, Any]] = {
            section: {name: _without_defaults(section, name, said) for name, said in things.items()}
            for section, things in document(plan).items()
        }
        profiles: dict[str, dict[str, Any]] = {}
        for branch_id, counter_id in sorted(plan.counters):
            profiles.setdefault(branch_id, {})[counter_id] = sections["counters"][f"{branch_id}.{counter_id}"]
        return {**sections, "counters": profiles}

    async def apply(self, wanted: Wanted, actor: str, *, prune: bool, is_dry: bool) -> list[dict[str, Any]]:
        """Make the configuration what the document says, whole or not at all; answers the changes.

        Raises:
            Refused: the document is wrong; ``path`` in the problem says where. Nothing has changed.
        """

        def decide(plan: FloorPlan) -> FloorPlan:
            return planned(plan, wanted, prune=prune)

        if is_dry:
            before = await self._store.read()
            return differences(before, decide(before))
        return differences(*await self._store.transform(decide, actor))


def planned(plan: FloorPlan, wanted: Wanted, *, prune: bool) -> FloorPlan:
    """The configuration as a document wants it. Raises Refused with ``path``."""
    branches = {**({MAIN_BRANCH: plan.branches[MAIN_BRANCH]} if prune else plan.branches), **wanted.branches}
    for name, branch in wanted.branches.items():
        with at(f"branches.{name}"):
            check_zone(branch.timezone)
    departments = {} if prune else dict(plan.departments)
    for name, values in wanted.departments.items():
        with at(f"departments.{name}"):
            departments[name] = _department(plan.departments.get(name), name, values, branches)
    _check_prefixes(departments, wanted, plan.departments)
    counters = {**({} if prune else plan.counters), **wanted.counters}
    for (branch_id, counter_id), profile in wanted.counters.items():
        with at(f"counters.{branch_id}.{counter_id}"):
            _check_branch(branch_id, branches)
            here = {one for one, it in departments.items() if it.branch_id == branch_id}
            _check_known(profile, here.union(plan.counters.get((branch_id, counter_id), ())))
    for name, user in wanted.users.items():
        with at(f"users.{name}.departments"):
            _check_known(user.departments, departments.keys() | _departments_of(plan.users.get(name)))
    return FloorPlan(branches, departments, counters, {**plan.users, **wanted.users})


def differences(before: FloorPlan, after: FloorPlan) -> list[dict[str, Any]]:
    """What is new, changed and gone, field by field."""
    old, new = document(before), document(after)
    found: list[dict[str, Any]] = []
    for section in new:
        for name in sorted({*old[section], *new[section]}):
            was, will = old[section].get(name), new[section].get(name)
            if will is None:
                found.append({"kind": section, "id": name, "action": "delete"})
                continue
            if was is None:
                said = _without_defaults(section, name, will)
                found.append({"kind": section, "id": name, "action": "create", "after": said})
                continue
            found += [
                {"kind": section, "id": name, "action": "update", "field": key, "before": was[key], "after": will[key]}
                for key in will
                if was[key] != will[key]
            ]
    return found


def document(plan: FloorPlan) -> Document:
    """The configuration in the API's words, whole."""
    return {
        "branches": {name: _without({**branch_view(one)}, "branchId") for name, one in sorted(plan.branches.items())},
        "departments": {
            name: _without({**department_view(one)}, "departmentId") for name, one in sorted(plan.departments.items())
        },
        "counters": {
            f"{branch_id}.{counter_id}": {"departments": list(profile)}
            for (branch_id, counter_id), profile in sorted(plan.counters.items())
        },
        "users": {
            name: {
                "name": one.name,
                "email": one.email,
                "role": one.role,
                "departments": list(one.departments),
                "disabled": one.is_disabled,
            }
            for name, one in sorted(plan.users.items())
        },
    }


def _department(known: Department | None, name: str, values: Values, branches: Mapping[str, Branch]) -> Department:
    fresh = Department(name, "", prefix=name, is_open=known.is_open if known else True)
    department = changed(fresh, dict(values))
    check_format(department.number_format, department.prefix)
    _check_branch(department.branch_id, branches)
    branch = branches[department.branch_id]
    return replace(department, timezone=branch.timezone, rollover_hour=branch.rollover_hour, branch_hours=branch.hours)


def _check_prefixes(departments: Mapping[str, Department], wanted: Wanted, before: Mapping[str, Department]) -> None:
    said = wanted.departments
    fresh = {
        name for name, one in departments.items() if name not in before or numbering(one) != numbering(before[name])
    }
    # The one to blame is who says its prefix, else who is named.
    names = sorted(departments, key=lambda name: (name in said, "prefix" in said.get(name, {})))
    for at_, name in enumerate(names):
        for other in names[:at_]:
            if fresh & {name, other}:
                with at(f"departments.{name}"):
                    check_prefix(departments[name], departments[other])


def _check_branch(branch_id: str, branches: Mapping[str, Branch]) -> None:
    if branch_id not in branches:
        raise refuse(SetupReason.BRANCH_NOT_NAMED, {"path": "branchId"}, branch=branch_id)


def _departments_of(user: UserSpec | None) -> set[str]:
    """A department that is gone may stay: who had only that one would else have all of them."""
    return set(user.departments) if user else set()


def _check_known(names: Iterable[str], departments: Set[str]) -> None:
    for name in names:
        if name not in departments:
            raise unknown_department(name)


def _without_defaults(section: str, name: str, said: dict[str, Any]) -> dict[str, Any]:
    default: Mapping[str, Any] = {
        "branches": branch_view(Branch(name, "")),
        "departments": department_view(Department(name, "", prefix=name)),
        "counters": {"departments": []},
        "users": {"email": None, "role": "customer", "departments": [], "disabled": False},
    }[section]
    return {key: value for key, value in said.items() if key == "name" or value != default.get(key)}


def _without(view: dict[str, Any], key: str) -> dict[str, Any]:
    view.pop(key)
    return view


@contextmanager
def at(path: str) -> Iterator[None]:
    """Say in a refusal where in the document it is about."""
    try:
        yield
    except Refused as refusal:
        problem = refusal.problem
        inner = problem.extra.get("path")
        where = f"{path}.{inner}" if inner else path
        raise Refused(replace(problem, extra={**problem.extra, "path": where})) from None
