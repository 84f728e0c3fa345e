"""Counters: the desks of a branch, whom each holds, and whether it may call somebody now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tokenq.contract.enums import CounterState
from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.queue import CounterReason
from tokenq_server.domain.department import Department
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Token

LEASE = timedelta(seconds=30)
"""How long a claim lasts; a console renews it three times in that time."""

GRACE = timedelta(minutes=5)
"""For so long after its last use an open counter counts as one that will take people, though nobody claims it."""

Place = tuple[str, str]
"""A counter's name: branch and counter id."""


@dataclass(frozen=True)
class Operator:
    """Who presses the key: ``name`` for people, ``identity`` for telling two of the same name apart.

    ``console`` tells two screens of the same person apart; empty where it does not matter which.
    """

    name: str
    identity: str = ""
    console: str = ""

    @property
    def claimant(self) -> str:
        """Whose a claim is: a person's, or one screen's of a person."""
        return f"{self.identity}#{self.console}" if self.console else self.identity


def operator_of(caller: Principal, console: str = "") -> Operator:
    """The caller as one who works at a counter, and at which screen if that matters."""
    return Operator(caller.actor, caller.identity, console)


@dataclass(frozen=True)
class Counter:
    """A counter as Postgres holds it.

    ``departments`` is the work profile: what it serves, in order; empty means every department of the branch.
    The claim of ``operator`` ends at ``lease_until`` unless it is renewed; ``operator_identity`` is the claimant.
    """

    branch_id: str
    counter_id: str
    state: CounterState = CounterState.OPEN
    reason: str | None = None
    operator: str | None = None
    operator_identity: str | None = None
    lease_until: datetime | None = None
    departments: tuple[str, ...] = ()
    is_declared: bool = False

    def is_claimed_by_other(self, claimant: str, now: datetime) -> bool:
        """Whether somebody else, or another screen of the same person, holds the counter's lease."""
        if self.operator_identity is None or self.lease_until is None or self.lease_until <= now:
            return False
        (owner, _, his), (identity, _, mine) = self.operator_identity.partition("#"), claimant.partition("#")
        return owner != identity or bool(his and mine and his != mine)

    def serves(self, department_id: str) -> bool:
        """Whether the department is in the work profile."""
        return not self.departments or department_id in self.departments


def unattended_since(counter: Counter, held: Token | None, used_at: datetime, now: datetime) -> datetime | None:
    """Since when nobody is at an open counter, which was last used at ``used_at``; ``None`` if somebody is."""
    if counter.state is not CounterState.OPEN or held is not None:
        return None
    lease_until = counter.lease_until or used_at
    return None if lease_until > now else max(used_at, lease_until)


class Counters:
    """The counters that a batch of commands is about; shared by the sessions of all its departments."""

    def __init__(self) -> None:
        self.opened: set[Place] = set()
        self._held: dict[Place, Token] = {}
        self._known: dict[Place, Counter] = {}

    def know(self, counters: Iterable[Counter]) -> None:
        """Take in counters as the store holds them."""
        self._known.update({(one.branch_id, one.counter_id): one for one in counters})

    def seat(self, token: Token) -> None:
        """A token is at its counter now."""
        if token.is_at_counter and token.counter_id:
            self._held[token.branch_id, token.counter_id] = token

    def free(self, token: Token) -> None:
        """A token has left its counter."""
        if token.counter_id:
            self._held.pop((token.branch_id, token.counter_id), None)

    def held(self, branch_id: str, counter_id: str) -> Token | None:
        """Whom a counter holds."""
        return self._held.get((branch_id, counter_id))

    def check_claim(self, branch_id: str, counter_id: str, operator: Operator, now: datetime) -> None:
        """Refuse somebody at another's counter. Raises Refused (``counter_claimed``)."""
        if counter := self._known.get((branch_id, counter_id)):
            _check_claim(counter, operator, now)

    def admit(self, department: Department, counter_id: str, operator: Operator, now: datetime) -> None:
        """Let the counter call somebody of this department; one that is new is opened by that.

        Raises:
            Refused: ``counter_not_serving``, ``counter_paused``, ``counter_closed``, ``counter_claimed``.
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
            raise refuse(CounterReason.PAUSED, counter=counter_id)
        if counter.state is CounterState.CLOSED:
            raise refuse(CounterReason.CLOSED, counter=counter_id)
        _check_claim(counter, operator, now)


def opened(
    counter: Counter,
    operator: Operator,
    now: datetime,
    departments: Sequence[str] | None,
    *,
    take_over: bool = False,
    as_it_is: bool = False,
) -> Counter:
    """The counter claimed by an operator and taking people.

    ``departments`` becomes its work profile; without, what it served before stays. With ``as_it_is`` a pause stays a
    pause, and a declared profile is no reason to refuse.

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
            raise _declared(counter)
        profile = counter.departments
    return replace(mine, state=CounterState.OPEN, reason=None, departments=profile)


def paused(counter: Counter, operator: Operator, now: datetime, reason: str | None) -> Counter:
    """The counter calling nobody for a while; whom it holds stays there. Raises Refused (``counter_claimed``)."""
    _check_claim(counter, operator, now)
    return replace(counter, state=CounterState.PAUSED, reason=reason)


def closed(counter: Counter, held: Token | None, operator: Operator, now: datetime) -> Counter:
    """The counter closed and free to be claimed. Raises Refused (``counter_claimed``, ``counter_busy``)."""
    _check_claim(counter, operator, now)
    if held:
        raise busy(counter.counter_id, held)
    return replace(left(counter, operator, now), state=CounterState.CLOSED, reason=None)


def left(counter: Counter, operator: Operator, now: datetime) -> Counter:
    """The counter free to be claimed; whom it holds stays there. Raises Refused (``counter_claimed``)."""
    _check_claim(counter, operator, now)
    return replace(counter, operator=None, operator_identity=None, lease_until=None)


def _check_claim(counter: Counter, operator: Operator, now: datetime) -> None:
    if counter.is_claimed_by_other(operator.claimant, now):
        raise claimed(counter)


def claimed(counter: Counter) -> Refused:
    """Somebody else works at the counter."""
    extra = {"operator": counter.operator}
    return refuse(CounterReason.CLAIMED, extra, counter=counter.counter_id, operator=counter.operator)


def _declared(counter: Counter) -> Refused:
    return refuse(CounterReason.DECLARED, counter=counter.counter_id, departments=list(counter.departments))


def busy(counter_id: str, held: Token) -> Refused:
    """The counter holds somebody already."""
    extra = {"tokenId": held.token_id, "displayNumber": held.display}
    return refuse(CounterReason.BUSY, extra, counter=counter_id, number=held.display)
