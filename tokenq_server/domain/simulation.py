"""The queue in simulated time: the live policy and work profiles, with given customers and counters.

Times are seconds from a common start; earlier ones are negative. Discrete events: the counter that is free first takes
the customer that the policy chooses at that time.
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
    """A customer who arrives at ``at``, or has waited since then. Within a class, arrivals are in sort order.

    An imagined one is called in turn, but occupies no counter and is not counted in the ratio of the classes.
    """

    at: float
    department_id: str
    customer: int
    priority: Priority
    is_imagined: bool = False


@dataclass(frozen=True)
class Desk:
    """A counter that is free from ``free_at`` on; without ``departments`` it serves all of them."""

    free_at: float = 0.0
    departments: tuple[str, ...] = ()
    closes_at: float = float("inf")


@dataclass(frozen=True)
class Order:
    """A department's policy and the state of its interleaving."""

    policy: Policy
    turn: Turn = field(default_factory=Turn)


def run(
    arrivals: Iterable[Arrival],
    desks: Sequence[Desk],
    orders: Mapping[str, Order],
    service: Callable[[Arrival], float],
) -> dict[int, float]:
    """Return when each customer is called, in seconds; customers who are never called are missing.

    ``service`` returns how long a customer occupies a counter.
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
        # Whoever waits already stays in the given order: a place need not follow from how long somebody has waited.
        self._coming = deque(sorted(arrivals, key=lambda arrival: max(arrival.at, 0.0)))
        self._lines: dict[str, dict[Priority, deque[tuple[Waiting, Arrival]]]] = {name: {} for name in orders}
        self._policies = {name: order.policy for name, order in orders.items()}
        self._turns = {name: order.turn for name, order in orders.items()}
        self._service = service
        self._all = tuple(orders)
        free = [(desk.free_at, index) for index, desk in enumerate(desks)]
        heapq.heapify(free)
        while free:
            at, index = heapq.heappop(free)
            again = self._serve(at, desks[index])
            if again is not None and again < desks[index].closes_at:
                heapq.heappush(free, (again, index))

    def _serve(self, at: float, desk: Desk) -> float | None:
        """Let a free desk take a customer; return when it is free again, or ``None`` if no more customers come."""
        while self._coming and self._coming[0].at <= at:
            self._join(self._coming.popleft())
        arrival = self._next(at, desk.departments or self._all, is_ordered=bool(desk.departments))
        if arrival is None:
            return self._coming[0].at if self._coming else None
        self.called[arrival.customer] = at
        return at if arrival.is_imagined else at + self._service(arrival)

    def _join(self, arrival: Arrival) -> None:
        since = _START + timedelta(seconds=arrival.at)
        line = self._lines[arrival.department_id].setdefault(arrival.priority, deque())
        line.append((Waiting(arrival.customer, arrival.priority, arrival.customer, since), arrival))

    def _next(self, at: float, departments: Sequence[str], *, is_ordered: bool) -> Arrival | None:
        now, choices, names = _START + timedelta(seconds=at), [], []
        for name in departments:
            if name not in self._lines:
                continue  # a work profile may name a deleted department
            heads = {priority: line[0][0] for priority, line in self._lines[name].items() if line}
            choice = choose(heads, self._turns[name], self._policies[name], now) if heads else None
            if choice:
                choices.append((choice, self._policies[name]))
                names.append(name)
        if not choices:
            return None
        best = first_of_profile(choices, now, is_ordered=is_ordered) if len(choices) > 1 else 0
        name, priority = names[best], choices[best][0].waiting.priority
        _, arrival = self._lines[name][priority].popleft()
        if not arrival.is_imagined:
            self._turns[name] = self._turns[name].after(priority, self._policies[name].ratio)
        return arrival
