"""The console's state: the queues as last fetched, the counter, the selected department. Nothing is drawn here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tokenq.contract.enums import CounterState
from tokenq.contract.views import CounterView, QueueView, TokenView
from tokenq_tui.console.natural_order import natural


@dataclass(frozen=True)
class Department:
    """A department, whether or not it is served here; a no-show needs ``min_calls`` calls."""

    department_id: str
    name: str
    branch_id: str
    min_calls: int = 1


@dataclass(frozen=True)
class LastMove:
    """The last move from this console: the token after it, and the verb (empty if unknown)."""

    token: TokenView
    verb: str = ""


@dataclass(frozen=True)
class State:
    """Everything the console shows; immutable.

    Until the user has chosen a department (``is_chosen``), the first one with waiting customers is selected.
    ``all_departments`` are all that exist, ``last`` is the last move from here, ``received`` says when each queue came,
    ``keys`` are the keys that the settings give to actions, by name, ``marks`` the ids of the marked tokens.
    """

    departments: tuple[str, ...] = ()
    selected: str = ""
    is_chosen: bool = False
    counter: str = ""
    all_departments: tuple[Department, ...] = ()
    last: LastMove | None = None
    queues: Mapping[str, QueueView] = field(default_factory=dict)
    received: Mapping[str, float] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    marks: frozenset[int] = frozenset()

    def with_departments(self, departments: Iterable[str]) -> "State":
        """Serve these departments; keep the selection if it is among them."""
        ids = tuple(dict.fromkeys(departments))
        selected = self.selected if self.selected in ids else (ids[0] if ids else "")
        return replace(self, departments=ids, selected=selected)

    def with_queue(self, queue: QueueView, *, requested_at: float = 0.0, received_at: float = 0.0) -> "State":
        """Add a fetched queue, unless a newer one is present; times are seconds of one clock.

        A queue requested after the present one arrived is newer even if its ``seq`` is lower: the log was restored.
        """
        department = queue["departmentId"]
        present = self.queues.get(department)
        last = self.last
        if present is not None and (present["businessDay"], present["seq"]) > (queue["businessDay"], queue["seq"]):
            if requested_at <= self.received.get(department, 0.0):
                return self
            last = None
        received = {**self.received, department: received_at}
        queues = {**self.queues, department: queue}
        state = replace(self, queues=queues, received=received, last=last)._with_default_selection()
        return state.with_marks(state.marks)

    def without_unneeded(self) -> "State":
        """Drop the queues of departments that are neither shown nor needed for the token at our counter."""
        kept = {*self.departments, *self.beyond}
        return replace(self, queues={name: queue for name, queue in self.queues.items() if name in kept})

    @property
    def beyond(self) -> tuple[str, ...]:
        """The department that is not shown here but has the token at our counter, if there is one."""
        token = self.own_counter["token"] if self.own_counter else None
        return (token["departmentId"],) if token and token["departmentId"] not in self.departments else ()

    def select(self, department: str) -> "State":
        """Select another department."""
        if department not in self.departments:
            return self
        marks = self.marks if department == self.selected else frozenset()
        return replace(self, selected=department, is_chosen=True, marks=marks)

    def with_marks(self, marks: Iterable[int]) -> "State":
        """Mark these tokens, as far as they are in the list, and no others."""
        waiting = {token["tokenId"] for token in self.queue["waiting"]} if self.queue else set()
        return replace(self, marks=frozenset(waiting.intersection(marks)))

    def with_mark_changed(self, token_id: int) -> "State":
        """Mark a token of the list, or remove its mark."""
        return self.with_marks(self.marks ^ {token_id})

    @property
    def marked(self) -> tuple[TokenView, ...]:
        """The marked tokens, in the order of the list."""
        waiting = self.queue["waiting"] if self.queue else []
        return tuple(token for token in waiting if token["tokenId"] in self.marks)

    def step(self, by: int) -> "State":
        """Select the department ``by`` positions further, wrapping around."""
        if not self.departments:
            return self
        place = self.departments.index(self.selected)
        return self.select(self.departments[(place + by) % len(self.departments)])

    def at_counter(self, counter: str) -> "State":
        """Use ``counter``."""
        return replace(self, counter=counter)

    def with_last_move(self, token: TokenView, verb: str) -> "State":
        """Remember the last move from here; a recall keeps the verb before it, so that undo still means the call."""
        if verb == "recall" and self.last and self.last.token["tokenId"] == token["tokenId"]:
            verb = self.last.verb
        return replace(self, last=LastMove(token, verb))

    @property
    def undoable(self) -> LastMove | None:
        """The move that can be undone: the last one from here, else the last one of the token at our counter."""
        held, last = self.held, self.last
        if held and (last is None or _is_newer(held, last.token)):
            last = LastMove(held)
        return last if last and "undo" in last.token["moves"] else None

    @property
    def profile(self) -> tuple[str, ...] | None:
        """The departments served here in the branch of the selected one; ``None`` until all queues are loaded."""
        if self.queue is None or any(department not in self.queues for department in self.departments):
            return None
        branch = self.queue["branchId"]
        return tuple(name for name in self.departments if self.queues[name]["branchId"] == branch)

    def calls_before_no_show(self, token: TokenView) -> int:
        """How many calls the token's department requires before a no-show."""
        required = (each.min_calls for each in self.all_departments if each.department_id == token["departmentId"])
        return next(required, 1)

    def destinations(self, token: TokenView) -> list[Department]:
        """The departments the token can be sent to: the others of its branch."""
        of_branch = (each for each in self.all_departments if each.branch_id == token["branchId"])
        return [department for department in of_branch if department.department_id != token["departmentId"]]

    @property
    def own_counter(self) -> CounterView | None:
        """Our counter as last fetched."""
        latest_first = sorted(self._queues_here, key=lambda queue: -self.received.get(queue["departmentId"], 0.0))
        counters = (counter for queue in latest_first for counter in queue["counters"])
        return next((counter for counter in counters if counter["counterId"] == self.counter), None)

    @property
    def is_paused(self) -> bool:
        """Whether our counter is paused."""
        counter = self.own_counter
        return counter is not None and counter["state"] == CounterState.PAUSED

    @property
    def is_shut(self) -> bool:
        """Whether our counter is paused or closed."""
        counter = self.own_counter
        return counter is not None and counter["state"] != CounterState.OPEN

    @property
    def staffed_elsewhere(self) -> list[CounterView]:
        """Other counters of the selected department that are open or paused and hold no token."""
        counters = self.queue["counters"] if self.queue else []
        busy = {self.counter, *(token["counterId"] for token in self._seated_tokens())}
        others = (counter for counter in counters if counter["counterId"] not in busy and counter["token"] is None)
        staffed = (counter for counter in others if counter["state"] != CounterState.CLOSED)
        return sorted(staffed, key=lambda counter: natural(counter["counterId"]))

    @property
    def operators(self) -> Mapping[str, str]:
        """Who works at each counter of the selected department, as far as it is known."""
        counters = self.queue["counters"] if self.queue else []
        return {counter["counterId"]: counter["operator"] for counter in counters if counter["operator"]}

    @property
    def queue(self) -> QueueView | None:
        """The selected department's queue; ``None`` until it is loaded."""
        return self.queues.get(self.selected)

    @property
    def zone(self) -> str:
        """The time zone of the selected department's branch; empty until it is loaded."""
        return zone_of(self.queue)

    @property
    def held(self) -> TokenView | None:
        """The token at our counter, of any department, shown or not."""
        ours = (token for token in self._seated_tokens() if self.counter and token["counterId"] == self.counter)
        return next(ours, None)

    @property
    def next_up(self) -> TokenView | None:
        """The token that would be called next, as far as we know."""
        return self.queue["waiting"][0] if self.queue and self.queue["waiting"] else None

    @property
    def elsewhere(self) -> list[TokenView]:
        """The selected department's tokens at other counters."""
        if self.queue is None:
            return []
        others = (token for token in seated(self.queue) if token["counterId"] != self.counter)
        return sorted(others, key=lambda token: natural(token["counterId"] or ""))

    @property
    def counters_in_use(self) -> list[str]:
        """Counters that hold a token now, in natural order."""
        return sorted({token["counterId"] for token in self._seated_tokens() if token["counterId"]}, key=natural)

    def waiting_in(self, department: str) -> int | None:
        """How many are waiting there; ``None`` until the queue is loaded."""
        queue = self.queues.get(department)
        return None if queue is None else queue["counts"]["waiting"]

    def first_arrival(self, before: "State", department: str) -> TokenView | None:
        """Who has arrived in a line that was empty ``before``; not whom a move from here put there."""
        queue = self.queues.get(department)
        if queue is None or not queue["waiting"] or before.waiting_in(department) != 0:
            return None
        first = queue["waiting"][0]
        return None if self.last and self.last.token["tokenId"] == first["tokenId"] else first

    def has_alarm(self, department: str) -> bool:
        """Whether customers wait too long there, as the server says."""
        queue = self.queues.get(department)
        return bool(queue and queue.get("alarms"))

    def find(self, token_id: int) -> TokenView | None:
        """Return a waiting token of the selected department."""
        waiting = self.queue["waiting"] if self.queue else []
        return next((token for token in waiting if token["tokenId"] == token_id), None)

    def _with_default_selection(self) -> "State":
        if self.is_chosen:
            return self
        for department in self.departments:
            waiting = self.waiting_in(department)
            if waiting is None:
                return self
            if waiting:
                return self.select(department)
        return replace(self, is_chosen=True)

    def _seated_tokens(self) -> list[TokenView]:
        return [token for queue in self._queues_here for token in seated(queue)]

    @property
    def _queues_here(self) -> list[QueueView]:
        """The queues in the branch of the selected department: another branch has other counters of the same names."""
        branch = self.queue["branchId"] if self.queue else None
        return [queue for queue in self.queues.values() if branch in (None, queue["branchId"])]


def _is_newer(token: TokenView, other: TokenView) -> bool:
    """Return whether ``token`` is a later version of ``other``, moved by someone else."""
    return token["tokenId"] == other["tokenId"] and token["claimVersion"] > other["claimVersion"]


def zone_of(queue: QueueView | None) -> str:
    """Return the time zone of the queue's branch; empty, meaning this machine's, if unknown."""
    return queue.get("timezone", "") if queue else ""


def seated(queue: QueueView | None) -> list[TokenView]:
    """Return the tokens at counters."""
    return [] if queue is None else [*queue["called"], *queue["serving"]]


def is_cut(state: State) -> bool:
    """Return whether the queue is longer than the page that was fetched."""
    return state.queue is not None and state.queue["counts"]["waiting"] > len(state.queue["waiting"])
