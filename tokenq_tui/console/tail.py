"""The threads that keep the queues true: one follows the events, one fetches each queue that changed.

Events say only *that* a queue changed; the picture is always the server's own, fetched at once. It says up to which
entry of the log it is true, so the events of what it shows already, such as those of our own commands, ask for no
other one. While the events are cut off, the queues are fetched every few seconds, so the screen is late but never
wrong for long.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from textual.message import Message

from tokenq import locale
from tokenq.client.events import Arrival, EventArrived, LinkChanged
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.views import CounterView, DepartmentView, MeView, QueueView, TokenView
from tokenq.errors import TokenqError
from tokenq_tui.console.counter_lease import CounterApi
from tokenq_tui.console.errors import in_words
from tokenq_tui.console.messages import DepartmentsKnown, LinkMoved, QueueArrived, Trouble
from tokenq_tui.console.state import Department
from tokenq_tui.link_badge import Health

POLL_SECONDS = 3.0
"""How often the queues are fetched while no events come."""
REASSURE_SECONDS = 10.0
"""How often they are fetched although events come: a server that hangs is noticed by its silence."""

_TOGETHER = 0.03
_FINAL = {ProblemCode.UNAUTHENTICATED: 5, ProblemCode.FORBIDDEN: 5, ProblemCode.UNKNOWN_DEPARTMENT: 3}


class ApiPort(CounterApi, Protocol):
    """What the console asks of the server; :class:`tokenq.client.Client` is the real one."""

    def me(self) -> MeView:
        """Who we are."""

    def departments(self) -> list[DepartmentView]:
        """All departments."""

    def queue(self, department: str) -> QueueView:
        """One queue."""

    def call(
        self,
        department: str,
        counter: str,
        *,
        token_id: int | None = None,
        reason: str | None = None,
        key: str | None = None,
    ) -> TokenView:
        """Call the next one, or this one for a reason."""

    def serve_next(self, department: str, counter: str, *, key: str | None = None) -> TokenView:
        """Call and serve in one step."""

    def move(self, token: TokenView, verb: str, *, key: str | None = None, **body: Any) -> TokenView:
        """Do a verb to a token."""

    def call_at_counter(self, branch: str, counter: str, *, key: str | None = None) -> TokenView:
        """Call the next one by the counter's work profile."""

    def pause_counter(self, branch: str, counter: str, reason: str | None = None) -> CounterView:
        """Let the counter call nobody."""

    def tokens(self, *, department: str | None = None, state: Any = None, limit: int | None = None) -> Any:
        """A page of tokens, latest first."""


Feed = Callable[[Sequence[str], threading.Event], Iterator[Arrival]]
"""Follows the events of departments until the event is set: :func:`tokenq.client.events.follow` of one server."""


class Tail:
    """Keeps fetching from :meth:`start` to :meth:`stop` and tells everything by ``tell``."""

    def __init__(self, api: ApiPort, feed: Feed, departments: Sequence[str], tell: Callable[[Message], object]) -> None:
        self._api, self._feed, self._tell = api, feed, tell
        self._departments = tuple(departments)
        self._stop = threading.Event()
        self._cut = threading.Event()
        self._work = threading.Condition()
        self._changed: dict[str, float] = {}
        self._shown: dict[str, int] = {}
        self._is_asked_for = False
        self._places: list[Department] = []
        self._feed_lost_at: datetime | None = None
        self._fetched_at: datetime | None = None
        self._is_reachable = True
        self._broken: dict[str, datetime] = {}
        self._last_link: tuple[Health, datetime | None] | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin."""
        self._spawn(self._keep_fetching)

    def stop(self) -> None:
        """End the threads; does not wait for them, since the server may be silent."""
        self._stop.set()
        self._cut.set()
        with self._work:
            self._work.notify_all()

    def refresh(self, *departments: str) -> None:
        """Fetch these queues now (none given: all)."""
        with self._work:
            self._changed.update(dict.fromkeys(departments or self._departments, math.inf))
            self._is_asked_for = True
            self._work.notify_all()

    def _happened(self, department: str, seq: int) -> None:
        """Fetch a queue soon, unless the one that is shown by then tells of this entry."""
        with self._work:
            self._changed[department] = max(self._changed.get(department, 0), seq)
            self._work.notify_all()

    def _spawn(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._going_on, args=(target,), name=f"console-{target.__name__}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _going_on(self, work: Callable[[], None]) -> None:
        """Begin a thread's work again, whatever ended it, until :meth:`stop`."""
        while not self._stop.is_set():
            try:
                work()
            except Exception as error:
                self._failed(error)
            self._stop.wait(POLL_SECONDS)

    def _keep_fetching(self) -> None:
        while not self._stop.is_set() and not self._find_departments():
            self._stop.wait(1.0)
        if self._stop.is_set():
            return
        self._tell(DepartmentsKnown(self._departments, self._places))
        self.refresh()
        if len(self._threads) == 1:
            self._spawn(self._keep_following)
        while not self._stop.is_set():
            for department in self._next_changed():
                self._fetch(department)

    def _find_departments(self) -> bool:
        """Ask for the departments when none were given; true when they are known."""
        try:
            me = self._api.me()
            known = self._api.departments()
            self._places = [_place(view) for view in known]
            if not self._departments:
                self._departments = tuple(sorted(me["departments"] or (one.department_id for one in self._places)))
        except Exception as error:
            self._failed(error)
            return False
        self._broken.pop("", None)
        if not self._departments:
            self._tell(Trouble("There is no department yet.", "Create one: tokenq dept create NAME", 3))
        return bool(self._departments)

    def _next_changed(self) -> list[str]:
        with self._work:
            if not self._changed and not self._stop.is_set():
                is_polling = self._feed_lost_at is not None or not self._is_reachable or self._broken
                if not self._work.wait(POLL_SECONDS if is_polling else REASSURE_SECONDS):
                    self._changed.update(dict.fromkeys(self._departments, math.inf))
            # Events come in bursts: one fetch answers for all of them. Who has pressed a key does not wait for more.
            self._work.wait_for(lambda: self._is_asked_for or self._stop.is_set(), _TOGETHER)
            changed, self._changed, self._is_asked_for = self._changed, {}, False
        return sorted(name for name, seq in changed.items() if seq > self._shown.get(name, -1))

    def _fetch(self, department: str) -> None:
        if self._stop.is_set():
            return
        asked_at = time.monotonic()
        try:
            queue = self._api.queue(department)
        except Exception as error:
            if len(self._departments) > 1 and _is_unknown(error):
                self._departments = tuple(each for each in self._departments if each != department)
                self._tell(DepartmentsKnown(self._departments, self._places))
            else:
                self._failed(error, department)
        else:
            self._broken.pop(department, None)
            self._fetched_at, self._is_reachable = datetime.now(UTC), True
            self._shown[department] = queue["seq"]
            self._tell(QueueArrived(queue, asked_at))
            self._tell_link()

    def _failed(self, error: Exception, department: str = "") -> None:
        """Say why something could not be fetched: on the badge, and in words if nobody thought of that error."""
        if isinstance(error, Refused) and error.problem.code in _FINAL:
            self._tell(Trouble(locale.sentence(error.problem), locale.hint(error.problem), _FINAL[error.problem.code]))
        elif isinstance(error, Refused | TokenqError):
            self._is_reachable = False
            self._tell_link(str(error))
        else:
            words, is_new = in_words(error), department not in self._broken
            self._broken.setdefault(department, self._fetched_at or datetime.now(UTC))
            self._tell_link(words)
            if is_new:
                what = f"The queue of {department}" if department else "What the server tells"
                self._tell(Trouble(f"{what} cannot be read ({words}).", "It is asked for again every few seconds."))

    def _keep_following(self) -> None:
        # A feed that ends, ends its own event, which must not be that of the threads.
        self._cut = threading.Event()
        if self._stop.is_set():
            return
        try:
            for arrival in self._feed(self._departments, self._cut):
                self._broken.pop("", None)
                self._take_in(arrival)
        finally:
            self._feed_lost_at = self._feed_lost_at or datetime.now(UTC)
            self._tell_link()
            self.refresh()

    def _take_in(self, arrival: Arrival) -> None:
        if isinstance(arrival, EventArrived):
            self._happened(arrival.event.department_id, arrival.event.seq)
            return
        if isinstance(arrival, LinkChanged):
            self._feed_lost_at = None if arrival.is_live else datetime.now(UTC)
            if not arrival.is_live:
                self._tell_link(arrival.sentence)
        # After a gap nothing is known: fetch all, and turn to polling if the link is lost.
        self.refresh()

    def _tell_link(self, why: str = "") -> None:
        if not self._is_reachable:
            link = (Health.OFFLINE, self._fetched_at)
        elif self._broken:
            link = (Health.STALE, min(tuple(self._broken.values())))
        elif self._feed_lost_at is not None:
            link = (Health.STALE, self._feed_lost_at)
        else:
            link = (Health.LIVE, None)
        if link != self._last_link:
            self._last_link = link
            self._tell(LinkMoved(*link, why))


def _place(view: DepartmentView) -> Department:
    return Department(view["departmentId"], view["name"], view["branchId"], view.get("minCalls", 1))


def _is_unknown(error: Exception) -> bool:
    """Whether the department has been deleted meanwhile."""
    return isinstance(error, Refused) and error.problem.code == ProblemCode.UNKNOWN_DEPARTMENT
