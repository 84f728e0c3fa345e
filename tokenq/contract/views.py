"""The JSON objects of the HTTP API as typed dictionaries; their keys are the wire's own camelCase.

Times are RFC 3339 in UTC, days ``YYYY-MM-DD``; what is unknown or not for the reader's eyes is null.
"""

from typing import NotRequired

from typing_extensions import TypedDict

from tokenq.contract.notice_views import AlarmView, OtherCounterView, UnservedView
from tokenq.contract.settings import DepartmentSettings


class EstimateView(TypedDict):
    """The wait from now in minutes, as a range; both null where it is not known, and then ``reason`` says why."""

    lowMinutes: int | None
    highMinutes: int | None
    reason: str | None


class TokenView(TypedDict):
    """One token. ``name``, ``email`` and ``userId`` are null unless the reader is staff of the department or the owner.

    ``position`` counts from 1 (the next to be called) and is null unless the token waits. ``moves``
    are the verbs that can be used on the token now. ``reason`` is the rule that chose a called token.
    ``estimate`` is the wait from now while the token waits; in the answer to an issue it is what was promised.
    ``nearTurn`` is the position at which the owner wants to be notified (0: none). ``returnsUntil`` is the last
    business day on which a final token can return to the queue; older servers omit it. ``isNewCounter`` is only
    present, and true, in the response to a call that created its counter. ``isForgotten``, in queues only, is true if
    it has been called or in service for at least the department's ``forgottenMinutes``. ``alsoAt``,
    in the response to a call only, are the other counters at which its registered user is now, if any. ``alsoWaiting``,
    in the response to an issue, edit or reinstate by workers only, are the other live numbers of the branch with the
    same e-mail address, if any.
    """

    tokenId: int
    tokenNo: int
    displayNumber: str
    departmentId: str
    branchId: str
    businessDay: str
    state: str
    priority: str
    userId: int | None
    name: str | None
    email: str | None
    counterId: str | None
    claimVersion: int
    calls: int
    reason: str | None
    position: int | None
    issuedAt: str
    calledAt: str | None
    startedAt: str | None
    servedAt: str | None
    returnsUntil: NotRequired[str | None]
    parkedUntil: str | None
    nearTurn: int
    language: str | None
    estimate: EstimateView | None
    moves: list[str]
    isNewCounter: NotRequired[bool]
    isForgotten: NotRequired[bool]
    alsoAt: NotRequired[list[OtherCounterView]]
    alsoWaiting: NotRequired[list[str]]


class LetterView(TypedDict):
    """A notification about a token, as it is now: ``at`` is when it was sent, else when it was queued."""

    kind: str
    channel: str
    state: str
    at: str


class CounterView(TypedDict):
    """A counter of a branch.

    ``departments`` is its work profile: what it serves, in order; empty means every department of the branch.
    ``state`` is ``OPEN``, ``PAUSED`` or ``CLOSED``; ``token`` is whom it holds now. ``operator`` is who has claimed it,
    and ``leaseUntil`` when that claim ends unless it is renewed. ``isDeclared`` tells a counter that an admin
    set up from one that exists since its first use. ``unattendedSince``, in lists of counters only, is when an open
    counter was last used that nobody claims and that holds nobody; null for others. ``unserved``, in the response to
    pause, close and leave only, are the departments it served that no other open counter serves and where customers
    wait.
    """

    branchId: str
    counterId: str
    state: str
    reason: str | None
    operator: str | None
    leaseUntil: str | None
    departments: list[str]
    isDeclared: bool
    unattendedSince: NotRequired[str | None]
    token: "HeldView | None"
    unserved: NotRequired[list[UnservedView]]


class HeldView(TypedDict):
    """Whom a counter holds.

    ``since`` is when that token was last called or its service began. ``isForgotten``, in lists of counters and in
    queues only, is true if that is at least the department's ``forgottenMinutes`` ago.
    """

    tokenId: int
    displayNumber: str
    departmentId: str
    state: str
    since: NotRequired[str | None]
    isForgotten: NotRequired[bool]


class OpeningView(TypedDict):
    """Whether tokens are issued now, by the hours and by hand, and when that changes next (RFC 3339, null: never)."""

    isOpen: bool
    opensAt: str | None
    closesAt: str | None


class Counts(TypedDict):
    """How many of the department's tokens of this business day are in each state."""

    waiting: int
    called: int
    serving: int
    parked: int
    served: int
    noShow: int
    cancelled: int
    expired: int


class QueueView(TypedDict):
    """One department's queue now. ``waiting`` is in the order of calling and holds at most one page.

    ``estimate`` is the wait of somebody who would come now in the normal class. ``nextReason`` is the rule
    by which the first in ``waiting`` is next. ``counters`` are those that serve this department. ``timezone`` is the
    branch's.
    """

    departmentId: str
    name: str
    branchId: str
    timezone: str
    businessDay: str
    open: bool
    waiting: list[TokenView]
    called: list[TokenView]
    serving: list[TokenView]
    parked: list[TokenView]
    counts: Counts
    estimate: EstimateView | None
    seq: int
    opening: OpeningView
    nextReason: str | None
    counters: list[CounterView]
    classNames: dict[str, str]
    alarms: NotRequired[list[AlarmView]]


class AheadView(TypedDict):
    """Somebody who will be called before, and the rule by which; no more than what the board shows."""

    position: int
    tokenId: int
    displayNumber: str
    priority: str
    rule: str


class WhyView(TypedDict):
    """Why a token is where it is.

    A waiting one: its ``position``, the ``rule`` by which it will be called, who goes before (``ahead``, at most a
    page of them; ``position`` counts them all) and the estimated wait. A called one: the ``rule`` stored with its call.
    ``policy`` is the department's order as one sentence.
    """

    token: TokenView
    position: int | None
    rule: str | None
    policy: str
    ahead: list[AheadView]
    estimate: EstimateView | None


class NextView(TypedDict):
    """Who would be called now, and the rule that says so; ``token`` is null on an empty queue."""

    departmentId: str
    token: TokenView | None
    reason: str | None
    policy: str
    estimate: EstimateView | None


class HoursDocument(TypedDict):
    """Opening hours: per weekday (``mon`` … ``sun``) a list of ``"08:00-12:00"``, and per date what holds instead."""

    weekly: dict[str, list[str]]
    exceptions: dict[str, list[str]]


class DepartmentView(DepartmentSettings, TypedDict):
    """A department. ``ratio`` is ``"2:1"``: so many priority calls to so many normal ones.

    0 stands for "no limit" in ``dailyCap`` and ``maxCalls``, and for "off" in ``undoMinutes`` and ``nearTurn``;
    ``hours`` null means the branch's hours, an empty list of ``counters`` any counter.
    ``serviceMinutes`` is what one person takes before today has taught better.
    """

    departmentId: str
    name: str
    branchId: str
    open: bool
    prefix: str
    numberFormat: str
    ratio: str
    maxWaitMinutes: int
    hours: HoursDocument | None


class BranchView(TypedDict):
    """A site: its IANA time zone, the hour (0-23) at which its business day begins, its hours (null: always open).

    ``languages`` are those of its screens, tickets and notifications, its own first. ``counterWords`` is what it calls
    a counter, by language. ``publicUrl`` is where customers reach the server with a browser; empty if they do not.
    """

    branchId: str
    name: str
    timezone: str
    rolloverHour: int
    hours: HoursDocument | None
    languages: list[str]
    counterWords: dict[str, str]
    publicUrl: str


class UserView(TypedDict):
    """A person. ``departments`` limits staff and desk users; empty means all of them."""

    userId: int
    username: str | None
    name: str
    email: str | None
    role: str
    departments: list[str]
    disabled: bool


class KeyView(TypedDict):
    """A long-lived key; ``key`` holds the secret and is present only in the answer that creates it."""

    keyId: int
    label: str
    role: str
    departments: list[str]
    createdAt: str
    lastUsedAt: str | None
    key: NotRequired[str]


class LoginView(TypedDict):
    """A new session: the bearer token, when it ends, and whose it is."""

    token: str
    expiresAt: str
    user: UserView


class MeView(TypedDict):
    """Who the caller is: a person's session or a key."""

    kind: str
    name: str
    role: str
    departments: list[str]
    userId: int | None
    mustChangePassword: bool


class RoleView(TypedDict):
    """A role and, in one sentence, what it may do."""

    role: str
    may: str
