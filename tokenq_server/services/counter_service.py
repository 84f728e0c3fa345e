"""Counters: opened, paused and closed by their operators, declared by admins."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from tokenq.contract.audit import AuditKind
from tokenq.contract.enums import CounterState
from tokenq.contract.notice_views import UnservedView
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.queue import CounterReason, DepartmentReason
from tokenq.contract.views import CounterView
from tokenq_server.domain.counter_names import check_can_be_new, check_looks_like_no_other, unknown_counter
from tokenq_server.domain.counters import (
    Counter,
    claimed,
    closed,
    left,
    opened,
    operator_of,
    paused,
)
from tokenq_server.domain.permissions import (
    check_takes_counter,
    check_works_in,
    departments_to_call_from,
    is_colleague,
    works_in,
)
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Token
from tokenq_server.services.audit import AuditEvent, Origin
from tokenq_server.services.counter_store import Audited, Change, CounterStore
from tokenq_server.services.views import counter_view, instant

logger = logging.getLogger(__name__)


class CounterService:
    """Changes counters and logs the changes."""

    def __init__(self, store: CounterStore, notify_changed: Callable[[str], Awaitable[None]]) -> None:
        """``notify_changed`` is awaited with the branch after a change, before the answer."""
        self._store, self._notify_changed = store, notify_changed

    async def counters(self, branch_id: str, reader: Principal) -> list[CounterView]:
        """Return a branch's counters. The reason of a pause is for staff of the departments served. Raises Refused."""
        counters, since = await self._store.counters(branch_id), await self._store.unattended(branch_id)
        forgotten = await self._store.forgotten(branch_id)
        return [
            {
                **counter_view(counter, held, forgotten),
                "reason": counter.reason if is_colleague(reader, counter.departments) else None,
                "unattendedSince": instant(since.get(counter.counter_id)),
            }
            for counter, held in counters
        ]

    async def open(
        self,
        branch_id: str,
        counter_id: str,
        caller: Principal,
        departments: Sequence[str] | None,
        origin: Origin,
        *,
        take_over: bool,
        as_it_is: bool = False,
        may_create: bool = False,
        console: str = "",
    ) -> CounterView:
        """Claim and open a counter.

        ``departments`` is what it serves: empty for all of the caller's departments, ``None`` for what it served
        before; a new counter serves the caller's. With ``as_it_is`` a counter that exists is claimed unchanged: it
        stays paused, and ``departments`` are only for a new one. With ``may_create`` it may be a new one even where
        counters are declared.

        Raises:
            Refused: ``counter_claimed``; ``forbidden``, also if it holds a token that the caller may not serve;
                ``exists`` if it is declared to serve others; ``unknown_counter`` if it is none of the branch's
                declared counters, or if its name looks like that of another counter.
        """
        operator = operator_of(caller, console)
        profile = await self._profile(branch_id, caller, departments or ())
        fresh = _fresh(branch_id, counter_id)
        known = [counter for counter, _ in await self._store.counters(branch_id)]

        def change(counter: Counter, held: Token | None, now: datetime) -> Counter:
            if counter is fresh:
                _check_new(counter, known, may_create=may_create)
            # A profile made from one operator's rights outlives them, so a counter that serves everything keeps doing
            # so. With a profile that has none of the caller's departments there would be nobody to call.
            serves_me = not counter.departments or any(works_in(caller, name) for name in counter.departments)
            stays = counter is not fresh and (as_it_is or (departments is None and (serves_me or counter.is_declared)))
            served = None if stays else profile
            mine = opened(counter, operator, now, served, take_over=take_over, as_it_is=as_it_is)
            check_takes_counter(caller, counter, held)
            return mine

        def taken_over(counter: Counter, now: datetime) -> AuditEvent | None:
            if not counter.is_claimed_by_other(operator.claimant, now):
                return None
            target = f"counter:{branch_id}/{counter_id}"
            return AuditEvent(AuditKind.COUNTER_TAKEOVER, origin, target, detail=f"from {counter.operator}")

        return await self._change(fresh, caller, change, audited=taken_over)

    async def pause(
        self, branch_id: str, counter_id: str, caller: Principal, reason: str | None, *, console: str = ""
    ) -> CounterView:
        """Pause a counter. Raises Refused (``counter_claimed``, ``unknown_counter``)."""
        operator = operator_of(caller, console)

        def change(counter: Counter, _: Token | None, now: datetime) -> Counter:
            return paused(counter, operator, now, reason)

        return await self._with_unserved(await self._change_known(branch_id, counter_id, caller, change))

    async def close(self, branch_id: str, counter_id: str, caller: Principal, *, console: str = "") -> CounterView:
        """Close a counter. Raises Refused (``counter_claimed``, ``counter_busy``, ``unknown_counter``)."""
        operator = operator_of(caller, console)

        def change(counter: Counter, held: Token | None, now: datetime) -> Counter:
            return closed(counter, held, operator, now)

        return await self._with_unserved(await self._change_known(branch_id, counter_id, caller, change))

    async def leave(self, branch_id: str, counter_id: str, caller: Principal, *, console: str = "") -> CounterView:
        """Give up the caller's claim: close the counter, or leave it unchanged while it holds a token.

        Raises:
            Refused: ``counter_claimed``, ``unknown_counter``.
        """
        operator = operator_of(caller, console)

        def change(counter: Counter, _: Token | None, now: datetime) -> Counter:
            return left(counter, operator, now)

        try:
            return await self.close(branch_id, counter_id, caller, console=console)
        except Refused as refusal:
            if refusal.problem.code is not ProblemCode.COUNTER_BUSY:
                raise
        # Nothing in the logs has changed: the counter stays as it is.
        return await self._change(_fresh(branch_id, counter_id), caller, change, is_logged=False)

    async def beat(self, branch_id: str, counter_id: str, caller: Principal, *, console: str = "") -> CounterView:
        """Renew the caller's claim. Raises Refused (``counter_claimed``) if another operator has it."""
        counter = await self._store.renew(branch_id, counter_id, operator_of(caller, console))
        if counter is None:
            counter = await self._find(branch_id, counter_id)
            raise claimed(counter) if counter.operator else unknown_counter((branch_id, counter_id))
        return counter_view(counter, None)

    async def declare(
        self, branch_id: str, counter_id: str, departments: Sequence[str], caller: Principal
    ) -> CounterView:
        """Declare a counter with its work profile; empty means every department of the branch.

        Raises:
            Refused: ``unknown_counter`` if it is new and its name looks like that of another counter.
        """
        profile = tuple(await self._profile(branch_id, caller, departments))
        fresh = _fresh(branch_id, counter_id)
        known = [counter for counter, _ in await self._store.counters(branch_id)]

        def change(counter: Counter, _held: Token | None, _now: datetime) -> Counter:
            if counter is fresh:
                _check_new(counter, known, may_create=True)
            return replace(counter, departments=profile, is_declared=True)

        return await self._change(fresh, caller, change, is_logged=False)

    async def delete(self, branch_id: str, counter_id: str) -> None:
        """Delete a counter. Raises Refused (``unknown_counter``, ``in_use``)."""
        if await self._store.delete(branch_id, counter_id):
            await self._notify_changed(branch_id)
        else:
            await self._find(branch_id, counter_id)
            raise refuse(CounterReason.IN_USE, counter=counter_id)

    async def profile_of(self, branch_id: str, counter_id: str, caller: Principal) -> tuple[tuple[str, ...], bool]:
        """Return the departments from which a counter calls for this caller, and whether their order counts.

        Raises:
            Refused: ``unknown_branch``; ``forbidden`` if no department is left for the caller.
        """
        counters = {counter.counter_id: counter for counter, _ in await self._store.counters(branch_id)}
        declared = counters[counter_id].departments if counter_id in counters else ()
        existing = await self._store.departments(branch_id)
        # A work profile may name a deleted department.
        served = [name for name in declared or existing if name in existing]
        return departments_to_call_from(caller, counter_id, served), bool(declared)

    async def _change_known(self, branch_id: str, counter_id: str, caller: Principal, change: Change) -> CounterView:
        """Change an existing counter. Raises Refused (``unknown_counter``): a typing mistake creates none."""
        await self._find(branch_id, counter_id)
        return await self._change(_fresh(branch_id, counter_id), caller, change)

    async def _change(
        self,
        fresh: Counter,
        caller: Principal,
        change: Change,
        *,
        is_logged: bool = True,
        audited: Audited | None = None,
    ) -> CounterView:
        serves = await self._store.departments(fresh.branch_id)
        counter, held = await self._store.change(
            fresh, serves, change, caller.actor, is_logged=is_logged, audited=audited
        )
        await self._notify_changed(fresh.branch_id)
        return counter_view(counter, held)

    async def _with_unserved(self, view: CounterView) -> CounterView:
        """Add who waits for nobody now. The change itself has been made, whatever happens to this."""
        counter = Counter(view["branchId"], view["counterId"], departments=tuple(view["departments"]))
        try:
            departments = await self._store.unserved(counter)
        except Exception:
            logger.exception("looking for unserved departments failed")
            return view
        unserved: list[UnservedView] = [
            {"departmentId": each.department_id, "waiting": each.waiting, "displayNumbers": list(each.numbers)}
            for each in departments
        ]
        return {**view, "unserved": unserved}

    async def _profile(self, branch_id: str, caller: Principal, requested: Sequence[str]) -> list[str]:
        """Return the requested departments in order; without a request, all that the caller works in."""
        existing = await self._store.departments(branch_id)
        for department_id in requested:
            if department_id not in existing:
                raise refuse(DepartmentReason.NOT_IN_BRANCH, department=department_id, branch=branch_id)
            check_works_in(caller, department_id)
        mine = [name for name in existing if works_in(caller, name)]
        return list(dict.fromkeys(requested)) or ([] if len(mine) == len(existing) else mine)

    async def _find(self, branch_id: str, counter_id: str) -> Counter:
        known = {counter.counter_id: counter for counter, _ in await self._store.counters(branch_id)}
        if counter_id not in known:
            raise unknown_counter((branch_id, counter_id), known)
        return known[counter_id]


def _check_new(counter: Counter, known: Sequence[Counter], *, may_create: bool) -> None:
    """Check that a counter may be added to the ``known`` ones of its branch. Raises Refused (``unknown_counter``)."""
    place = (counter.branch_id, counter.counter_id)
    check_looks_like_no_other(place, (other.counter_id for other in known))
    if not may_create:
        check_can_be_new(place, [other.counter_id for other in known if other.is_declared])


def _fresh(branch_id: str, counter_id: str) -> Counter:
    """A new counter with default values."""
    return Counter(branch_id, counter_id, CounterState.CLOSED)
