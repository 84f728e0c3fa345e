"""Read access to queues and tokens."""

from collections import Counter as Counter_
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Protocol

from tokenq.contract.enums import Priority, TokenState
from tokenq.contract.views import CounterView, EstimateView, LetterView, QueueView, TokenView
from tokenq_server.domain.business_day import business_day
from tokenq_server.domain.counters import Counter
from tokenq_server.domain.department import Department, DepartmentHead
from tokenq_server.domain.estimate import Forecast
from tokenq_server.domain.free_text import with_note
from tokenq_server.domain.permissions import owner_to_list, sees, sees_people_of, sees_person
from tokenq_server.domain.policy import Choice, Waiting, in_order, position
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.refusals import unknown_department, unknown_token
from tokenq_server.domain.rules import Rules
from tokenq_server.domain.token import Token, Whereabouts
from tokenq_server.domain.token_lookup import Printed, named
from tokenq_server.domain.wait_alarms import WaitAlarm, WaitFigures, wait_alarms
from tokenq_server.services.event_views import without_people
from tokenq_server.services.log_retention import History
from tokenq_server.services.views import alarm_views, counter_view, counts_view, opening_view, token_view

PAGE = 100


@dataclass(frozen=True)
class Snapshot:
    """One department at one moment.

    The heads of its queue, the tokens at counters and parked, today's counts if asked for, and the counters of its
    branch, each with the token it holds. ``forgotten`` are the ids of tokens that were presumably forgotten at a
    counter.
    """

    department: Department
    head: DepartmentHead
    now: datetime
    line: list[Token]
    busy: list[Token]
    counts: dict[TokenState, int]
    counters: list[tuple[Counter, Token | None]]
    forgotten: frozenset[int] = frozenset()


@dataclass(frozen=True)
class TokenFilter:
    """The filter of a token list; ``before`` is the id below which the next page starts.

    ``number`` is a typed number: it selects every token that it may refer to now or, with a ``day``, on that day.
    """

    department_id: str | None = None
    states: tuple[TokenState, ...] = ()
    user_id: int | None = None
    day: date | None = None
    number: str | None = None
    before: int | None = None
    limit: int = PAGE

    def fits(self, token: Token) -> bool:
        """Whether a token passes the filter, ignoring number, day and owner."""
        return (
            (self.department_id is None or token.department_id == self.department_id)
            and (not self.states or token.state in self.states)
            and (self.before is None or token.token_id < self.before)
        )


class QueryStore(Protocol):
    """Storage of queues and tokens, for reading."""

    async def snapshot(self, department_id: str, heads: int, *, is_counted: bool = False) -> Snapshot | None:
        """Return a department's current state, with the first ``heads`` of each class; ``None`` if there is none.

        Today's ``counts`` are there if ``is_counted``; of very many tokens they may be seconds old.
        """

    async def token(self, token_id: int) -> Token | None:
        """One token."""

    async def whereabouts(self, token_id: int) -> Whereabouts | None:
        """Return where a token is."""

    async def ahead_in_class(self, token: Token) -> int:
        """Return how many of its class wait before a waiting token."""

    async def tokens(self, token_filter: TokenFilter) -> list[Token]:
        """Return tokens by descending id, ignoring the number."""

    async def numbered(self, typed: str, day: date | None, user_id: int | None) -> list[Printed]:
        """Return tokens by descending id that a typed number may refer to: on that day, else now."""

    async def history(self, token_id: int) -> History:
        """Return what the log has of a token."""

    async def letters(self, token_id: int) -> Sequence[LetterView]:
        """Return a token's notifications, oldest first."""


class Queries:
    """Answers questions about queues and tokens, showing each reader only what they may see."""

    def __init__(
        self,
        store: QueryStore,
        forecast_of: Callable[[str], Forecast | None],
        all_waits: Callable[[], Mapping[str, tuple[Rules, WaitFigures]]] = dict,
    ) -> None:
        """``all_waits`` returns the last known waits per department, with the rules that they are judged by."""
        self._store, self._all_waits = store, all_waits
        self.forecast_of = forecast_of

    async def queue(self, department_id: str, reader: Principal, limit: int = PAGE) -> QueueView:
        """Return the department's current queue. Raises Refused."""
        snapshot = await self.snapshot(department_id, limit, is_counted=True)
        forecast = self.forecast_of(department_id)
        shows = sees_people_of(reader, department_id)
        department, choices = snapshot.department, order_of_calling(snapshot, limit)
        return {
            "departmentId": department_id,
            "name": department.name,
            "branchId": department.branch_id,
            "timezone": department.timezone,
            "businessDay": _day(snapshot).isoformat(),
            "open": department.is_open,
            "waiting": _waiting(snapshot, choices, forecast, shows),
            "called": _views(snapshot, TokenState.CALLED, shows),
            "serving": _views(snapshot, TokenState.SERVING, shows),
            "parked": _views(snapshot, TokenState.PARKED, shows),
            "counts": counts_view(snapshot.counts),
            "estimate": estimate_of_newcomer(snapshot, forecast),
            "seq": snapshot.head.last_seq,
            "opening": opening_view(snapshot.department, snapshot.now),
            "nextReason": choices[0].rule if choices else None,
            "counters": _counters(snapshot, department_id, shows),
            "alarms": alarm_views(self._waits(snapshot), department.rules),
            "classNames": {str(name): label for name, label in department.rules.class_names.items()},
        }

    def waits(self) -> dict[str, tuple[WaitFigures, list[WaitAlarm]]]:
        """Return the last known waits of all departments, and which alarms are on."""
        return {name: (figures, wait_alarms(figures, rules)) for name, (rules, figures) in self._all_waits().items()}

    def _waits(self, snapshot: Snapshot) -> WaitFigures:
        """The last known waits of a department, for those who wait in it now."""
        _, figures = self._all_waits().get(snapshot.department.department_id, (None, WaitFigures()))
        return figures.among(sum(snapshot.head.waiting.values()))

    async def token(self, token_id: int, reader: Principal) -> TokenView:
        """Return a token with its position. Raises Refused, also if the reader may not see it."""
        token = await self.find(token_id, reader)
        if token.state is not TokenState.WAITING:
            return token_view(token, datetime.now(UTC), shows_person=sees_person(reader, token))
        return await self.token_in(await self.snapshot(token.department_id, 1), token, reader)

    async def token_in(self, snapshot: Snapshot, token: Token, reader: Principal) -> TokenView:
        """Return a token as of a snapshot of its department, with its position if it waits."""
        shows = sees_person(reader, token)
        if token.state is not TokenState.WAITING:
            return token_view(token, snapshot.now, shows_person=shows)
        head, index = snapshot.head, await self._store.ahead_in_class(token) + 1
        ratio = snapshot.department.policy.ratio
        place = position(token.priority, index, head.waiting, head.turn, ratio)
        estimate = _estimate(self.forecast_of(token.department_id), token.priority, index)
        return token_view(token, snapshot.now, place, estimate, shows_person=shows)

    async def find(self, token_id: int, reader: Principal) -> Token:
        """Return the token itself. Raises Refused, also if the reader may not see it."""
        token = await self._store.token(token_id)
        if token is None or not sees(reader, token):
            raise unknown_token(token_id)
        return token

    async def whereabouts(self, token_id: int, caller: Principal) -> Whereabouts:
        """Return where a token is, in order to move it. Raises Refused (``unknown_token``)."""
        whereabouts = await self._store.whereabouts(token_id)
        if whereabouts is None or not sees(caller, whereabouts):
            raise unknown_token(token_id)
        return whereabouts

    async def tokens(self, token_filter: TokenFilter, reader: Principal) -> list[TokenView]:
        """Return a page of tokens by descending id."""
        now = datetime.now(UTC)
        token_filter = replace(token_filter, user_id=owner_to_list(reader, token_filter.user_id))
        tokens = await (
            self._store.tokens(token_filter) if token_filter.number is None else self._with_number(token_filter, now)
        )
        return [
            token_view(token, now, shows_person=sees_person(reader, token)) for token in tokens if sees(reader, token)
        ]

    async def _with_number(self, token_filter: TokenFilter, now: datetime) -> list[Token]:
        """Resolve the number to candidates, then apply the other filters."""
        typed = token_filter.number or ""
        printed = await self._store.numbered(typed, token_filter.day, token_filter.user_id)
        of_that_day = (candidate.token for candidate in printed if candidate.is_meant(typed))
        tokens = named(typed, printed, now) if token_filter.day is None else of_that_day
        return [token for token in tokens if token_filter.fits(token)][: token_filter.limit]

    async def events(self, token_id: int, reader: Principal) -> tuple[list[dict[str, Any]], date | None]:
        """Return a token's events, with notes if the reader is staff of the department; and from when on it has all.

        Raises:
            Refused: ``unknown_token``.
        """
        token, history = await self.find(token_id, reader), await self._store.history(token_id)
        events = [
            with_note(event, note if sees_people_of(reader, event["departmentId"]) else None)
            for event, note in history.events
        ]
        visible = events if sees_person(reader, token) else [without_people(event) for event in events]
        return visible, history.kept_from

    async def letters(self, token_id: int, reader: Principal) -> list[LetterView]:
        """Return a token's notifications if the reader may know whose it is. Raises Refused (``unknown_token``)."""
        is_shown = sees_person(reader, await self.find(token_id, reader))
        return list(await self._store.letters(token_id)) if is_shown else []

    async def snapshot(self, department_id: str, heads: int, *, is_counted: bool = False) -> Snapshot:
        """Return a department with the first ``heads`` of each class. Raises Refused (``unknown_department``)."""
        snapshot = await self._store.snapshot(department_id, heads, is_counted=is_counted)
        if snapshot is None:
            raise unknown_department(department_id)
        return snapshot


def _day(snapshot: Snapshot) -> date:
    """The department's business day; before its first event, the branch's today."""
    if snapshot.head.day.year > 1:
        return snapshot.head.day
    department = snapshot.department
    return business_day(snapshot.now, department.timezone, department.rollover_hour, snapshot.head.day)


def order_of_calling(snapshot: Snapshot, limit: int) -> list[Choice]:
    """Return the first ``limit`` tokens in the order in which they would be called if nobody else came."""
    line = (Waiting(token.token_id, token.priority, token.place, token.waiting_since) for token in snapshot.line)
    return list(islice(in_order(line, snapshot.head.turn, snapshot.department.policy, snapshot.now), limit))


def estimate_of_newcomer(snapshot: Snapshot, forecast: Forecast | None) -> EstimateView | None:
    """Return the wait of a new customer in the normal class."""
    return _estimate(forecast, Priority.NORMAL, snapshot.head.waiting.get(Priority.NORMAL, 0) + 1)


def _estimate(forecast: Forecast | None, priority: Priority, index: int) -> EstimateView | None:
    return forecast.at(priority, index).view() if forecast else None


def _waiting(snapshot: Snapshot, choices: list[Choice], forecast: Forecast | None, shows: bool) -> list[TokenView]:
    tokens = {token.token_id: token for token in snapshot.line}
    index: Counter_[Priority] = Counter_()
    views = []
    for place, choice in enumerate(choices, 1):
        token = tokens[choice.waiting.token_id]
        index[token.priority] += 1
        estimate = _estimate(forecast, token.priority, index[token.priority])
        views.append(token_view(token, snapshot.now, place, estimate, shows_person=shows))
    return views


def _views(snapshot: Snapshot, state: TokenState, shows: bool) -> list[TokenView]:
    views = [token_view(token, snapshot.now, shows_person=shows) for token in snapshot.busy if token.state is state]
    for view in views:
        if state is not TokenState.PARKED:
            view["isForgotten"] = view["tokenId"] in snapshot.forgotten
    return views


def _counters(snapshot: Snapshot, department_id: str, shows_people: bool) -> list[CounterView]:
    views = [
        counter_view(counter, held, snapshot.forgotten)
        for counter, held in snapshot.counters
        if counter.serves(department_id)
    ]
    return views if shows_people else [{**view, "operator": None, "reason": None} for view in views]
