"""Fills a database with people who have been there, and people who wait, as if tokenq had served them.

What a token and its entries look like is copied from some that the API has just made, so that no column has to be known
twice. It is one transaction under the departments' locks; what follows the log has to be started anew afterwards.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Identifier, Literal

from tests.bench.running import Running, superuser_url

_A_DAY = 100
"""Tokens of a department on each day of the past."""
_AGO = 8
"""Days that have passed since then. What is older than a week is not published again on an empty topic."""
_TEMPLATE = "COPIED"

_LOCK = "SELECT FROM dept_state ORDER BY department_id FOR UPDATE"
_LONG_AGO = "UPDATE outbox SET at = at - interval '10 years' WHERE event_type = 'DEPARTMENT_CHANGED'"
_PEOPLE = """
CREATE TEMPORARY TABLE people (
  token_id bigint, department_id text, day date, number int, display text, seq bigint, at timestamptz,
  is_served boolean, took interval
) ON COMMIT DROP
"""
_IN_THE_PAST = """
INSERT INTO people
SELECT %(first)s + row_number() OVER (), d.department_id, %(today)s::date - %(ago)s - (%(each)s - 1 - i) / %(a_day)s,
  i %% %(a_day)s + 1, NULL, d.last_seq + 1 + 3 * i, NULL, true, '30 s'
FROM dept_state d, generate_series(0, %(each)s - 1) i
WHERE d.department_id LIKE 'PAST%%' OR d.department_id = %(chosen)s
"""
# Numbers of a day count from its first one: the days of the past are whole ones, counted from the last one backwards.
_TODAY = """
INSERT INTO people
SELECT %(first)s + i, %(chosen)s, %(today)s, i, NULL,
  (SELECT coalesce(max(seq) + 3, 2) FROM people WHERE department_id = %(chosen)s)
    + CASE WHEN i <= %(served)s::int THEN 3 * (i - 1) ELSE 2 * %(served)s::int + i - 1 END,
  %(begin)s + %(span)s::interval * i / (%(served)s::int + %(waiting)s::int + 1), i <= %(served)s::int,
  %(span)s::interval / (%(served)s::int + %(waiting)s::int + 1) / 3
FROM generate_series(1, %(served)s::int + %(waiting)s::int) i
"""
_COMPLETE = """
UPDATE people SET at = coalesce(at, day + interval '9 hours' + number * interval '4 minutes'),
  display = department_id || '-' || lpad(number::text, greatest(3, length(number::text)), '0')
"""
_HEADS = """
UPDATE dept_state s SET last_seq = p.last_seq, day = p.day, last_no = p.last_no, waiting_normal = p.waiting
FROM (
  SELECT DISTINCT ON (department_id) department_id, day, number AS last_no,
    seq + CASE WHEN is_served THEN 2 ELSE 0 END AS last_seq,
    count(*) FILTER (WHERE NOT is_served) OVER (PARTITION BY department_id) AS waiting
  FROM people ORDER BY department_id, seq DESC
) p WHERE p.department_id = s.department_id
"""
_PUBLISHED = "UPDATE relay_cursor c SET seq = s.last_seq FROM dept_state s WHERE s.department_id = c.department_id"
_IDS = "SELECT setval('token_id_seq', (SELECT max(token_id) FROM token))"

_TOKEN = {
    "token_id": "p.token_id", "department_id": "p.department_id", "issued_in": "p.department_id", "day": "p.day",
    "number": "p.number", "display": "p.display", "place": "p.seq", "original_place": "p.seq", "issued_at": "p.at",
    "waiting_since": "p.at", "called_at": "p.at + p.took", "last_call_at": "p.at + p.took",
    "started_at": "p.at + p.took", "served_at": "p.at + 2 * p.took", "ended_on": "p.day", "undo": "NULL",
}  # fmt: skip
"""How a person's token differs from the copied one, where that has a value at all."""
_MOMENT = """to_char({at} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
_EVENT = ("eventId", "seq", "timestamp", "businessDay", "tokenId", "tokenNo", "displayNumber", "departmentId")
"""The fields in which events differ, in the order in which format() gets them."""
_NUMBERS = ("seq", "tokenId", "tokenNo")


@dataclass(frozen=True)
class Sizes:
    """How many wait in one department, were served there today, and on earlier days in all of them."""

    waiting: int
    departments: int
    past: int
    day: int

    @property
    def in_each(self) -> int:
        """Tokens of earlier days in each department: whole days."""
        return max(round(self.past / self.departments / _A_DAY), 1 if self.past else 0) * _A_DAY


def fill(running: Running, chosen: str, sizes: Sizes) -> None:
    """Fill the department ``chosen``, which is new, and others."""
    running.new_department(_TEMPLATE)
    running.new_department(chosen)
    for number in range(1, sizes.departments):
        running.new_department("PAST" + _in_letters(number))
    served, waiting = _copied_tokens(running)
    running.rest.finish()
    with psycopg.connect(superuser_url(running.stack), row_factory=dict_row) as database:
        database.execute(_LOCK)
        database.execute(_LONG_AGO)
        _imagine(database, chosen, sizes)
        entries = 0
        for template, is_served in ((served, True), (waiting, False)):
            database.execute(_tokens_like(database, template, is_served))
            for step, (statement, values) in enumerate(_entries_like(database, template, is_served)):
                entries += database.execute(statement, {**values, "step": step}).rowcount
        for statement in (_HEADS, _PUBLISHED, _IDS):
            database.execute(statement)
    served_in_all = sizes.in_each * sizes.departments + sizes.day
    assert entries == 3 * served_in_all + sizes.waiting, f"{entries} entries"
    with psycopg.connect(superuser_url(running.stack), autocommit=True) as database:
        database.execute("VACUUM ANALYZE")  # as autovacuum would have done meanwhile


def _in_letters(number: int) -> str:
    """Digits would make ids that may be mistaken for numbers of another department."""
    return "".join(chr(ord("A") + int(digit)) for digit in f"{number:04d}")


def _copied_tokens(running: Running) -> tuple[int, int]:
    """The ids of a token that was called and served, and of one that waits."""
    ask, path = running.stack.ask, f"/api/v1/departments/{_TEMPLATE}"
    first, second = (ask("POST", f"{path}/tokens", {"name": "Ada Byron"})[1]["tokenId"] for _ in range(2))
    _, called = ask("POST", f"{path}/call", {"counterId": "1"})
    assert called["tokenId"] == first
    code, answer = ask("POST", f"/api/v1/tokens/{first}/serve", {"claimVersion": called["claimVersion"]})
    assert code == 200, answer
    return first, second


def _imagine(database: psycopg.Connection[dict[str, Any]], chosen: str, sizes: Sizes) -> None:
    """Decide when each person came, with which number, and where the entries stand in the log."""
    database.execute(_PEOPLE)
    row = database.execute("SELECT max(token_id) AS first, clock_timestamp() AS now FROM token").fetchone()
    assert row
    now: datetime = row["now"].astimezone(UTC)
    begin = (now - timedelta(hours=4)).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=4)
    values = {
        "first": row["first"], "today": begin.date(), "ago": _AGO, "a_day": _A_DAY, "each": sizes.in_each,
        "chosen": chosen, "served": sizes.day, "waiting": sizes.waiting, "begin": begin, "span": now - begin,
    }  # fmt: skip
    if sizes.in_each:
        database.execute(_IN_THE_PAST, values)
    values["first"] += sizes.in_each * sizes.departments
    database.execute(_TODAY, values)
    database.execute(_COMPLETE)


def _tokens_like(database: psycopg.Connection[dict[str, Any]], token_id: int, is_served: bool) -> Composable:
    copied = database.execute("SELECT * FROM token WHERE token_id = %s", [token_id]).fetchone()
    assert copied
    other = {name: SQL(value) for name, value in _TOKEN.items() if copied[name] is not None}
    return _copies("token", copied, other, SQL("c.token_id = {}").format(Literal(token_id)), is_served)


def _entries_like(
    database: psycopg.Connection[dict[str, Any]], token_id: int, is_served: bool
) -> list[tuple[Composable, Mapping[str, str]]]:
    """A statement for each entry of the copied token."""
    found = []
    for copied in database.execute("SELECT * FROM outbox WHERE token_id = %s ORDER BY seq", [token_id]).fetchall():
        at = "(p.at + %(step)s * p.took)"
        other = {
            "department_id": "p.department_id", "seq": "p.seq + %(step)s", "token_id": "p.token_id", "place": "p.seq",
            "at": at, "payload": f"format(%(event)s, uuidv7(), p.seq + %(step)s, {_MOMENT.format(at=at)}, p.day, "
            "p.token_id, p.number, p.display, p.department_id)",
        }  # fmt: skip
        one = SQL("c.department_id = {} AND c.seq = {}").format(Literal(_TEMPLATE), Literal(copied["seq"]))
        statement = _copies("outbox", copied, {name: SQL(value) for name, value in other.items()}, one, is_served)
        found.append((statement, {"event": _format_of(copied["payload"])}))
    return found


def _copies(
    table: str, columns: Mapping[str, Any], other: Mapping[str, Composable], one: Composable, is_served: bool
) -> Composable:
    """A row for each person that is like this one but for some columns."""
    values = [other.get(name, SQL("c.") + Identifier(name)) for name in columns]
    text: LiteralString = """
    INSERT INTO {table} ({names}) SELECT {values} FROM people p, {table} c WHERE p.is_served = {served} AND {one}
    """
    return SQL(text).format(
        table=Identifier(table),
        names=SQL(", ").join(map(Identifier, columns)),
        values=SQL(", ").join(values),
        served=Literal(is_served),
        one=one,
    )


def _format_of(payload: str) -> str:
    """An event as the format of others, with places for what differs."""
    event = json.loads(payload)
    for place, name in enumerate(_EVENT, 1):
        event[name] = f"\0{place}"
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":")).replace("%", "%%")
    for place, name in enumerate(_EVENT, 1):
        mark = f"\\u0000{place}"
        text = text.replace(f'"{mark}"', f"%{place}$s") if name in _NUMBERS else text.replace(mark, f"%{place}$s")
    return text
