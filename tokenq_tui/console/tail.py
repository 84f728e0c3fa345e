"""The threads that keep the queues up to date: one follows the events, one fetches each queue that changed.

Events only say *that* a queue changed; the queue itself is always fetched from the server. It includes the sequence
number it is current to, so events that it already includes, such as those of our own commands, cause no other fetch.
Without events, the queues are polled every few seconds, so the screen may lag but is never wrong for long.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from textual.message import Message

from tokenq import locale
from tokenq.client.events import Arrival, EventArrived, LinkChanged
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.views import DepartmentView, QueueView
from tokenq.errors import TokenqError
from tokenq.locale import texts
from tokenq_tui.console.api_port import ApiPort, Feed
from tokenq_tui.console.messages import DepartmentsLoaded, LinkMoved, QueueArrived, Trouble
from tokenq_tui.console.own_changes import OwnChange
from tokenq_tui.console.state import Department
from tokenq_tui.faults import describe, failure_sentence
from tokenq_tui.lasting import start_lasting
from tokenq_tui.link_badge import Health

POLL_SECONDS = 3.0
"""Interval of polling while there are no events."""
REASSURE_SECONDS = 10.0
"""Interval of polling despite a live event stream, to notice a server that hangs."""

_DEBOUNCE_SECONDS = 0.03
_FINAL = {ProblemCode.UNAUTHENTICATED: 5, ProblemCode.FORBIDDEN: 5, ProblemCode.UNKNOWN_DEPARTMENT: 3}


class Tail:
    """Fetches queues from :meth:`start` to :meth:`stop` and posts messages with ``notify``."""

    def __init__(
        self, api: ApiPort, feed: Feed, departments: Sequence[str], notify: Callable[[Message], object]
    ) -> None:
        self._api, self._feed, self._notify = api, feed, notify
        self._departments = tuple(departments)
        self._also: tuple[str, ...] = ()
        self._stop = threading.Event()
        self._cut = threading.Event()
        self._work = threading.Condition()
        self._changed: dict[str, float] = {}
        self._own: dict[str, OwnChange] = {}
        self._fetched: dict[str, tuple[QueueView, float]] = {}
        self._is_requested = False
        self._all_departments: list[Department] = []
        self._feed_lost_at: datetime | None = None
        self._fetched_at: datetime | None = None
        self._is_reachable = True
        self._broken: dict[str, datetime] = {}
        self._last_link: tuple[Health, datetime | None] | None = None
        self._is_following = False

    def start(self) -> None:
        """Start the threads."""
        self._begin("console-fetch", self._keep_fetching)

    def stop(self) -> None:
        """Stop the threads without waiting for them, since the server may be silent."""
        self._stop.set()
        self._cut.set()
        with self._work:
            self._work.notify_all()

    def refresh(self, *departments: str, after: OwnChange | None = None) -> None:
        """Fetch these queues now; all if none are given.

        ``after`` a change of our own, only if what is fetched by then does not show it.
        """
        with self._work:
            if after is None:
                self._changed.update(dict.fromkeys(departments or self._all, math.inf))
            else:
                self._own.update(dict.fromkeys(departments, after))
            self._is_requested = True
            self._work.notify_all()

    def follow_also(self, departments: Sequence[str]) -> None:
        """Fetch the queues of these departments, too, although they are not shown; they are polled."""
        with self._work:
            is_new, self._also = not set(departments) <= {*self._also}, tuple(departments)
        if is_new:
            self.refresh(*departments)

    def _note_change(self, department: str, seq: int) -> None:
        """Fetch a queue soon, unless the one shown by then already includes this entry."""
        with self._work:
            self._changed[department] = max(self._changed.get(department, 0), seq)
            self._work.notify_all()

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        start_lasting(name, work, self._show_failure, self._stop, POLL_SECONDS)

    def _keep_fetching(self) -> None:
        while not self._stop.is_set() and not self._find_departments():
            self._stop.wait(1.0)
        if self._stop.is_set():
            return
        self._notify(DepartmentsLoaded(self._departments, self._all_departments))
        self.refresh()
        if not self._is_following:
            self._is_following = True
            self._begin("console-follow", self._keep_following)
        while not self._stop.is_set():
            for department in self._next_changed():
                self._fetch(department)

    @property
    def _all(self) -> tuple[str, ...]:
        return (*self._departments, *self._also)

    def _find_departments(self) -> bool:
        """Fetch the departments; return whether there are any to serve."""
        try:
            me = self._api.me()
            self._all_departments = [_department(view) for view in self._api.departments()]
            if not self._departments:
                everything = [department.department_id for department in self._all_departments]
                self._departments = tuple(sorted(me["departments"] or everything))
        except Exception as error:
            self._show_failure(error)
            return False
        self._broken.pop("", None)
        if not self._departments:
            said = texts()
            hint = said.gettext("Create one: tokenq dept create NAME")
            self._notify(Trouble(said.gettext("There is no department yet."), hint, 3))
        return bool(self._departments)

    def _next_changed(self) -> list[str]:
        with self._work:
            if not self._changed and not self._own and not self._stop.is_set():
                is_polling = self._feed_lost_at is not None or not self._is_reachable or self._broken or self._also
                if not self._work.wait(POLL_SECONDS if is_polling else REASSURE_SECONDS):
                    self._changed.update(dict.fromkeys(self._all, math.inf))
            # Events come in bursts: one fetch covers all of them. A key press is not delayed.
            self._work.wait_for(lambda: self._is_requested or self._stop.is_set(), _DEBOUNCE_SECONDS)
            changed, self._changed, self._is_requested = self._changed, {}, False
            own, self._own = self._own, {}
        return sorted(self._outdated(changed, own))

    def _outdated(self, changed: Mapping[str, float], own: Mapping[str, OwnChange]) -> set[str]:
        """Return the departments whose queue, as last fetched, does not include what has changed."""
        fetched = self._fetched
        outdated = {name for name, seq in changed.items() if name not in fetched or seq > fetched[name][0]["seq"]}
        unseen = (name for name, change in own.items() if name not in fetched or not change.is_shown_by(*fetched[name]))
        return outdated.union(unseen)

    def _fetch(self, department: str) -> None:
        if self._stop.is_set():
            return
        requested_at = time.monotonic()
        try:
            queue = self._api.queue(department)
        except Exception as error:
            if department not in self._departments and isinstance(error, Refused):
                self._also = ()
            elif len(self._departments) > 1 and _is_unknown(error):
                self._departments = tuple(name for name in self._departments if name != department)
                self._notify(DepartmentsLoaded(self._departments, self._all_departments))
            else:
                self._show_failure(error, department)
        else:
            self._broken.pop(department, None)
            self._fetched_at, self._is_reachable = datetime.now(UTC), True
            self._fetched[department] = (queue, requested_at)
            self._notify(QueueArrived(queue, requested_at))
            self._tell_link()

    def _show_failure(self, error: Exception, department: str = "") -> None:
        """Show why a fetch failed: on the badge, and as a notice if the error was unexpected."""
        if isinstance(error, Refused) and error.problem.code in _FINAL:
            self._notify(
                Trouble(locale.sentence(error.problem), locale.hint(error.problem), _FINAL[error.problem.code])
            )
        elif isinstance(error, Refused | TokenqError):
            self._is_reachable = False
            self._tell_link(failure_sentence(error))
        else:
            description, is_new = describe(error), department not in self._broken
            self._broken.setdefault(department, self._fetched_at or datetime.now(UTC))
            self._tell_link(description)
            if is_new:
                self._notify(
                    Trouble(_unreadable(department, description), texts().gettext("Retrying every few seconds."))
                )

    def _keep_following(self) -> None:
        # A feed that ends sets its event, so it needs one of its own.
        self._cut = threading.Event()
        if self._stop.is_set():
            return
        try:
            for arrival in self._feed(self._departments, self._cut):
                self._broken.pop("", None)
                self._handle(arrival)
        finally:
            self._feed_lost_at = self._feed_lost_at or datetime.now(UTC)
            self._tell_link()
            self.refresh()

    def _handle(self, arrival: Arrival) -> None:
        if isinstance(arrival, EventArrived):
            self._note_change(arrival.event.department_id, arrival.event.seq)
            return
        if isinstance(arrival, LinkChanged):
            self._feed_lost_at = None if arrival.is_live else self._feed_lost_at or datetime.now(UTC)
            if not arrival.is_live:
                self._tell_link(arrival.sentence)
        # After a gap everything may have changed: fetch all, and start polling if the link is lost.
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
            self._notify(LinkMoved(*link, why))


def _unreadable(department: str, why: str) -> str:
    if department:
        return texts().gettext("The queue of {department} cannot be read ({error}).", department=department, error=why)
    return texts().gettext("The server's response cannot be read ({error}).", error=why)


def _department(view: DepartmentView) -> Department:
    return Department(view["departmentId"], view["name"], view["branchId"], view.get("minCalls", 1))


def _is_unknown(error: Exception) -> bool:
    """Return whether the department has been deleted in the meantime."""
    return isinstance(error, Refused) and error.problem.code == ProblemCode.UNKNOWN_DEPARTMENT
