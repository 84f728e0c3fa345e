"""What the console knows: the queues as last fetched, the counter, the chosen department. Nothing is drawn here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tokenq.contract.views import CounterView, EstimateView, QueueView, TokenView
from tokenq.contract.words import CounterState, TokenState


@dataclass(frozen=True)
class State:
    """Everything the console shows, frozen; each change makes a new one.

    Until a department ``is_chosen`` by the person, it is the first one in which somebody waits. ``places`` are all
    departments of the branch with their names; ``last`` is the token that was moved last from here.
    """

    departments: tuple[str, ...] = ()
    selected: str = ""
    is_chosen: bool = False
    counter: str = ""
    places: tuple[tuple[str, str], ...] = ()
    last: TokenView | None = None
    queues: Mapping[str, QueueView] = field(default_factory=dict)

    def with_departments(self, departments: Iterable[str]) -> "State":
        """Serve these; the chosen one stays when it is among them."""
        ids = tuple(dict.fromkeys(departments))
        selected = self.selected if self.selected in ids else (ids[0] if ids else "")
        return replace(self, departments=ids, selected=selected)

    def with_queue(self, queue: QueueView) -> "State":
        """Take a fetched queue in, unless a newer one is known already."""
        known = self.queues.get(queue["departmentId"])
        if known is not None and (known["businessDay"], known["seq"]) > (queue["businessDay"], queue["seq"]):
            return self
        return replace(self, queues={**self.queues, queue["departmentId"]: queue})._with_a_start()

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

    def having_moved(self, token: TokenView | None) -> "State":
        """Remember what was done last from here."""
        return replace(self, last=token)

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
    def paused_elsewhere(self) -> list[CounterView]:
        """Other counters of the chosen department that are paused."""
        known = self.queue["counters"] if self.queue else []
        return [one for one in known if one["state"] == CounterState.PAUSED and one["counterId"] != self.counter]

    @property
    def queue(self) -> QueueView | None:
        """The chosen department's queue; ``None`` until it was fetched."""
        return self.queues.get(self.selected)

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


def parked_until(token: TokenView) -> str:
    """The local time at which a parked one comes back by itself; empty if that is not set."""
    until = token["parkedUntil"]
    return f"{datetime.fromisoformat(until).astimezone():%H:%M}" if until else ""


def expected_wait(estimate: EstimateView | None) -> str:
    """``10-20 min``, or nothing if it is not known."""
    if estimate is None or estimate["lowMinutes"] is None:
        return ""
    return f"{estimate['lowMinutes']}-{estimate['highMinutes']} min"


def change_of_hours(queue: QueueView) -> str:
    """When a closed department opens, or an open one closes, on this machine's clock."""
    opening = queue["opening"]
    moment = opening["closesAt"] if opening["isOpen"] else opening["opensAt"]
    if moment is None or (not opening["isOpen"] and not queue["open"]):
        return ""
    word = "closes" if opening["isOpen"] else "opens"
    return f"{word} {datetime.fromisoformat(moment).astimezone():%a %H:%M}"
