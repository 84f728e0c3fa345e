"""Keeps the departments' queues up to date: one thread follows the events, one fetches what has changed.

Events only say that a queue changed. Without events all queues are fetched every few seconds.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from textual.message import Message

from tokenq import locale
from tokenq.client.events import Arrival, EventArrived, LinkChanged
from tokenq.contract.enums import Role, SelfService
from tokenq.contract.events import EventType
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.views import BranchView, DepartmentView, MeView, QueueView
from tokenq.errors import TokenqError
from tokenq.locale import texts
from tokenq_tui.desk.messages import DepartmentsLoaded, Failed, LinkMoved, NoSelfService, QueueArrived
from tokenq_tui.desk.state import chosen
from tokenq_tui.faults import describe, failure_sentence
from tokenq_tui.lasting import start_lasting
from tokenq_tui.link_badge import Health

POLL_SECONDS = 3.0
REASSURE_SECONDS = 10.0
LOAD_SECONDS = 300.0
"""How often to look for new departments."""
_TOGETHER_SECONDS = 0.1
_ISSUERS = frozenset({Role.ADMIN, Role.STAFF, Role.DESK})
_FINAL = {ProblemCode.UNAUTHENTICATED: 5, ProblemCode.FORBIDDEN: 5}
Feed = Callable[[Sequence[str], threading.Event], Iterator[Arrival]]


class Reader(Protocol):
    """What the tail asks; implemented by :class:`tokenq.client.Client`."""

    def me(self) -> MeView:
        """Return the signed-in user or key."""

    def departments(self) -> list[DepartmentView]:
        """Return all departments."""

    def branch(self, branch: str) -> BranchView:
        """Return one branch."""

    def queue(self, department: str) -> QueueView:
        """Return a department's queue."""


class Tail:
    """Posts messages by ``notify`` from :meth:`start` to :meth:`stop`.

    With ``self_service`` there are only departments that let customers take their numbers themselves.
    """

    def __init__(
        self,
        api: Reader,
        feed: Feed,
        wanted: Sequence[str],
        notify: Callable[[Message], object],
        *,
        self_service: bool = False,
    ) -> None:
        self._api, self._feed, self._wanted, self._notify = api, feed, wanted, notify
        self._self_service = self_service
        self._stop, self._cut = threading.Event(), threading.Event()
        self._work = threading.Condition()
        self._departments: tuple[str, ...] = ()
        self._followed: tuple[str, ...] = ()
        """More than are shown, where one of them may begin to be."""
        self._changed: set[str] = set()
        self._load_at = 0.0
        self._is_live = False
        self._told: LinkMoved | None = None

    def start(self) -> None:
        """Start."""
        self._begin("desk-fetch", self._fetch_changes)

    def stop(self) -> None:
        """Stop, without waiting for a silent server."""
        self._stop.set()
        self._cut.set()
        with self._work:
            self._work.notify_all()

    def refresh(self, *departments: str) -> None:
        """Fetch these queues now; all, if none are given."""
        with self._work:
            self._changed.update(departments or self._departments)
            self._work.notify_all()

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        start_lasting(name, work, self._tell_failure, self._stop, POLL_SECONDS)

    def _fetch_changes(self) -> None:
        while not self._stop.is_set():
            if time.monotonic() >= self._load_at:
                # Noted before it asks: what changes meanwhile is asked for again.
                self._load_at = time.monotonic() + LOAD_SECONDS
                self._load()
            for department in self._next():
                self._notify(QueueArrived(self._api.queue(department)))
            self._tell(Health.LIVE if self._is_live else Health.STALE)

    def _load(self) -> None:
        me, said = self._api.me(), texts()
        followed = chosen(self._api.departments(), self._wanted, me["departments"])
        if me["role"] not in _ISSUERS:
            self._load_at = 0.0
            refused = said.gettext("{name} may not issue numbers to others.", name=me["name"])
            self._notify(Failed(refused, said.gettext("Sign in with the role 'desk'."), 5))
        elif not followed:
            self._load_at = 0.0
            nowhere = said.gettext("There is no department in which you may issue.")
            self._notify(Failed(nowhere, said.gettext("Ask an admin."), 3))
        else:
            self._show(followed)
            before, self._followed = self._followed, tuple(each["departmentId"] for each in followed)
            if not before:
                self._begin("desk-follow", self._follow)
            elif before != self._followed:
                self._cut.set()

    def _show(self, followed: Sequence[DepartmentView]) -> None:
        """Tell which departments there are now."""
        shown = [each for each in followed if not self._self_service or each["selfService"] == SelfService.ON]
        branch = self._api.branch((shown or followed)[0]["branchId"])
        self._departments = tuple(each["departmentId"] for each in shown)
        self._notify(DepartmentsLoaded(shown, branch))
        if not shown:
            self._notify(NoSelfService())
        self.refresh()

    def _next(self) -> list[str]:
        """Return the departments to fetch: those that have changed, or after a while all."""
        with self._work:
            is_idle = not self._changed and not self._stop.is_set()
            if is_idle and not self._work.wait(REASSURE_SECONDS if self._is_live else POLL_SECONDS):
                self._changed.update(self._departments)
        self._stop.wait(_TOGETHER_SECONDS)
        with self._work:
            changed, self._changed = self._changed, set()
        return sorted(changed.intersection(self._departments))

    def _follow(self) -> None:
        self._cut = threading.Event()
        if self._stop.is_set():  # it may have been before there was this event to set
            return
        try:
            for arrival in self._feed(self._followed, self._cut):
                match arrival:
                    case EventArrived(event) if event.event_type == EventType.DEPARTMENT_CHANGED:
                        self._load_at = 0.0
                        self.refresh(event.department_id)
                    case EventArrived(event):
                        self.refresh(event.department_id)
                    case LinkChanged(is_live):
                        self._is_live = is_live
                        self.refresh()
                    case _:
                        self.refresh()
        finally:
            self._is_live = False

    def _tell_failure(self, error: Exception) -> None:
        if isinstance(error, Refused) and error.problem.code in _FINAL:
            code = _FINAL[error.problem.code]
            self._notify(Failed(locale.sentence(error.problem), locale.hint(error.problem), code))
        why = failure_sentence(error) if isinstance(error, Refused | TokenqError) else describe(error)
        self._tell(Health.OFFLINE, why)
        self._load_at = 0.0  # a department may be gone
        with self._work:
            self._changed.update(self._departments)

    def _tell(self, health: Health, why: str = "") -> None:
        if self._told is None or (self._told.health, self._told.why) != (health, why):
            self._told = LinkMoved(health, why)
            self._notify(self._told)
