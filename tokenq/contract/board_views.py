"""The public state of a branch, as boards get it to begin with: numbers and counters, never people."""

from typing import NotRequired

from typing_extensions import TypedDict

from tokenq.contract.views import HoursDocument

RECENT_CALLS = 24
"""How many of its last calls a board remembers of each department."""


class BoardCallView(TypedDict):
    """The last call of a token. ``seq`` and ``eventId`` are those of the event that called it, ``times`` counts calls.

    ``state`` is ``CALLED`` or ``SERVING`` while the token is at the counter, ``SERVED`` or ``NO_SHOW`` afterwards.
    """

    tokenId: int
    displayNumber: str
    counterId: str | None
    state: str
    times: int
    calledAt: str
    seq: int
    eventId: str


class BoardExpiredView(TypedDict):
    """Who was still waiting when the last business day ended, and when that was."""

    tokenIds: list[int]
    at: str


class BoardEstimateView(TypedDict):
    """The expected wait of a new customer in the normal class, in minutes."""

    lowMinutes: int
    highMinutes: int


class BoardDepartmentView(TypedDict):
    """A department as of ``seq``: events above it are news.

    ``hours`` are its own or the branch's, null for always open. ``waiting`` counts who waits, ``waitingIds`` are their
    token ids: an event names the token that leaves. ``calls`` are those at counters and the last others of the business
    day, newest first. ``paused`` are its counters that call nobody now. ``expired`` is null if nobody expired lately.
    ``estimate`` is null while it is unknown.
    """

    departmentId: str
    name: str
    open: bool
    timezone: str
    hours: HoursDocument | None
    businessDay: str
    seq: int
    lastEventAt: str
    waiting: int
    waitingIds: list[int]
    calls: list[BoardCallView]
    paused: list[str]
    expired: BoardExpiredView | None
    estimate: NotRequired[BoardEstimateView | None]


class BoardView(TypedDict):
    """The public state of a branch at the server's time ``at``.

    ``languages`` and ``counterWords`` as in the branch.

    ``position`` is the ``Last-Event-ID`` from which its events follow without gap.
    """

    at: str
    branchId: str
    name: str
    timezone: str
    languages: list[str]
    counterWords: dict[str, str]
    departments: list[BoardDepartmentView]
    position: str
