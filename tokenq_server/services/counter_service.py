"""Counters: opened, paused and closed by those who work at them, declared by admins."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from tokenq.contract.enums import CounterState
from tokenq.contract.problems import ProblemCode, Refused, refuse
from tokenq.contract.reasons.queue import CounterReason, DepartmentReason
from tokenq.contract.views import CounterView
from tokenq_server.domain.counters import Counter, Operator, claimed, closed, left, opened, operator_of, paused
from tokenq_server.domain.permissions import check_works_in, departments_to_call_from, is_colleague, works_in
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Token
from tokenq_server.services.views import counter_view, instant

Change = Callable[[Counter, Token | None, datetime], Counter]
"""What a counter becomes, given what it is, whom it holds and the database's clock; may refuse."""


class CounterStore(Protocol):
    """Where counters are kept."""

    async def counters(self, branch_id: str) -> list[tuple[Counter, Token | None]]:
        """The counters of a branch by id, each with whom it holds. Raises Refused (``unknown_branch``)."""

    async def unattended(self, branch_id: str) -> dict[str, datetime]:
        """The open counters of a branch at which nobody is, and since when."""

    async def departments(self, branch_id: str) -> list[str]:
        """The ids of a branch's departments. Raises Refused (``unknown_branch``)."""

    async def change(
        self, fresh: Counter, serves: Sequence[str], change: Change, actor: str, *, is_told: bool
    ) -> tuple[Counter, Token | None]:
        """Change a counter, or ``fresh`` if there is none yet; ``is_told``: to the logs of what it serves."""

    async def renew(self, branch_id: str, counter_id: str, operator: Operator) -> Counter | None:
        """Renew the lease that an operator holds, for that screen from now on; ``None`` if that one holds none."""

    async def delete(self, branch_id: str, counter_id: str) -> bool:
        """Forget a counter that holds nobody; False if there is none, or it holds somebody."""


class CounterService:
    """Changes counters and tells about them."""

    def __init__(self, store: CounterStore, tell_changed: Callable[[str], Awaitable[None]]) -> None:
        """``tell_changed`` is told the branch after a counter has changed, before the answer."""
        self._store, self._tell_changed = store, tell_changed

    async def counters(self, branch_id: str, reader: Principal) -> list[CounterView]:
        """The counters of a branch; why one is paused is for the staff whom it serves. Raises Refused."""
        counters, since = await self._store.counters(branch_id), await self._store.unattended(branch_id)
        return [
            {
                **counter_view(one, held),
                "reason": one.reason if is_colleague(reader, one.departments) else None,
                "unattendedSince": instant(since.get(one.counter_id)),
            }
            for one, held in counters
        ]

    async def open(
        self,
        branch_id: str,
        counter_id: str,
        caller: Principal,
        departments: Sequence[str] | None,
        *,
        take_over: bool,
        as_it_is: bool = False,
        console: str = "",
    ) -> CounterView:
        """Claim a counter and let it take people.

        ``departments`` is what it shall serve: empty for all of the caller's, ``None`` for what it served before; a
        new one serves the caller's.
        With ``as_it_is`` a counter that is paused, or declared to serve others, is claimed as it is.

        Raises:
            Refused: ``counter_claimed``, ``forbidden``; ``exists`` if it is declared to serve others.
        """
        operator = operator_of(caller, console)
        profile = await self._profile(branch_id, caller, departments or ())
        fresh = _fresh(branch_id, counter_id)

        def change(one: Counter, _: Token | None, now: datetime) -> Counter:
            # A list made from somebody's rights outlives that person, so one that serves everything goes on to.
            # A list in which nothing is the caller's would leave nobody to call.
            serves_me = not one.departments or any(works_in(caller, name) for name in one.departments)
            stays = one is not fresh and (serves_me or one.is_declared)
            wanted = None if departments is None and stays else profile
            return opened(one, operator, now, wanted, take_over=take_over, as_it_is=as_it_is)

        return await self._change(fresh, caller, change)

    async def pause(
        self, branch_id: str, counter_id: str, caller: Principal, reason: str | None, *, console: str = ""
    ) -> CounterView:
        """Let a counter call nobody for a while. Raises Refused (``counter_claimed``, ``unknown_counter``)."""
        operator = operator_of(caller, console)

        def change(one: Counter, _: Token | None, now: datetime) -> Counter:
            return paused(one, operator, now, reason)

        return await self._change_known(branch_id, counter_id, caller, change)

    async def close(self, branch_id: str, counter_id: str, caller: Principal, *, console: str = "") -> CounterView:
        """Close a counter. Raises Refused (``counter_claimed``, ``counter_busy``, ``unknown_counter``)."""
        operator = operator_of(caller, console)

        def change(one: Counter, held: Token | None, now: datetime) -> Counter:
            return closed(one, held, operator, now)

        return await self._change_known(branch_id, counter_id, caller, change)

    async def leave(self, branch_id: str, counter_id: str, caller: Principal, *, console: str = "") -> CounterView:
        """Give the caller's claim up: close the counter, or leave it as it is while it holds somebody.

        Raises:
            Refused: ``counter_claimed``, ``unknown_counter``.
        """
        operator = operator_of(caller, console)

        def change(one: Counter, _: Token | None, now: datetime) -> Counter:
            return left(one, operator, now)

        try:
            return await self.close(branch_id, counter_id, caller, console=console)
        except Refused as refusal:
            if refusal.problem.code is not ProblemCode.COUNTER_BUSY:
                raise
        # Nothing that the logs tell has changed: it goes on as it is.
        return await self._change(_fresh(branch_id, counter_id), caller, change, is_told=False)

    async def beat(self, branch_id: str, counter_id: str, caller: Principal, *, console: str = "") -> CounterView:
        """Renew the caller's claim. Raises Refused (``counter_claimed``) if it is somebody else's by now."""
        counter = await self._store.renew(branch_id, counter_id, operator_of(caller, console))
        if counter is None:
            found = await self._find(branch_id, counter_id)
            raise claimed(found) if found.operator else unknown_counter(counter_id)
        return counter_view(counter, None)

    async def declare(
        self, branch_id: str, counter_id: str, departments: Sequence[str], caller: Principal
    ) -> CounterView:
        """Set a counter up with its work profile; empty means every department of the branch."""
        profile = tuple(await self._profile(branch_id, caller, departments))

        def change(one: Counter, _held: Token | None, _now: datetime) -> Counter:
            return replace(one, departments=profile, is_declared=True)

        return await self._change(_fresh(branch_id, counter_id), caller, change, is_told=False)

    async def delete(self, branch_id: str, counter_id: str) -> None:
        """Forget a counter. Raises Refused (``unknown_counter``, ``in_use``)."""
        if await self._store.delete(branch_id, counter_id):
            await self._tell_changed(branch_id)
        else:
            await self._find(branch_id, counter_id)
            raise refuse(CounterReason.IN_USE, counter=counter_id)

    async def profile_of(self, branch_id: str, counter_id: str, caller: Principal) -> tuple[tuple[str, ...], bool]:
        """The departments that a counter calls from for this caller, and whether their order counts.

        Raises:
            Refused: ``unknown_branch``, or ``forbidden`` when nothing is left for the caller.
        """
        counters = [one for one, _ in await self._store.counters(branch_id) if one.counter_id == counter_id]
        declared = counters[0].departments if counters else ()
        known = await self._store.departments(branch_id)
        # A work profile may name a department that is no more.
        served = [one for one in declared or known if one in known]
        return departments_to_call_from(caller, counter_id, served), bool(declared)

    async def _change_known(self, branch_id: str, counter_id: str, caller: Principal, change: Change) -> CounterView:
        """Change a counter that is there. Raises Refused (``unknown_counter``): a typing mistake makes none."""
        await self._find(branch_id, counter_id)
        return await self._change(_fresh(branch_id, counter_id), caller, change)

    async def _change(self, fresh: Counter, caller: Principal, change: Change, *, is_told: bool = True) -> CounterView:
        serves = await self._store.departments(fresh.branch_id)
        counter, held = await self._store.change(fresh, serves, change, caller.actor, is_told=is_told)
        await self._tell_changed(fresh.branch_id)
        return counter_view(counter, held)

    async def _profile(self, branch_id: str, caller: Principal, wanted: Sequence[str]) -> list[str]:
        """The departments as asked for, in that order; without a wish all that the caller may work in."""
        known = await self._store.departments(branch_id)
        for department_id in wanted:
            if department_id not in known:
                raise refuse(DepartmentReason.NOT_IN_BRANCH, department=department_id, branch=branch_id)
            check_works_in(caller, department_id)
        mine = [one for one in known if works_in(caller, one)]
        return list(dict.fromkeys(wanted)) or ([] if len(mine) == len(known) else mine)

    async def _find(self, branch_id: str, counter_id: str) -> Counter:
        for one, _ in await self._store.counters(branch_id):
            if one.counter_id == counter_id:
                return one
        raise unknown_counter(counter_id)


def _fresh(branch_id: str, counter_id: str) -> Counter:
    """A counter of which nothing is known yet."""
    return Counter(branch_id, counter_id, CounterState.CLOSED)


def unknown_counter(counter_id: str) -> Refused:
    """There is no such counter."""
    return refuse(CounterReason.UNKNOWN, counter=counter_id)
