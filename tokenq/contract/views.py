"""The JSON objects of the HTTP API as typed dictionaries; their keys are the wire's own camelCase.

Times are RFC 3339 in UTC, days ``YYYY-MM-DD``; what is unknown or not for the reader's eyes is null.
"""

from typing import Any, NotRequired

from typing_extensions import TypedDict


class TokenView(TypedDict):
    """One token. ``name``, ``email`` and ``userId`` are null unless the reader is staff of the department or the owner.

    ``position`` counts from 1 (the next to be called) and is null unless the token waits. ``moves``
    are the verbs that the token's state allows now. ``reason`` is the rule that chose a called token.
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
    estimate: dict[str, Any] | None
    moves: list[str]


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
    """One department's queue now. ``waiting`` is in the order of calling and holds at most one page."""

    departmentId: str
    name: str
    branchId: str
    businessDay: str
    open: bool
    waiting: list[TokenView]
    called: list[TokenView]
    serving: list[TokenView]
    parked: list[TokenView]
    counts: Counts
    estimate: dict[str, Any] | None
    seq: int


class NextView(TypedDict):
    """Who would be called now, and the rule that says so; ``token`` is null on an empty queue."""

    departmentId: str
    token: TokenView | None
    reason: str | None


class DepartmentView(TypedDict):
    """A department. ``ratio`` is ``"2:1"``: so many priority calls to so many normal ones."""

    departmentId: str
    name: str
    branchId: str
    open: bool
    prefix: str
    numberFormat: str
    ratio: str
    maxWaitMinutes: int


class BranchView(TypedDict):
    """A site: its IANA time zone and the hour (0-23) at which its business day begins."""

    branchId: str
    name: str
    timezone: str
    rolloverHour: int


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
