"""What the console knows: the queues as last fetched, the counter, the chosen department. Nothing is drawn here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tokenq.contract.enums import CounterState, TokenState
from tokenq.contract.views import CounterView, EstimateView, QueueView, TokenView
from tokenq.zones import local


@dataclass(frozen=True)
class Department:
    """A department that there is, whether or not it is served here; before ``min_calls`` nobody is a no-show."""

    department_id: str
    name: str
    branch_id: str
    min_calls: int = 1


@dataclass(frozen=True)
class Moved:
    """What was done last from here: the token as it was afterwards, and the verb (empty if that is not known)."""

    token: TokenView
    verb: str = ""


@dataclass(frozen=True)
class State:
    """Everything the console shows, frozen; each change makes a new one.

    Until a department ``is_chosen`` by the person, it is the first one in which somebody waits. ``places`` are all
    departments that there are; ``last`` is what was done last from here, and ``came`` tells when each queue came.
    """

    departments: tuple[str, ...] = ()
    selected: str = ""
    is_chosen: bool = False
    counter: str = ""
    places: tuple[Department, ...] = ()
    last: Moved | None = None
    queues: Mapping[str, QueueView] = field(default_factory=dict)
    came: Mapping[str, float] = field(default_factory=dict)

    def with_departments(self, departments: Iterable[str]) -> "State":
        """Serve these; the chosen one stays when it is among them."""
        ids = tuple(dict.fromkeys(departments))
        selected = self.selected if self.selected in ids else (ids[0] if ids else "")
        return replace(self, departments=ids, selected=selected)

    def with_queue(self, queue: QueueView, *, asked_at: float = 0.0, came_at: float = 0.0) -> "State":
        """Take a fetched queue in, unless a newer one is known already; the times are those of one clock, in seconds.

        One that was asked for after the known one had come is newer, whatever it counts: the log went back.
        """
        department = queue["departmentId"]
        known = self.queues.get(department)
        last = self.last
        if known is not None and (known["businessDay"], known["seq"]) > (queue["businessDay"], queue["seq"]):
            if asked_at <= self.came.get(department, 0.0):
                return self
            last = None
        came = {**self.came, department: came_at}
        return replace(self, queues={**self.queues, department: queue}, came=came, last=last)._with_a_start()

    def select(self, department: str) -> "State":
        """Look at another department."""
        return replace(self, selected=department, is_chosen=True) if department in self.departments else self

    def step(self, by: int) -> "State":
        """Look at the department ``by`` places further, round and round."""
        if not self.departments:
            return self
        place = self.departments.index(self.selected)
        return self.select(self.departments[(place + by) % len(self.departments)])

    def at_counter(self, counter: str) -> "State":
        """Work at ``counter``."""
        return replace(self, counter=counter)

    def having_moved(self, token: TokenView, verb: str) -> "State":
        """Remember what was done last from here; a call that is repeated can still be taken back as a call."""
        if verb == "recall" and self.last and self.last.token["tokenId"] == token["tokenId"]:
            verb = self.last.verb
        return replace(self, last=Moved(token, verb))

    @property
    def undoable(self) -> Moved | None:
        """What can be taken back: what was done last from here, else what was done with the person who is here."""
        held, last = self.held, self.last
        if held and (last is None or _is_newer(held, last.token)):
            last = Moved(held)
        return last if last and "undo" in last.token["moves"] else None

    @property
    def profile(self) -> tuple[str, ...] | None:
        """The departments served here that are in the branch of the chosen one; ``None`` until all are known."""
        if self.queue is None or any(department not in self.queues for department in self.departments):
            return None
        branch = self.queue["branchId"]
        return tuple(one for one in self.departments if self.queues[one]["branchId"] == branch)

    def calls_before_no_show(self, token: TokenView) -> int:
        """How often the token's department calls somebody before that one counts as a no-show."""
        mine = (one.min_calls for one in self.places if one.department_id == token["departmentId"])
        return next(mine, 1)

    def destinations(self, token: TokenView) -> list[Department]:
        """Where the token could be sent: the other departments of its branch."""
        here = token["departmentId"]
        return [one for one in self.places if one.branch_id == token["branchId"] and one.department_id != here]

    @property
    def own_counter(self) -> CounterView | None:
        """Our counter as the server knows it."""
        known = (one for queue in self.queues.values() for one in queue["counters"])
        return next((one for one in known if one["counterId"] == self.counter), None)

    @property
    def is_paused(self) -> bool:
        """Whether our counter calls nobody now."""
        counter = self.own_counter
        return counter is not None and counter["state"] == CounterState.PAUSED

    @property
    def is_shut(self) -> bool:
        """Whether our counter is paused or closed."""
        counter = self.own_counter
        return counter is not None and counter["state"] != CounterState.OPEN

    @property
    def staffed_elsewhere(self) -> list[CounterView]:
        """Other counters of the chosen department that are open or paused and hold nobody."""
        known = self.queue["counters"] if self.queue else []
        busy = {token["counterId"] for token in self._seated()}
        others = (one for one in known if one["counterId"] not in {self.counter, *busy} and one["token"] is None)
        return [one for one in others if one["state"] != CounterState.CLOSED]

    @property
    def queue(self) -> QueueView | None:
        """The chosen department's queue; ``None`` until it was fetched."""
        return self.queues.get(self.selected)

    @property
    def zone(self) -> str:
        """The time zone of the chosen department's branch; empty until it is known."""
        return zone_of(self.queue)

    @property
    def held(self) -> TokenView | None:
        """The token at our counter, of whichever department."""
        ours = (token for token in self._seated() if self.counter and token["counterId"] == self.counter)
        return next(ours, None)

    @property
    def next_up(self) -> TokenView | None:
        """The token that a call would take now, as far as we know."""
        return self.queue["waiting"][0] if self.queue and self.queue["waiting"] else None

    @property
    def elsewhere(self) -> list[TokenView]:
        """The chosen department's tokens at other counters."""
        if self.queue is None:
            return []
        return [token for token in seated(self.queue) if token["counterId"] != self.counter]

    @property
    def counters_in_use(self) -> list[str]:
        """Counters that hold a token now, in alphabetical order."""
        return sorted({token["counterId"] for token in self._seated() if token["counterId"]})

    def waiting_in(self, department: str) -> int | None:
        """How many wait there; ``None`` until it was fetched."""
        queue = self.queues.get(department)
        return None if queue is None else queue["counts"]["waiting"]

    def find(self, token_id: int) -> TokenView | None:
        """A waiting token of the chosen department."""
        waiting = self.queue["waiting"] if self.queue else []
        return next((token for token in waiting if token["tokenId"] == token_id), None)

    def _with_a_start(self) -> "State":
        if self.is_chosen:
            return self
        for department in self.departments:
            waiting = self.waiting_in(department)
            if waiting is None:
                return self
            if waiting:
                return self.select(department)
        return replace(self, is_chosen=True)

    def _seated(self) -> list[TokenView]:
        return [token for department in self.departments for token in seated(self.queues.get(department))]


def _is_newer(token: TokenView, known: TokenView) -> bool:
    """Whether it is the same token, moved by somebody else meanwhile."""
    return token["tokenId"] == known["tokenId"] and token["claimVersion"] > known["claimVersion"]


def zone_of(queue: QueueView | None) -> str:
    """The time zone of the queue's branch; empty, which is this machine's, if it is not known."""
    return queue.get("timezone", "") if queue else ""


def seated(queue: QueueView | None) -> list[TokenView]:
    """The tokens at counters."""
    return [] if queue is None else [*queue["called"], *queue["serving"]]


def since(token: TokenView) -> datetime | None:
    """When the token came into its present state at the counter."""
    text = token["startedAt"] if token["state"] == TokenState.SERVING else token["calledAt"]
    return datetime.fromisoformat(text) if text else None


def waited(token: TokenView, now: datetime) -> str:
    """How long the person has been waiting, in minutes or hours."""
    minutes = max(0, int((now - datetime.fromisoformat(token["issuedAt"])).total_seconds() // 60))
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d}"


def stopwatch(passed: timedelta) -> str:
    """A duration as ``m:ss`` or ``h:mm:ss``; never negative."""
    seconds = max(0, int(passed.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def parked_until(token: TokenView, zone: str) -> str:
    """The time of the branch at which a parked one comes back by itself; empty if that is not set."""
    until = token["parkedUntil"]
    return f"{local(datetime.fromisoformat(until), zone):%H:%M}" if until else ""


def expected_wait(estimate: EstimateView | None) -> str:
    """``10-20 min``, or nothing if it is not known."""
    if estimate is None or estimate["lowMinutes"] is None:
        return ""
    return f"{estimate['lowMinutes']}-{estimate['highMinutes']} min"


def why_no_estimate(estimate: EstimateView | None) -> str:
    """Why the wait is not known; empty if it is, or if nobody says why."""
    return estimate["reason"] or "" if estimate and estimate["lowMinutes"] is None else ""


def change_of_hours(queue: QueueView) -> str:
    """When a closed department opens, or an open one closes, on the branch's clock."""
    opening = queue["opening"]
    moment = opening["closesAt"] if opening["isOpen"] else opening["opensAt"]
    if moment is None or (not opening["isOpen"] and not queue["open"]):
        return ""
    word = "closes" if opening["isOpen"] else "opens"
    return f"{word} {local(datetime.fromisoformat(moment), zone_of(queue)):%a %H:%M}"
