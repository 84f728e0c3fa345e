"""Limits how many numbers an account or a key issues, and how many a customer takes."""

import math
from dataclasses import dataclass, replace
from typing import cast

from tokenq.contract.enums import Role
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import DepartmentReason
from tokenq.contract.reasons.system import RequestReason
from tokenq_server.domain.budgets import Budget, Use
from tokenq_server.domain.commands import Issue, IssueGroup
from tokenq_server.domain.principal import Principal
from tokenq_server.services.command_handlers import handler_of, tokens_issued_by
from tokenq_server.services.group_commit import GroupCommit
from tokenq_server.services.rate_limits import Exceeded, RateLimits
from tokenq_server.services.requests import Answer, Request

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 24 * 3600.0


@dataclass(frozen=True)
class IssueBudgets:
    """Numbers that each account or key issues in a minute, numbers that a customer takes of a department in a day.

    ``visitor``: those that people without a login take in an hour, by where their requests come from.

    ``requests`` are those for a number that a customer may send in a minute, refused and repeated ones included;
    ``repeats`` are those of staff beyond their budget, which may have been executed before.
    Staff are counted later: their limit is there to stop a program that runs wild, and a round trip to Redis for each
    number would cost more than that is worth. A customer's is exact, since somebody may want to exhaust it.
    """

    staff: Budget
    customer: Budget
    visitor: Budget
    requests: Budget
    repeats: Budget

    @classmethod
    def of(cls, staff: int, customer: int, visitor: int, requests: int) -> "IssueBudgets":
        """Make them of the settings; 0 is no limit."""
        return cls(
            Budget("issue", staff, _MINUTE / max(staff, 1), is_counted_later=True),
            Budget("take", customer, _DAY / max(customer, 1)),
            Budget("visit", visitor, _HOUR / max(visitor, 1)),
            Budget("ask", requests, _MINUTE / max(requests, 1)),
            Budget("repeat", staff, _MINUTE / max(staff, 1), is_counted_later=True),
        )


class IssueLimits:
    """Passes requests on to the next batch, unless their callers have issued too much."""

    def __init__(self, commit: GroupCommit, limits: RateLimits, budgets: IssueBudgets) -> None:
        self._commit = commit
        self._limits = limits
        self._budgets = budgets

    async def submit(self, request: Request) -> Answer:
        """Execute one request, as ``GroupCommit`` does. A refused or repeated one issues nothing and uses no budget.

        A repetition gets its answer even if the budget is used up by now: its first answer may have been lost.

        Raises:
            Refused: ``rate_limited`` too; what the caller may never do is refused before that.
        """
        count = tokens_issued_by(request.command)
        if not count:
            return await self._commit.submit(request)
        command = cast(Issue | IssueGroup, request.command)
        handler_of(command).may_ask(command)
        caller, issued = command.caller, self._issued(command, count)
        if exceeded := await self._asked(caller) or await self._limits.take([issued]):
            refusal = self._refusal(exceeded, caller, command.department_id)
            if not await self._may_be_repeat(request, exceeded.use):
                raise refusal
            return await self._commit.submit(replace(request, refusal=refusal))
        try:
            answer = await self._commit.submit(request)
        except Refused:
            await self._limits.give_back([issued])
            raise
        if answer.is_repeat:
            await self._limits.give_back([issued])
        return answer

    async def _asked(self, caller: Principal) -> Exceeded | None:
        """Count a customer's request, whatever becomes of it: so it is not taken together with the number."""
        if caller.role is not Role.CUSTOMER or caller.is_visitor:
            return None
        return await self._limits.take([Use(self._budgets.requests, caller.identity)])

    async def _may_be_repeat(self, request: Request, exceeded: Use) -> bool:
        """Whether it is worth to look: a flood must not reach the database."""
        if request.key is None or exceeded.budget is self._budgets.requests:
            return False
        of_staff = exceeded.budget is self._budgets.staff
        return not (of_staff and await self._limits.take([Use(self._budgets.repeats, exceeded.whose)]))

    def _issued(self, command: Issue | IssueGroup, count: int) -> Use:
        caller = command.caller
        if caller.is_visitor:
            return Use(self._budgets.visitor, caller.source, count)
        if caller.role is Role.CUSTOMER:
            return Use(self._budgets.customer, f"{caller.identity}\0{command.department_id}", count)
        return Use(self._budgets.staff, caller.identity, count)

    def _refusal(self, exceeded: Exceeded, caller: Principal, department: str) -> Refused:
        budget, seconds = exceeded.use.budget, exceeded.seconds
        extra = {"retryAfter": seconds}
        if budget is self._budgets.staff:
            return refuse(DepartmentReason.TOO_MANY_ISSUED, extra, name=caller.name, seconds=seconds)
        if budget is self._budgets.customer:
            minutes = math.ceil(seconds / 60)
            params = {"department": department, "minutes": minutes, "seconds": seconds}
            return refuse(DepartmentReason.TOO_MANY_TAKEN, extra, **params)
        return refuse(RequestReason.TOO_MANY, extra, seconds=seconds)
