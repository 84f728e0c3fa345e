"""Counters: the desks of a branch, the tokens they hold, and whether they may call."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tokenq.contract.enums import CounterState, TokenState
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import CounterReason
from tokenq_server.domain.counter_names import Place, check_can_be_new, check_looks_like_no_other
from tokenq_server.domain.department import Department
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.token import Token

LEASE = timedelta(seconds=30)
"""How long a claim lasts. A console renews it three times in that time."""

GRACE = timedelta(minutes=5)
"""An open, unclaimed counter counts as staffed for this long after its last use."""


@dataclass(frozen=True)
class Operator:
    """The person at a counter: ``name`` for display, ``identity`` to distinguish users of the same name.

    ``console`` distinguishes two screens of one person; empty where that does not matter.
    """

    name: str
    identity: str = ""
    console: str = ""

    @property
    def claimant(self) -> str:
        """The holder of a claim: a person, or one screen of a person."""
        return f"{self.identity}#{self.console}" if self.console else self.identity


def operator_of(caller: Principal, console: str = "") -> Operator:
    """Return the caller as a counter's operator, optionally bound to one screen."""
    return Operator(caller.actor, caller.identity, console)


@dataclass(frozen=True)
class Counter:
    """A counter as stored in Postgres.

    ``departments`` is the work profile: the departments it serves, in order; empty means every department of the
    branch. The claim of ``operator`` ends at ``lease_until`` unless renewed; ``operator_identity`` is the claimant.
    ``reason_by`` is who wrote the reason of a pause, which stays when others claim the counter.
    """

    branch_id: str
    counter_id: str
    state: CounterState = CounterState.OPEN
    reason: str | None = None
    reason_by: str | None = None
    operator: str | None = None
    operator_identity: str | None = None
    lease_until: datetime | None = None
    departments: tuple[str, ...] = ()
    is_declared: bool = False

    def is_claimed_by_other(self, claimant: str, now: datetime) -> bool:
        """Whether another person, or another screen of the same person, holds the claim."""
        if self.operator_identity is None or self.lease_until is None or self.lease_until <= now:
            return False
        (owner, _, his), (identity, _, mine) = self.operator_identity.partition("#"), claimant.partition("#")
        return owner != identity or bool(his and mine and his != mine)

    def serves(self, department_id: str) -> bool:
        """Whether the department is in the work profile."""
        return not self.departments or department_id in self.departments


def unattended_since(counter: Counter, held: Token | None, used_at: datetime, now: datetime) -> datetime | None:
    """Return since when an open counter has been unattended, or ``None`` if it is attended.

    ``used_at`` is when it was last used.
    """
    if counter.state is not CounterState.OPEN or held is not None:
        return None
    lease_until = counter.lease_until or used_at
    return None if lease_until > now else max(used_at, lease_until)


def is_forgotten(held: Token, forgotten_minutes: int, now: datetime) -> bool:
    """Whether a token has been called or in service for so long that it was presumably forgotten.

    ``forgotten_minutes`` is its department's setting (0: never). A repeated call shows that somebody is there.
    """
    began = held.started_at if held.state is TokenState.SERVING else held.last_call_at
    return bool(forgotten_minutes and began and now - began >= timedelta(minutes=forgotten_minutes))


def is_calling(counter: Counter, unattended: datetime | None, now: datetime) -> bool:
    """Whether an open counter takes customers: somebody claims or uses it, or did until shortly.

    ``unattended`` is since when nobody does.
    """
    return counter.state is CounterState.OPEN and (unattended is None or now - unattended < GRACE)


def may_serve(counter: Counter, department_id: str, rules: Rules) -> bool:
    """Whether a counter may call for a department: by its own work profile and by the department's list of counters."""
    return counter.serves(department_id) and (not rules.counters or counter.counter_id in rules.counters)


class Counters:
    """The counters involved in a batch, shared by the sessions of all its departments."""

    def __init__(self) -> None:
        self.opened: set[Place] = set()
        self._held: dict[Place, Token] = {}
        self._known: dict[Place, Counter] = {}

    def load(self, counters: Iterable[Counter]) -> None:
        """Load counters as stored."""
        self._known.update({(counter.branch_id, counter.counter_id): counter for counter in counters})

    def occupy(self, token: Token) -> None:
        """Record that a token is at its counter."""
        if token.is_at_counter and token.counter_id:
            self._held[token.branch_id, token.counter_id] = token

    def vacate(self, token: Token) -> None:
        """Record that a token has left its counter."""
        if token.counter_id:
            self._held.pop((token.branch_id, token.counter_id), None)

    def held(self, branch_id: str, counter_id: str) -> Token | None:
        """Return the token that a counter holds."""
        return self._held.get((branch_id, counter_id))

    def check_claim(self, branch_id: str, counter_id: str, operator: Operator, now: datetime) -> None:
        """Refuse an operator at a counter that another one has claimed. Raises Refused (``counter_claimed``)."""
        if counter := self._known.get((branch_id, counter_id)):
            _check_claim(counter, operator, now)

    def check_can_call(
        self, department: Department, counter_id: str, operator: Operator, now: datetime, *, may_create: bool = False
    ) -> None:
        """Check that a counter may call for this department, and open it if it is new.

        Raises:
            Refused: ``counter_not_serving``, ``counter_paused``, ``counter_closed``, ``counter_claimed``;
                ``unknown_counter`` if it is new where counters are declared, without ``may_create``, or if its name
                looks like that of another counter.
        """
        allowed = department.rules.counters
        if allowed and counter_id not in allowed:
            raise refuse(
                CounterReason.NOT_AMONG_ITS_COUNTERS,
                counter=counter_id,
                department=department.department_id,
                counters=list(allowed),
            )
        place = (department.branch_id, counter_id)
        counter = self._known.get(place)
        if counter is None:
            if place not in self.opened:
                self._check_new(place, may_create=may_create)
            self.opened.add(place)
            return
        if not counter.serves(department.department_id):
            raise refuse(
                CounterReason.NOT_ITS_DEPARTMENT,
                counter=counter_id,
                department=department.department_id,
                departments=list(counter.departments),
            )
        if counter.state is CounterState.PAUSED:
            raise refuse(CounterReason.PAUSED, counter=counter_id, branch=department.branch_id)
        if counter.state is CounterState.CLOSED:
            raise refuse(CounterReason.CLOSED, counter=counter_id, branch=department.branch_id)
        _check_claim(counter, operator, now)

    def _check_new(self, place: Place, *, may_create: bool) -> None:
        branch_id = place[0]
        check_looks_like_no_other(place, (name for branch, name in (*self._known, *self.opened) if branch == branch_id))
        if not may_create:
            known = (counter for counter in self._known.values() if counter.branch_id == branch_id)
            check_can_be_new(place, [counter.counter_id for counter in known if counter.is_declared])


def opened(
    counter: Counter,
    operator: Operator,
    now: datetime,
    departments: Sequence[str] | None,
    *,
    take_over: bool = False,
    as_it_is: bool = False,
) -> Counter:
    """Return the counter opened and claimed by an operator.

    ``departments`` becomes its work profile; ``None`` keeps the current one. With ``as_it_is`` a pause is kept and a
    declared profile is accepted.

    Raises:
        Refused: ``counter_claimed``; ``exists`` if an admin has declared another profile.
    """
    if not take_over:
        _check_claim(counter, operator, now)
    mine = replace(counter, operator=operator.name, operator_identity=operator.claimant, lease_until=now + LEASE)
    if as_it_is and counter.state is CounterState.PAUSED:
        return mine
    profile = counter.departments if departments is None else tuple(departments)
    if counter.is_declared and counter.departments and profile != counter.departments:
        if not as_it_is:
            raise _serves_declared(counter)
        profile = counter.departments
    return replace(mine, state=CounterState.OPEN, reason=None, reason_by=None, departments=profile)


def paused(counter: Counter, operator: Operator, now: datetime, reason: str | None) -> Counter:
    """Return the counter paused; it keeps the token it holds. Raises Refused (``counter_claimed``)."""
    _check_claim(counter, operator, now)
    author = operator.identity if reason is not None else None
    return replace(counter, state=CounterState.PAUSED, reason=reason, reason_by=author)


def closed(counter: Counter, held: Token | None, operator: Operator, now: datetime) -> Counter:
    """Return the counter closed and unclaimed. Raises Refused (``counter_claimed``, ``counter_busy``)."""
    _check_claim(counter, operator, now)
    if held:
        raise busy(counter.counter_id, held)
    return replace(left(counter, operator, now), state=CounterState.CLOSED, reason=None, reason_by=None)


def left(counter: Counter, operator: Operator, now: datetime) -> Counter:
    """Return the counter unclaimed; it keeps the token it holds. Raises Refused (``counter_claimed``)."""
    _check_claim(counter, operator, now)
    return replace(counter, operator=None, operator_identity=None, lease_until=None)


def _check_claim(counter: Counter, operator: Operator, now: datetime) -> None:
    if counter.is_claimed_by_other(operator.claimant, now):
        raise claimed(counter)


def claimed(counter: Counter) -> Refused:
    """The counter is claimed by another operator."""
    extra = {"operator": counter.operator}
    params = {"counter": counter.counter_id, "branch": counter.branch_id, "operator": counter.operator}
    return refuse(CounterReason.CLAIMED, extra, **params)


def _serves_declared(counter: Counter) -> Refused:
    params = {"counter": counter.counter_id, "branch": counter.branch_id, "departments": list(counter.departments)}
    return refuse(CounterReason.DECLARED, **params)


def busy(counter_id: str, held: Token) -> Refused:
    """The counter already holds a token."""
    extra = {"tokenId": held.token_id, "displayNumber": held.display}
    return refuse(CounterReason.BUSY, extra, counter=counter_id, number=held.display)
