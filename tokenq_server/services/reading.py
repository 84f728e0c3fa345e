"""Looking at queues and tokens; changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from tokenq.contract.views import Counts, NextView, QueueView, TokenView
from tokenq.contract.words import Role, TokenState
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.department import Department, Standing
from tokenq_server.domain.policy import Waiting, choose, in_order, position
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.refusals import unknown_department, unknown_token
from tokenq_server.domain.token import Token
from tokenq_server.services.views import token_view

PAGE = 100

HIDDEN: dict[str, Any] = {"email": None, "userId": None, "actor": ""}
"""What an event shows to those who may not know who is who."""


@dataclass(frozen=True)
class Snapshot:
    """One department at one moment: the heads of its line, everybody at a counter or parked, today's counts."""

    department: Department
    standing: Standing
    now: datetime
    line: list[Token]
    busy: list[Token]
    counts: dict[TokenState, int]


@dataclass(frozen=True)
class Sought:
    """Which tokens a list should hold; ``before`` is the id to page on below."""

    department_id: str | None = None
    states: tuple[TokenState, ...] = ()
    user_id: int | None = None
    day: date | None = None
    display: str | None = None
    before: int | None = None
    limit: int = PAGE


class ReadingStore(Protocol):
    """Where queues and tokens are looked up."""

    async def snapshot(self, department_id: str, heads: int) -> Snapshot | None:
        """A department now, with the first ``heads`` of each class in line; ``None`` if there is no such one."""

    async def token(self, token_id: int) -> Token | None:
        """One token."""

    async def ahead_in_class(self, token: Token) -> int:
        """How many of its class wait before a waiting token."""

    async def tokens(self, sought: Sought) -> list[Token]:
        """Tokens by falling id."""

    async def payloads(self, token_id: int) -> list[dict[str, Any]]:
        """A token's events in the order they happened, as on the wire."""


class Reading:
    """Answers questions about queues and tokens, showing each reader only what is theirs to see."""

    def __init__(self, store: ReadingStore) -> None:
        self._store = store

    async def queue(self, department_id: str, reader: Principal, limit: int = PAGE) -> QueueView:
        """The department's queue now. Raises Refused."""
        snapshot = await self._snapshot(department_id, limit)
        shows = reader.sees_people_of(department_id)
        department = snapshot.department
        return {
            "departmentId": department_id,
            "name": department.name,
            "branchId": department.branch_id,
            "businessDay": _day(snapshot).isoformat(),
            "open": department.is_open,
            "waiting": _waiting(snapshot, limit, shows),
            "called": _views(snapshot.busy, TokenState.CALLED, shows),
            "serving": _views(snapshot.busy, TokenState.SERVING, shows),
            "parked": _views(snapshot.busy, TokenState.PARKED, shows),
            "counts": _counts(snapshot.counts),
            "estimate": None,
            "seq": snapshot.standing.last_seq,
        }

    async def next(self, department_id: str, reader: Principal) -> NextView:
        """Who would be called now, and why. Raises Refused."""
        snapshot = await self._snapshot(department_id, 1)
        heads = {one.priority: _in_line(one) for one in snapshot.line}
        choice = choose(heads, snapshot.standing.turn, snapshot.department.policy, snapshot.now)
        if choice is None:
            return {"departmentId": department_id, "token": None, "reason": None}
        token = next(one for one in snapshot.line if one.token_id == choice.waiting.token_id)
        view = token_view(token, 1, shows_person=reader.sees_people_of(department_id))
        return {"departmentId": department_id, "token": view, "reason": choice.rule}

    async def token(self, token_id: int, reader: Principal) -> TokenView:
        """One token with its position. Raises Refused, also for one that is not the reader's to see."""
        token = await self.find(token_id, reader)
        place = None
        if token.state is TokenState.WAITING:
            snapshot = await self._snapshot(token.department_id, 1)
            standing, index = snapshot.standing, await self._store.ahead_in_class(token) + 1
            ratio = snapshot.department.policy.ratio
            place = position(token.priority, index, standing.waiting, standing.turn, ratio)
        return token_view(token, place, shows_person=_may_see_person(token, reader))

    async def find(self, token_id: int, reader: Principal) -> Token:
        """The token itself, for a move that is to follow. Raises Refused."""
        token = await self._store.token(token_id)
        if token is None or not _may_see(token, reader):
            raise unknown_token(token_id)
        return token

    async def tokens(self, sought: Sought, reader: Principal) -> list[TokenView]:
        """A page of tokens by falling id."""
        found = await self._store.tokens(sought)
        return [token_view(one, shows_person=_may_see_person(one, reader)) for one in found if _may_see(one, reader)]

    async def events(self, token_id: int, reader: Principal) -> list[dict[str, Any]]:
        """A token's history. Raises Refused."""
        token = await self.find(token_id, reader)
        hidden = {} if _may_see_person(token, reader) else HIDDEN
        return [payload | hidden for payload in await self._store.payloads(token_id)]

    async def _snapshot(self, department_id: str, heads: int) -> Snapshot:
        snapshot = await self._store.snapshot(department_id, heads)
        if snapshot is None:
            raise unknown_department(department_id)
        return snapshot


def _day(snapshot: Snapshot) -> date:
    """The department's business day; one in which nothing has happened yet is at the branch's today."""
    if snapshot.standing.last_seq:
        return snapshot.standing.day
    department = snapshot.department
    return business_day(snapshot.now, department.timezone, department.rollover_hour, snapshot.standing.day)


def _may_see(token: Token, reader: Principal) -> bool:
    return reader.role is not Role.CUSTOMER or (token.user_id is not None and token.user_id == reader.user_id)


def _may_see_person(token: Token, reader: Principal) -> bool:
    is_owner = token.user_id is not None and token.user_id == reader.user_id
    return is_owner or reader.sees_people_of(token.department_id)


def _in_line(token: Token) -> Waiting:
    return Waiting(token.token_id, token.priority, token.place, token.waiting_since)


def _waiting(snapshot: Snapshot, limit: int, shows: bool) -> list[TokenView]:
    known = {token.token_id: token for token in snapshot.line}
    line = in_order(map(_in_line, snapshot.line), snapshot.standing.turn, snapshot.department.policy, snapshot.now)
    return [
        token_view(known[choice.waiting.token_id], place, shows_person=shows)
        for place, choice in zip(range(1, limit + 1), line, strict=False)
    ]


def _views(tokens: Iterable[Token], state: TokenState, shows: bool) -> list[TokenView]:
    return [token_view(token, shows_person=shows) for token in tokens if token.state is state]


def _counts(counts: dict[TokenState, int]) -> Counts:
    def of(state: TokenState) -> int:
        return counts.get(state, 0)

    return {
        "waiting": of(TokenState.WAITING),
        "called": of(TokenState.CALLED),
        "serving": of(TokenState.SERVING),
        "parked": of(TokenState.PARKED),
        "served": of(TokenState.SERVED),
        "noShow": of(TokenState.NO_SHOW),
        "cancelled": of(TokenState.CANCELLED),
        "expired": of(TokenState.EXPIRED),
    }
