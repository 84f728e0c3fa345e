"""Reads what boards show from Postgres. Nothing here grows with past tokens."""

import json
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from tokenq.contract.board_views import RECENT_CALLS
from tokenq.contract.enums import CounterState, TokenState
from tokenq_server.adapters.postgres import statements as sql
from tokenq_server.adapters.postgres.connection import ONE_SNAPSHOT, Connection
from tokenq_server.adapters.postgres.database import Database
from tokenq_server.adapters.postgres.department_rows import department_from
from tokenq_server.adapters.postgres.rows import counter_from
from tokenq_server.adapters.postgres.setup import read_branch
from tokenq_server.services.board import LastCall, PublicBranch, PublicDepartment

_MOST_CALLS = 4 * RECENT_CALLS
"""How many calls are looked at of each department: one token may have been called several times."""
_LOOK_BACK = 1000
"""How many of its last entries are searched for a department's last calls; those at counters are always found."""

_NOW = "SELECT clock_timestamp() AS now"
_HEADS = "SELECT department_id, last_seq FROM dept_state"

_DEPARTMENTS = sql.statement("""
SELECT {department}, s.day, s.last_seq, s.waiting_normal, o.payload
FROM department d
JOIN branch b USING (branch_id)
JOIN dept_state s USING (department_id)
CROSS JOIN LATERAL (
  SELECT payload FROM outbox WHERE (department_id, seq) = (s.department_id, s.last_seq) LIMIT 1
) AS o
WHERE d.branch_id = %(branch)s AND NOT d.is_archived AND (%(only)s::text[] = '{{}}' OR d.department_id = ANY(%(only)s))
ORDER BY d.department_id
""")

_WAITING = """
SELECT department_id, array_agg(token_id ORDER BY token_id) AS ids FROM token
WHERE department_id = ANY(%s) AND state = 'WAITING' GROUP BY department_id
"""

# Of tokens at counters the last call, however long ago it was; of others those among the last entries of the log.
# Row by row (LIMIT 1): for a join the planner would read the whole log, not knowing how few rows there are.
_CALLS = """
WITH called AS (
  SELECT o.department_id, o.token_id, max(o.seq) AS seq
  FROM unnest(%(ids)s::text[], %(after)s::bigint[]) AS h(department_id, after)
  CROSS JOIN LATERAL (
    SELECT department_id, token_id, seq FROM outbox
    WHERE outbox.department_id = h.department_id AND seq > h.after AND event_type IN ('TOKEN_CALLED', 'TOKEN_RECALLED')
    ORDER BY seq DESC LIMIT %(most)s
  ) AS o GROUP BY 1, 2
  UNION
  SELECT t.department_id, t.token_id, c.seq
  FROM token t
  CROSS JOIN LATERAL (
    SELECT max(seq) AS seq FROM outbox
    WHERE outbox.token_id = t.token_id AND outbox.department_id = t.department_id
      AND event_type IN ('TOKEN_CALLED', 'TOKEN_RECALLED')
  ) AS c
  WHERE t.department_id = ANY(%(ids)s) AND t.state IN ('CALLED', 'SERVING') AND c.seq IS NOT NULL
)
SELECT called.department_id AS called_in, o.payload, t.token_id, t.state, t.department_id, t.counter_id
FROM called
CROSS JOIN LATERAL (
  SELECT payload FROM outbox WHERE (department_id, seq) = (called.department_id, called.seq) LIMIT 1
) AS o
CROSS JOIN LATERAL (
  SELECT token_id, state, department_id, counter_id FROM token WHERE token_id = called.token_id LIMIT 1
) AS t
"""

# By the index over tokens that ended on a later day than that of their number.
_EXPIRED = """
SELECT t.department_id, t.token_id, min(o.at) AS at
FROM unnest(%(ids)s::text[], %(days)s::date[]) AS h(department_id, day)
JOIN token t ON (t.ended_on, t.department_id) = (h.day, h.department_id) AND t.ended_on > t.day AND t.state = 'EXPIRED'
JOIN outbox o ON o.token_id = t.token_id AND o.event_type = 'TOKEN_EXPIRED' AND o.at > now() - interval '12 hours'
GROUP BY 1, 2 ORDER BY 2
"""


class PostgresBoards:
    """Reads branches as boards show them, each from one consistent snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def public_branch(self, branch_id: str, only: Collection[str]) -> PublicBranch | None:
        """Return a branch, limited to departments (empty: all)."""
        async with self._database.begin() as connection:
            await connection.execute(ONE_SNAPSHOT)
            branch = await read_branch(connection, branch_id)
            if branch is None:
                return None
            now = await connection.row(_NOW)
            rows = await connection.rows(_DEPARTMENTS, {"branch": branch_id, "only": sorted(only)})
            return PublicBranch(
                now["now"] if now else datetime.now(UTC),
                branch,
                departments=await _departments(connection, branch_id, rows),
                heads={row["department_id"]: row["last_seq"] for row in await connection.rows(_HEADS)},
            )


async def _departments(connection: Connection, branch_id: str, rows: list[dict[str, Any]]) -> list[PublicDepartment]:
    ids = [row["department_id"] for row in rows]
    waiting = {row["department_id"]: row["ids"] for row in await connection.rows(_WAITING, [ids])}
    looked = {"ids": ids, "after": [_look_back_to(row) for row in rows], "most": _MOST_CALLS}
    calls: dict[str, list[LastCall]] = defaultdict(list)
    for row in await connection.rows(_CALLS, looked):
        calls[row.pop("called_in")].append(LastCall(**row | {"state": TokenState(row["state"])}))
    expired: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
    for row in await connection.rows(_EXPIRED, {"ids": ids, "days": [row["day"] for row in rows]}):
        expired[row["department_id"]].append((row["token_id"], row["at"]))
    counters = [counter_from(row) for row in await connection.rows(sql.COUNTERS_OF_BRANCH, [branch_id])]
    paused = [counter for counter in counters if counter.state is CounterState.PAUSED]
    return [
        PublicDepartment(
            department_from(row),
            row["day"].isoformat(),
            row["last_seq"],
            row["payload"],
            waiting.get(name, []),
            calls[name],
            [counter.counter_id for counter in paused if counter.serves(name)],
            _as_one(expired[name]),
            row["waiting_normal"],
        )
        for row in rows
        for name in [row["department_id"]]
    ]


def _look_back_to(row: dict[str, Any]) -> int:
    """The seq behind which a department's last calls are looked for: its last one, if it has had none on its day."""
    is_of_the_day = json.loads(row["payload"])["businessDay"] >= row["day"].isoformat()
    return int(row["last_seq"]) - (_LOOK_BACK if is_of_the_day else 0)


def _as_one(expired: list[tuple[int, datetime]]) -> tuple[list[int], datetime] | None:
    """The tokens that expired, and the last time at which one did."""
    return ([token_id for token_id, _ in expired], max(at for _, at in expired)) if expired else None
