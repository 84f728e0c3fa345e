"""The queue in simulated time: the same policy and the same work profiles as live, with given people and counters.

Times are seconds from a common beginning; what lies before it is negative. Discrete events: whichever counter
is free first takes whoever the policy gives it then.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tokenq.contract.enums import Priority
from tokenq_server.domain.policy import Policy, Turn, Waiting, choose
from tokenq_server.domain.profile import first_of_profile

_START = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Arrival:
    """Somebody who comes at ``at``, or has waited since then; those of one class in the order of their places."""

    at: float
    department_id: str
    customer: int
    priority: Priority


@dataclass(frozen=True)
class Desk:
    """A counter that takes people from ``free_at`` on; without ``departments`` of every one."""

    free_at: float = 0.0
    departments: tuple[str, ...] = ()
    closes_at: float = float("inf")


@dataclass(frozen=True)
class Order:
    """A department's policy and where its interleaving stands."""

    policy: Policy
    turn: Turn = field(default_factory=Turn)


def run(
    arrivals: Iterable[Arrival],
    desks: Sequence[Desk],
    orders: Mapping[str, Order],
    service: Callable[[Arrival], float],
) -> dict[int, float]:
    """When each customer is called, in seconds; who is never called is missing.

    ``service`` says how long one customer occupies a counter.
    """
    return _Run(arrivals, desks, orders, service).called


class _Run:
    def __init__(
        self,
        arrivals: Iterable[Arrival],
        desks: Sequence[Desk],
        orders: Mapping[str, Order],
        service: Callable[[Arrival], float],
    ) -> None:
        self.called: dict[int, float] = {}
        self._coming = deque(sorted(arrivals, key=lambda one: one.at))
        self._lines: dict[str, dict[Priority, deque[tuple[Waiting, Arrival]]]] = {name: {} for name in orders}
        self._policies = {name: order.policy for name, order in orders.items()}
        self._turns = {name: order.turn for name, order in orders.items()}
        self._service = service
        self._all = tuple(orders)
        free = [(desk.free_at, index) for index, desk in enumerate(desks)]
        heapq.heapify(free)
        while free:
            at, index = heapq.heappop(free)
            again = self._work(at, desks[index])
            if again is not None and again < desks[index].closes_at:
                heapq.heappush(free, (again, index))

    def _work(self, at: float, desk: Desk) -> float | None:
        """Let a free desk take somebody; answers when it is free again, ``None`` when nobody comes any more."""
        while self._coming and self._coming[0].at <= at:
            self._join(self._coming.popleft())
        found = self._next(at, desk.departments or self._all, is_ordered=bool(desk.departments))
        if found is None:
            return self._coming[0].at if self._coming else None
        self.called[found.customer] = at
        return at + self._service(found)

    def _join(self, one: Arrival) -> None:
        since = _START + timedelta(seconds=one.at)
        line = self._lines[one.department_id].setdefault(one.priority, deque())
        line.append((Waiting(one.customer, one.priority, one.customer, since), one))

    def _next(self, at: float, departments: Sequence[str], *, is_ordered: bool) -> Arrival | None:
        now, choices, names = _START + timedelta(seconds=at), [], []
        for name in departments:
            if name not in self._lines:
                continue  # a work profile may name a department that is no more
            heads = {priority: line[0][0] for priority, line in self._lines[name].items() if line}
            choice = choose(heads, self._turns[name], self._policies[name], now) if heads else None
            if choice:
                choices.append((choice, self._policies[name]))
                names.append(name)
        if not choices:
            return None
        best = first_of_profile(choices, now, is_ordered=is_ordered) if len(choices) > 1 else 0
        name, priority = names[best], choices[best][0].waiting.priority
        self._turns[name] = self._turns[name].after(priority, self._policies[name].ratio)
        return self._lines[name][priority].popleft()[1]
