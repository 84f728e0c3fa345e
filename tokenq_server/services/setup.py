"""Administration of branches and departments."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import timedelta
from functools import partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tokenq.contract.names import MAIN_BRANCH
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq.contract.reasons.setup import SetupReason
from tokenq.contract.views import BranchView, DepartmentView
from tokenq_server.domain.counter_names import check_listed
from tokenq_server.domain.counters import Counter
from tokenq_server.domain.department import Department
from tokenq_server.domain.department_ids import check_prefix, made_id, numbering
from tokenq_server.domain.numbering import check_format
from tokenq_server.domain.permissions import check_works_in
from tokenq_server.domain.policy import Ratio
from tokenq_server.domain.principal import SYSTEM, Principal
from tokenq_server.domain.refusals import unknown_department
from tokenq_server.domain.rules import rules_document, rules_from, to_camel
from tokenq_server.services.setup_views import Branch, branch_view, department_view

Fits = Callable[[Sequence[Department]], None]
"""Refuses a department that cannot be told from one of the others. Raises Refused."""


class SetupStore(Protocol):
    """Storage of branches and departments."""

    async def branches(self) -> list[Branch]:
        """Return all branches by id."""

    async def branch(self, branch_id: str) -> Branch | None:
        """One branch."""

    async def put_branch(self, branch: Branch, actor: str, *, is_new: bool, may_end_day: bool = False) -> None:
        """Write a branch and log the change in its departments.

        Raises:
            Refused: ``exists``; ``in_use`` if the change would end a day on which tokens still wait.
        """

    async def delete_branch(self, branch_id: str) -> bool:
        """Delete a branch; return False if there is none. Its archived departments move to the main one.

        Raises:
            Refused: ``in_use``; it got a department in the meantime.
        """

    async def counters(self, branch_id: str) -> list[Counter]:
        """Return a branch's counters."""

    async def departments(self) -> list[Department]:
        """Return all departments by id."""

    async def past_and_present(self, department_ids: Collection[str]) -> Collection[str]:
        """Return those that are ids of departments, also of deleted ones."""

    async def department(self, department_id: str) -> Department | None:
        """One department."""

    async def put_department(self, department: Department, actor: str, fits: Fits, *, is_new: bool) -> None:
        """Write a department and log the change, if it ``fits`` beside all departments; none of them changes meanwhile.

        Raises:
            Refused: ``exists``; ``in_use`` for another branch while it has live tokens.
        """

    async def change_department(
        self, department: Department, names: Collection[str], actor: str, fits: Fits
    ) -> Department:
        """Write only these settings of a department, log the change, and return the result. Raises as above."""

    async def archive_department(self, department_id: str, actor: str) -> bool:
        """Archive a department; return False if it still has live tokens."""

    async def forget_old_keys(self) -> None:
        """Delete idempotency keys older than two days."""


class Setup:
    """Lists, creates and changes branches and departments."""

    def __init__(self, store: SetupStore) -> None:
        self._store = store

    async def branches(self) -> list[BranchView]:
        """All branches."""
        return [branch_view(branch) for branch in await self._store.branches()]

    async def branch(self, branch_id: str) -> BranchView:
        """Return one branch. Raises Refused."""
        return branch_view(await self._branch(branch_id))

    async def create_branch(self, branch: Branch, actor: str = SYSTEM) -> BranchView:
        """Create a branch. Raises Refused (``exists``, ``invalid``)."""
        check_zone(branch.timezone)
        await self._store.put_branch(branch, actor, is_new=True)
        return branch_view(branch)

    async def put_branch(self, branch: Branch, actor: str = SYSTEM, *, may_end_day: bool = False) -> BranchView:
        """Create a branch or replace its settings. Raises Refused (``invalid``, ``in_use``)."""
        check_zone(branch.timezone)
        await self._store.put_branch(branch, actor, is_new=False, may_end_day=may_end_day)
        return branch_view(branch)

    async def start_in_zone(self, timezone: str) -> None:
        """Set the main branch's time zone on a new system; an unknown zone is ignored."""
        with suppress(Refused):
            name = (await self._branch(MAIN_BRANCH)).name
            await self.put_branch(Branch(MAIN_BRANCH, name, timezone), SYSTEM)

    async def delete_branch(self, branch_id: str) -> None:
        """Delete a branch without departments. Raises Refused (``in_use``); ``main`` always stays."""
        if branch_id == MAIN_BRANCH:
            raise refuse(SetupReason.MAIN_BRANCH)
        await self._branch(branch_id)
        departments = [each.department_id for each in await self._store.departments() if each.branch_id == branch_id]
        if departments:
            raise refuse(SetupReason.BRANCH_HAS_DEPARTMENTS, branch=branch_id, departments=departments)
        await self._store.delete_branch(branch_id)

    async def departments(self) -> list[DepartmentView]:
        """All departments."""
        return [department_view(department) for department in await self._store.departments()]

    async def department(self, department_id: str) -> DepartmentView:
        """Return one department. Raises Refused."""
        return department_view(await self._department(department_id))

    async def check_departments(self, department_ids: Collection[str]) -> None:
        """Refuse ids of unknown departments. Raises Refused (``unknown_department``)."""
        existing = {department.department_id for department in await self._store.departments()}
        for department_id in department_ids:
            if department_id not in existing:
                raise unknown_department(department_id)

    async def check_watched(self, department_ids: Collection[str]) -> None:
        """Refuse ids that no department ever had: nothing would ever come. One that is deleted has events, too.

        Raises:
            Refused: ``unknown_department``.
        """
        known = await self._store.past_and_present(department_ids) if department_ids else ()
        for department_id in sorted(set(department_ids) - set(known)):
            raise unknown_department(department_id)

    async def create_department(
        self, department_id: str | None, values: dict[str, Any], actor: str = SYSTEM
    ) -> DepartmentView:
        """Create a department; without an id, one is generated from the name's initials. Raises Refused."""
        department_id = department_id or await self._free_id(str(values["name"]))
        fresh = Department(department_id, "", prefix=department_id)
        return await self._write(fresh, values, None, actor, is_new=True)

    async def put_department(self, department_id: str, values: dict[str, Any], actor: str = SYSTEM) -> DepartmentView:
        """Create a department or replace its settings; omitted ones get their defaults."""
        existing = await self._store.department(department_id)
        fresh = Department(department_id, "", prefix=department_id, is_open=existing.is_open if existing else True)
        return await self._write(fresh, values, existing, actor, is_new=False)

    async def change_department(
        self, department_id: str, values: dict[str, Any], actor: str = SYSTEM
    ) -> DepartmentView:
        """Change the given settings and keep the rest. Raises Refused."""
        existing = await self._department(department_id)
        department = await self._check(existing, values, existing)
        fits = partial(_check_prefixes, department, existing)
        return department_view(await self._store.change_department(department, values.keys(), actor, fits))

    async def open_or_close(self, department_id: str, caller: Principal, *, is_open: bool) -> DepartmentView:
        """Start or stop issuing tokens. Raises Refused (``forbidden``, ``unknown_department``)."""
        check_works_in(caller, department_id)
        return await self.change_department(department_id, {"is_open": is_open}, caller.actor)

    async def delete_department(self, department_id: str, actor: str = SYSTEM) -> None:
        """Archive a department without live tokens; its history stays. Raises Refused (``in_use``)."""
        await self._department(department_id)
        if not await self._store.archive_department(department_id, actor):
            raise refuse(DepartmentReason.STILL_BUSY, department=department_id)

    async def _write(
        self, department: Department, values: dict[str, Any], existing: Department | None, actor: str, *, is_new: bool
    ) -> DepartmentView:
        department = await self._check(department, values, existing)
        fits = partial(_check_new, department) if is_new else partial(_check_prefixes, department, existing)
        await self._store.put_department(department, actor, fits, is_new=is_new)
        return department_view(department)

    async def _check(self, department: Department, values: dict[str, Any], existing: Department | None) -> Department:
        """Return the department with these values; ``existing`` is its current state. Raises Refused."""
        department = changed(department, values)
        check_format(department.number_format, department.prefix)
        await self._branch(department.branch_id)
        if fresh := new_counters(department, existing):
            counters = await self._store.counters(department.branch_id)
            declared = [counter.counter_id for counter in counters if counter.is_declared]
            check_listed(fresh, department.branch_id, {counter.counter_id for counter in counters}, declared)
        return department

    async def _branch(self, branch_id: str) -> Branch:
        branch = await self._store.branch(branch_id)
        if branch is None:
            raise refuse(SetupReason.UNKNOWN_BRANCH, branch=branch_id)
        return branch

    async def _department(self, department_id: str) -> Department:
        department = await self._store.department(department_id)
        if department is None:
            raise unknown_department(department_id)
        return department

    async def _free_id(self, name: str) -> str:
        existing = await self._store.departments()
        made = made_id(
            name, {text for department in existing for text in (department.department_id, department.prefix)}
        )
        if made is None:
            raise refuse(SetupReason.NO_ID_IN_NAME, {"field": "departmentId"}, name=repr(name))
        return made


def _check_new(department: Department, others: Sequence[Department]) -> None:
    """Check that a new department has an id and a prefix of its own. Raises Refused (``exists``)."""
    for other in others:
        if other.department_id == department.department_id:
            raise refuse(SetupReason.ID_TAKEN, department=other.department_id, name=other.name)
    _check_prefixes(department, None, others)


def _check_prefixes(department: Department, existing: Department | None, others: Sequence[Department]) -> None:
    """Compare a prefix with those of the other departments. Raises Refused (``exists``)."""
    if existing is None or numbering(department) != numbering(existing):
        for other in others:
            check_prefix(department, other)


def new_counters(department: Department, existing: Department | None) -> list[str]:
    """Return the counters that a department may be called at now and could not by name before."""
    before = existing.rules.counters if existing and existing.branch_id == department.branch_id else ()
    return [name for name in department.rules.counters if name not in before]


def changed(department: Department, values: dict[str, Any]) -> Department:
    """Return the department with these settings, named as its fields and those of its rules. Raises Refused."""
    policy = department.policy
    if "ratio" in values:
        policy = replace(policy, ratio=parse_ratio(values["ratio"]))
    if "max_wait_minutes" in values:
        policy = replace(policy, max_wait=timedelta(minutes=values["max_wait_minutes"]))
    own_fields = {field.name for field in fields(Department)} - {"rules"}
    rules = rules_from(rules_document(department.rules) | {to_camel(name): values[name] for name in values})
    own = {name: value for name, value in values.items() if name in own_fields}
    return replace(department, policy=policy, rules=rules, **own)


def parse_ratio(text: str) -> Ratio:
    """Parse ``"2:1"``. Raises Refused."""
    left, _, right = text.partition(":")
    if (
        left.isascii()
        and left.isdigit()
        and right.isascii()
        and right.isdigit()
        and 0 < int(left) < 100 > int(right) > 0
    ):
        return Ratio(int(left), int(right))
    raise refuse(SetupReason.NO_RATIO, {"path": "ratio"}, text=repr(text))


def check_zone(name: str) -> None:
    """Refuse an unknown IANA time zone. Raises Refused."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refuse(SetupReason.NO_ZONE, {"path": "timezone"}, zone=repr(name)) from None
