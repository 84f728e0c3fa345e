"""Reads queues and tokens from Postgres."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from psycopg.sql import SQL

from tokenq.contract.enums import LIVE, TokenState
from tokenq.contract.numbers import readings, spellings
from tokenq.contract.views import LetterView
from tokenq_server.adapters.postgres import statements as sql
from tokenq_server.adapters.postgres.connection import ONE_SNAPSHOT, Connection, Values
from tokenq_server.adapters.postgres.counters import read_counters, read_forgotten
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.department_rows import department_from, head_from
from tokenq_server.adapters.postgres.today_counts import TodayCounts
from tokenq_server.adapters.postgres.token_rows import token_from
from tokenq_server.domain.department import DepartmentHead
from tokenq_server.domain.token import TOKEN_FIELDS, Token, Whereabouts
from tokenq_server.domain.token_lookup import Printed
from tokenq_server.json_text import json_text
from tokenq_server.services.log_retention import History, kept_from
from tokenq_server.services.near_turn import NearTurnRequest
from tokenq_server.services.queries import Snapshot, TokenFilter
from tokenq_server.services.same_customer import AddressQuestion
from tokenq_server.services.views import instant

_HEAD = sql.statement("""
SELECT {department}, {head}, clock_timestamp() AS now
FROM department d
JOIN branch b USING (branch_id)
JOIN dept_state s USING (department_id)
WHERE d.department_id = %s AND NOT d.is_archived
""")

_BUSY = sql.statement("""
SELECT {token} FROM token WHERE department_id = %s AND state IN ('CALLED', 'SERVING', 'PARKED')
ORDER BY called_at DESC
""")

_WISHES = """
SELECT department_id, max(near_turn) AS furthest FROM token
WHERE state = 'WAITING' AND near_turn > 0 AND NOT is_near_told
GROUP BY department_id
"""

_WHEREABOUTS = "SELECT department_id, user_id, issued_in, display, counter_id, undo FROM token WHERE token_id = %s"

_AHEAD = """
SELECT count(*) AS count FROM token
WHERE department_id = %s AND priority = %s AND state = 'WAITING' AND (place, token_id) < (%s, %s)
"""

_HISTORY = "SELECT payload, note FROM outbox WHERE token_id = %s ORDER BY at, seq"

_LETTERS = """
SELECT kind, channel, state, coalesce(sent_at, created_at) AS at FROM mail_job WHERE token_id = %s
ORDER BY created_at, seq, kind, channel
"""

# Until when the departments lack entries in which the token is known to have been.
_DELETED = """
SELECT max(s.log_floor_day) AS day FROM token t JOIN dept_state s
  ON s.log_floor_day >= t.day AND (s.department_id IN (t.department_id, t.issued_in) OR s.department_id = ANY(%s))
WHERE t.token_id = %s
"""

_TOKENS = sql.statement("SELECT {token} FROM token")
_CONDITIONS = {
    "department_id": "department_id = %(department_id)s",
    "states": "state = ANY(%(states)s)",
    "user_id": "user_id = %(user_id)s",
    "day": "day = %(day)s",
    "before": "token_id < %(before)s",
}
"""The SQL condition of each filter of a token list."""

# Looked up by the index over live tokens' addresses.
_OTHERS_WITH_ADDRESS = sql.statement("""
SELECT r.question, r.token_id, other.display
FROM json_to_recordset(%s) AS r(question int, token_id bigint, token_ids bigint[], departments text[])
CROSS JOIN LATERAL (SELECT branch_id, email FROM token WHERE token_id = r.token_id LIMIT 1) AS t
CROSS JOIN LATERAL (
  SELECT o.token_id, o.display FROM token o
  WHERE o.branch_id = t.branch_id AND lower(o.email) = lower(t.email) AND o.email IS NOT NULL AND o.state IN ({live})
    AND o.token_id <> ALL(r.token_ids) AND (r.departments IS NULL OR o.department_id = ANY(r.departments))
  ORDER BY o.token_id LIMIT 10
) AS other
ORDER BY r.question, r.token_id, other.token_id
""")

_START = "coalesce((d.rules->>'numberStart')::int, 1)"
_NUMBERED = sql.statement(
    """
SELECT {printed}, d.prefix, s.day AS today, d.is_archived, {start} AS number_start
FROM token t
JOIN department d ON d.department_id = t.issued_in
JOIN dept_state s ON s.department_id = t.issued_in
WHERE t.display = ANY(%(spellings)s) AND (%(user_id)s::bigint IS NULL OR t.user_id = %(user_id)s)
""",
    printed=sql.names(TOKEN_FIELDS, "t.{}"),
    start=SQL(_START),
)
_IS_LIVE = sql.statement(" AND t.state IN ({live})")
_IS_OF_TODAY = " AND t.day = s.day"
_ENDED_TODAY = " AND t.ended_on = s.day AND t.ended_on > t.day"
# Yesterday's last moves may still be undone. Tokens that expired under an older release have no day of their end.
_MAY_RETURN = " AND t.day = s.day - 1 AND (t.undo IS NOT NULL OR t.state = 'EXPIRED')"


class PostgresQueries:
    """Reads queues and tokens, each answer from one consistent snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._today = TodayCounts()

    async def snapshot(self, department_id: str, heads: int, *, is_counted: bool = False) -> Snapshot | None:
        """Return a department's current state, all from the same snapshot."""
        async with self._database.begin() as connection:
            await connection.execute(ONE_SNAPSHOT)
            row = await connection.row(_HEAD, [department_id])
            if row is None:
                return None
            department, head = department_from(row), head_from(row)
            busy = await _tokens(connection, _BUSY, [department_id])
            counters = await read_counters(connection, row["branch_id"])
            return Snapshot(
                department=department,
                head=head,
                now=row["now"],
                line=await _tokens(connection, sql.HEADS, {"department_id": department_id, "count": heads}),
                busy=busy,
                counts=await self._counts(connection, head, department_id, busy) if is_counted else {},
                counters=counters,
                forgotten=await read_forgotten(connection, counters, row["now"]),
            )

    async def _counts(
        self, connection: Connection, head: DepartmentHead, department_id: str, busy: Sequence[Token]
    ) -> dict[TokenState, int]:
        counts = await self._today.of(connection, department_id, head.day)
        # A token of yesterday may still be served: present tokens count, whatever their day.
        present = Counter(token.state for token in busy)
        live = {state: present[state] for state in LIVE} | {TokenState.WAITING: sum(head.waiting.values())}
        return counts | live

    async def near_turn_requests(self) -> list[NearTurnRequest]:
        """Return the departments in which a waiting customer is still to be notified."""
        async with self._database.begin() as connection:
            return [NearTurnRequest(row["department_id"], row["furthest"]) for row in await connection.rows(_WISHES)]

    async def token(self, token_id: int) -> Token | None:
        """One token."""
        async with self._database.begin() as connection:
            return next(iter(await _tokens(connection, sql.TOKENS_BY_ID, [[token_id]])), None)

    async def whereabouts(self, token_id: int) -> Whereabouts | None:
        """Return where a token is."""
        async with self._database.begin() as connection:
            row = await connection.row(_WHEREABOUTS, [token_id])
        if row is None:
            return None
        was = row["undo"]["was"] if row["undo"] else {}
        printed = row["issued_in"], row["display"]
        return Whereabouts.of(row["department_id"], row["user_id"], printed, was, row["counter_id"])

    async def ahead_in_class(self, token: Token) -> int:
        """Return how many of its class wait before it."""
        async with self._database.begin() as connection:
            values = [token.department_id, token.priority, token.place, token.token_id]
            (row,) = await connection.rows(_AHEAD, values)
            return int(row["count"])

    async def tokens(self, token_filter: TokenFilter) -> list[Token]:
        """Return tokens by descending id."""
        values = {name: value for name in _CONDITIONS if (value := getattr(token_filter, name)) not in (None, ())}
        conditions = " AND ".join(_CONDITIONS[name] for name in values) or "true"
        query = f"{_TOKENS} WHERE {conditions} ORDER BY token_id DESC LIMIT %(limit)s"
        async with self._database.begin() as connection:
            states = [str(state) for state in token_filter.states]
            return await _tokens(connection, query, values | {"states": states, "limit": token_filter.limit})

    async def others_with_address(self, questions: Sequence[AddressQuestion]) -> list[list[tuple[int, str]]]:
        """Return the first other live numbers of their branch with the e-mail address of each of these tokens."""
        asked = [
            {
                "question": index,
                "token_id": token_id,
                "token_ids": question.token_ids,
                "departments": None if question.departments is None else sorted(question.departments),
            }
            for index, question in enumerate(questions)
            for token_id in question.token_ids
        ]
        found: list[list[tuple[int, str]]] = [[] for _ in questions]
        async with self._database.begin() as connection:
            for row in await connection.rows(_OTHERS_WITH_ADDRESS, [json_text(asked)]):
                found[row["question"]].append((row["token_id"], row["display"]))
        return found

    async def numbered(self, typed: str, day: date | None, user_id: int | None) -> list[Printed]:
        """Return tokens by descending id that a typed number may refer to."""
        numbers = {f"n{index}": number for index, number in enumerate({number for _, number in readings(typed)})}
        # Each part uses an index: live tokens by printed number, others by department, day and number.
        # By today's start of numbers, and by the usual one: the start may have been changed since.
        terms = ", ".join(f"%({name})s - {_START} + 1, %({name})s" for name in numbers)
        is_number = f" AND t.number = ANY(ARRAY[{terms}]::int[])"
        parts = [_IS_LIVE, _IS_OF_TODAY + is_number, _ENDED_TODAY + is_number, _MAY_RETURN + is_number]
        if day is not None:
            parts = [" AND t.day = %(day)s"]
        values = {"spellings": list(spellings(typed)), "user_id": user_id, "day": day, **numbers}
        async with self._database.begin() as connection:
            rows = [row for part in parts for row in await connection.rows(_NUMBERED + part, values)]
        by_id = {row["token_id"]: _printed_from(row) for row in rows}
        return [by_id[token_id] for token_id in sorted(by_id, reverse=True)]

    async def history(self, token_id: int) -> History:
        """Return what the log has of a token."""
        async with self._database.begin() as connection:
            rows = await connection.rows(_HISTORY, [token_id])
            events = [(json.loads(row["payload"]), row["note"]) for row in rows]
            (floor,) = await connection.rows(_DELETED, [_departments_in(event for event, _ in events), token_id])
        return History(events, kept_from(floor["day"] or date.min))

    async def letters(self, token_id: int) -> Sequence[LetterView]:
        """Return a token's notifications, oldest first."""
        async with self._database.begin() as connection:
            rows = await connection.rows(_LETTERS, [token_id])
        return [
            {"kind": row["kind"], "channel": row["channel"], "state": row["state"], "at": instant(row["at"]) or ""}
            for row in rows
        ]


async def _tokens(connection: Connection, statement: str, values: Values) -> list[Token]:
    return [token_from(row) for row in await connection.rows(statement, values)]


def _departments_in(events: Iterable[dict[str, Any]]) -> list[str]:
    """The departments that events are about."""
    names: set[str] = set()
    for event in events:
        data = event.get("data") or {}
        names |= {name for name in (event["departmentId"], data.get("from"), data.get("to")) if isinstance(name, str)}
    return sorted(names)


def _printed_from(row: dict[str, Any]) -> Printed:
    settings = {name: row.pop(name) for name in ("prefix", "number_start", "today", "is_archived")}
    return Printed(token_from(row), **settings)
