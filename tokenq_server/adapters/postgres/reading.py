"""Looking up queues and tokens in Postgres."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, func, literal_column, select, text, true, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from tokenq.contract.numbers import readings, spellings
from tokenq.contract.words import LIVE, Priority, TokenState
from tokenq_server.adapters.postgres.counters import read_counters
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.places import DEPARTMENT
from tokenq_server.adapters.postgres.rows import department_from, standing_from, token_from
from tokenq_server.adapters.postgres.tables import branch, department, dept_state, outbox, token
from tokenq_server.domain.naming import Printed
from tokenq_server.domain.token import Token, Whereabouts
from tokenq_server.services.near_turn import Wish
from tokenq_server.services.reading import Snapshot, Sought

# In the words of the index of live numbers: as parameters it would not be used.
_IS_LIVE: ColumnElement[bool] = literal_column("token.state IN ('WAITING', 'CALLED', 'SERVING', 'PARKED')", Boolean())


class PostgresReading:
    """Reads; every answer is one consistent moment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def snapshot(self, department_id: str, heads: int) -> Snapshot | None:
        """A department now; all its parts from the same snapshot."""
        query = (
            select(
                *DEPARTMENT,
                dept_state,
                func.clock_timestamp().label("now"),
            )
            .join(dept_state, dept_state.c.department_id == department.c.department_id)
            .join(branch, branch.c.branch_id == department.c.branch_id)
            .where(department.c.department_id == department_id, ~department.c.is_archived)
        )
        async with self._database.begin() as connection:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            found = (await connection.execute(query)).mappings().one_or_none()
            if found is None:
                return None
            row = dict(found)
            standing = standing_from(row)
            busy = await _busy(connection, department_id)
            return Snapshot(
                department=department_from(row),
                standing=standing,
                now=row["now"],
                line=await _heads(connection, department_id, heads),
                busy=busy,
                counts=await _counts(connection, department_id, standing.day, standing.waiting, busy),
                counters=await read_counters(connection, row["branch_id"]),
            )

    async def near_turn_wishes(self) -> list[Wish]:
        """The departments in which somebody who waits wants to be told and was not yet."""
        query = (
            select(token.c.department_id, func.max(token.c.near_turn).label("furthest"))
            .where(token.c.state == "WAITING", token.c.near_turn > 0, ~token.c.is_near_told)
            .group_by(token.c.department_id)
        )
        async with self._database.begin() as connection:
            return [Wish(row.department_id, row.furthest) for row in await connection.execute(query)]

    async def token(self, token_id: int) -> Token | None:
        """One token."""
        async with self._database.begin() as connection:
            row = (await connection.execute(select(token).where(token.c.token_id == token_id))).one_or_none()
            return _token(row) if row is not None else None

    async def whereabouts(self, token_id: int) -> Whereabouts | None:
        """Where one token is."""
        here = token.c
        facts = (here.department_id, here.user_id, here.issued_in, here.display, here.counter_id, here.undo)
        async with self._database.begin() as connection:
            row = (await connection.execute(select(*facts).where(here.token_id == token_id))).one_or_none()
        if row is None:
            return None
        was = row.undo["was"] if row.undo else {}
        return Whereabouts(
            department_id=row.department_id,
            user_id=row.user_id,
            printed=(row.issued_in, row.display),
            back_to=was.get("department_id"),
            back_to_counter=was.get("counter_id", row.counter_id),
        )

    async def ahead_in_class(self, one: Token) -> int:
        """How many of its class wait before it."""
        query = (
            select(func.count())
            .select_from(token)
            .where(
                token.c.department_id == one.department_id,
                token.c.priority == str(one.priority),
                token.c.state == "WAITING",
                tuple_(token.c.place, token.c.token_id) < tuple_(one.place, one.token_id),
            )
        )
        async with self._database.begin() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def tokens(self, sought: Sought) -> list[Token]:
        """Tokens by falling id."""
        query = select(token).where(*_sought(sought)).order_by(token.c.token_id.desc()).limit(sought.limit)
        async with self._database.begin() as connection:
            return [_token(row) for row in await connection.execute(query)]

    async def numbered(self, typed: str, day: date | None, user_id: int | None) -> list[Printed]:
        """Tokens by falling id that may be meant by a typed number."""
        own_day = dept_state.c.day
        number_start = func.coalesce(department.c.rules["numberStart"].as_integer(), 1)
        # Each part is found by an index: the live ones as they are printed, the others by department, day and number.
        # Yesterday's last moves may still be taken back.
        is_number = token.c.number.in_([number - number_start + 1 for number in {one for _, one in readings(typed)}])
        is_undoable = and_(token.c.day == own_day - 1, token.c.undo.is_not(None), is_number)
        whens = [_IS_LIVE, and_(token.c.day == own_day, is_number), is_undoable]
        if day is not None:
            whens = [token.c.day == day]
        is_own = true() if user_id is None else token.c.user_id == user_id
        parts = [
            select(
                token,
                department.c.prefix,
                number_start.label("number_start"),
                own_day.label("today"),
                department.c.is_archived,
            )
            .join(department, department.c.department_id == token.c.issued_in)
            .join(dept_state, dept_state.c.department_id == token.c.issued_in)
            .where(token.c.display.in_(spellings(typed)), when, is_own)
            for when in whens
        ]
        async with self._database.begin() as connection:
            rows = [row for part in parts for row in (await connection.execute(part)).mappings()]
        found = {row["token_id"]: _printed(dict(row)) for row in rows}
        return [found[token_id] for token_id in sorted(found, reverse=True)]

    async def history(self, token_id: int) -> list[tuple[dict[str, Any], str | None]]:
        """A token's events in the order they happened, each with what was written about it."""
        mine = select(outbox.c.payload, outbox.c.note).where(outbox.c.token_id == token_id)
        async with self._database.begin() as connection:
            rows = await connection.execute(mine.order_by(outbox.c.at, outbox.c.seq))
            return [(json.loads(row.payload), row.note) for row in rows]


def _sought(sought: Sought) -> Iterator[ColumnElement[bool]]:
    """What a list asks of each of its tokens, but for the number."""
    if sought.department_id is not None:
        yield token.c.department_id == sought.department_id
    if sought.states:
        yield token.c.state.in_([str(state) for state in sought.states])
    if sought.user_id is not None:
        yield token.c.user_id == sought.user_id
    if sought.day is not None:
        yield token.c.day == sought.day
    if sought.before is not None:
        yield token.c.token_id < sought.before


async def _heads(connection: AsyncConnection, department_id: str, count: int) -> list[Token]:
    one_class = [
        select(token)
        .where(token.c.department_id == department_id, token.c.state == "WAITING", token.c.priority == str(name))
        .order_by(token.c.place, token.c.token_id)
        .limit(count)
        .subquery()
        for name in Priority
    ]
    rows = await connection.execute(union_all(*(select(part) for part in one_class)))
    return [_token(row) for row in rows]


async def _busy(connection: AsyncConnection, department_id: str) -> list[Token]:
    busy = ("CALLED", "SERVING", "PARKED")
    query = select(token).where(token.c.department_id == department_id, token.c.state.in_(busy))
    return [_token(row) for row in await connection.execute(query.order_by(token.c.called_at.desc()))]


async def _counts(
    connection: AsyncConnection, department_id: str, day: Any, waiting: dict[Priority, int], busy: Sequence[Token]
) -> dict[TokenState, int]:
    query = (
        select(token.c.state, func.count().label("count"))
        .where(token.c.department_id == department_id, token.c.day == day)
        .group_by(token.c.state)
    )
    counts = {TokenState(row.state): int(row._mapping["count"]) for row in await connection.execute(query)}
    # Somebody of yesterday may still be served: who is here is counted, whatever the day of the number.
    here = Counter(one.state for one in busy)
    live = {state: here[state] for state in LIVE} | {TokenState.WAITING: sum(waiting.values())}
    return counts | live


def _printed(row: dict[str, Any]) -> Printed:
    settings = {name: row.pop(name) for name in ("prefix", "number_start", "today", "is_archived")}
    return Printed(token_from(row), **settings)


def _token(row: Any) -> Token:
    return token_from(dict(row._mapping))
